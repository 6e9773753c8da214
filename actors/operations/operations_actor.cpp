#include "actors/operations/operations_actor.hpp"

#include "actors/messages.hpp"
#include "actors/operations/members_core.hpp"
#include "storage/base/build_id.hpp"
#include "storage/replica/replica_driver.hpp"

namespace troupe {
namespace {

constexpr std::size_t orders_max = 64;  // Under way; beyond: overloaded. Operators are few.
constexpr milliseconds look_patience{2'000};
constexpr milliseconds order_patience{10'000};
constexpr milliseconds hand_over_patience{8'000};

class Operations {
 public:
  Operations(caf::event_based_actor* self, ContextPtr context, const DiskBook* disks)
      : self_(self), context_(std::move(context)), disks_(disks) {}

  caf::behavior start() {
    return {
        [this](const MeetNode& node) {
          replica_ = node.replica;
          balancer_ = node.balancer;
          directory_ = node.directory;
        },
        [this](const Asked& asked) { on_asked(asked); },
        [this](const ReplicaDone& done) { on_done(done); },
        [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
    };
  }

 private:
  void on_asked(const Asked& asked) {
    const auto* question = std::get_if<AskCell>(&asked.question);
    if (question == nullptr)
      return answer(asked, Answer::of(Error{ErrorCode::internal, "asked of the wrong actor"}));
    self_->request(replica_, look_patience, TellReplica{})
        .then([this, asked, order = question->order](const ReplicaTold& told) { take(asked, order, told); },
              [this, asked](const caf::error&) {
                answer(asked, Answer::of(Error{ErrorCode::unavailable, "the replica does not answer"}));
              });
  }

  void take(const Asked& asked, const CellOrder& order, const ReplicaTold& told) {
    const raft::Status& status = told.status;
    if (order.kind == CellOrder::Kind::look) return answer(asked, Answer::of(members(told)));
    if (orders_.size() >= orders_max)
      return answer(asked, Answer::of(Error{ErrorCode::overloaded, "too many orders are under way"}));
    if (order.kind == CellOrder::Kind::change && status.role == raft::Role::leader &&
        operations::is_fulfilled(order, status.membership))
      return answer(asked, Answer::of(operations::done_json(status.commit)));
    orders_[++cookie_] = asked;
    const auto me = caf::actor_cast<caf::strong_actor_ptr>(self_);
    const bool is_taken_back = order.kind == CellOrder::Kind::take_back;
    if (order.kind == CellOrder::Kind::hand_over || is_taken_back)
      return self_->send(balancer_, SpareNode{order.node, is_taken_back ? milliseconds(0) : order.at_most,
                                              order.caller, order.reason, cookie_, hand_over_patience, me});
    if (order.kind == CellOrder::Kind::restart)
      return self_->send(directory_, RestartEntity{order.entity, cookie_, me});
    if (order.kind == CellOrder::Kind::transfer)
      self_->send(replica_, TransferLeadership{order.node, cookie_, order_patience, me});
    else
      self_->send(replica_,
                  ChangeMembers{{order.change, order.node, order.address, {}}, cookie_, order_patience, me});
  }

  void on_done(const ReplicaDone& done) {
    const auto found = orders_.find(done.cookie);
    if (found == orders_.end()) return;
    const Asked asked = std::move(found->second);
    orders_.erase(found);
    answer(asked, done.done.ok() ? Answer::of(operations::done_json(done.done.value()))
                                 : Answer::of(done.done.error()));
  }

  Bytes members(const ReplicaTold& told) const {
    std::map<NodeId, std::string> addresses;
    for (const auto& [node, address] : context_->book.all()) addresses[node] = address.peer;
    return operations::members_json(told.status, addresses, replica_tick, told.levels,
                                    standing_text(disks_->standing()), own());
  }

  operations::OwnStanding own() const {
    operations::OwnStanding own{build_id(), 0, context_->spared.get(), {}};
    for (const ShardRecord& shard : context_->reads().shards())
      own.shards_owned += shard.owner == context_->self ? 1 : 0;
    if (own.spared)
      own.spared_for =
          std::chrono::duration_cast<milliseconds>(own.spared->until - context_->clock->steady());
    return own;
  }

  void answer(const Asked& asked, Answer answer) {
    self_->send(caf::actor_cast<caf::actor>(asked.asker), Answered{asked.cookie, std::move(answer)});
  }

  caf::event_based_actor* self_;
  ContextPtr context_;
  const DiskBook* disks_;
  caf::actor replica_, balancer_, directory_;
  std::uint64_t cookie_ = 0;
  std::map<std::uint64_t, Asked> orders_;  ///< by cookie; replica, balancer and directory answer each
};

}  // namespace

caf::actor spawn_operations(caf::actor_system& system, const ContextPtr& context, const DiskBook* disks) {
  return system.spawn([context, disks](caf::event_based_actor* self) -> caf::behavior {
    auto operations = std::make_shared<Operations>(self, context, disks);
    self->attach_functor([operations]() mutable { operations.reset(); });
    return operations->start();
  });
}

}  // namespace troupe
