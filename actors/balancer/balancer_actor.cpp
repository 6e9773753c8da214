#include "actors/balancer/balancer_actor.hpp"

#include <algorithm>
#include <set>

#include "actors/balancer/level_plan.hpp"
#include "actors/balancer/shard_plan.hpp"
#include "actors/balancer/spare_core.hpp"
#include "actors/runtime/logging.hpp"

namespace troupe {
namespace {

constexpr milliseconds balancer_tick{100};
constexpr milliseconds proposal_patience{5'000};
constexpr std::uint64_t report_cookie = 0;  // Plans count from 1.

class Balancer {
 public:
  Balancer(caf::event_based_actor* self, ContextPtr context) : self_(self), context_(std::move(context)) {}

  caf::behavior start() {
    return {
        [this](const MeetNode& node) {
          node_ = node;
          self_->delayed_send(self_, balancer_tick, TickBalancer{});
        },
        [this](const RoleMoved& moved) {
          leads_ = moved.role.role == raft::Role::leader;
          term_ = moved.role.term;
          heard_since_.clear();
          levels_.clear();
          led_since_ = context_->clock->steady();
          awaited_ = 0;  // What came of an earlier leadership's plan does not matter: the fence ends it.
          spare_.forget();
          balance();
        },
        [this](const PeersHeard& heard) { on_heard(heard); },
        [this](const ProposalDone& done) {
          if (done.cookie == awaited_) awaited_ = 0;
          answer_spared();
        },
        [this](const SpareNode& order) { on_spare(order); },
        [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
        [this](TickBalancer) {
          report_state();
          balance();
          answer_spared();
          self_->delayed_send(self_, balancer_tick, TickBalancer{});
        },
    };
  }

 private:
  Moment now() const { return context_->clock->steady(); }

  void on_heard(const PeersHeard& heard) {
    const milliseconds dead(context_->settings.get(owner_dead_ms));
    levels_.assign(1, context_->machine->level_known());
    const std::set<NodeId> before = std::exchange(gone_, {});
    bool is_lost = false;  // Somebody is gone, or not heard any more: what it owns waits no longer.
    for (const PeersHeard::Peer& peer : heard.peers) {
      if (peer.gone) {
        gone_.insert(peer.id);
        is_lost |= !before.contains(peer.id);
      }
      if (peer.gone || peer.silent >= dead)
        is_lost |= heard_since_.erase(peer.id) != 0;
      else
        heard_since_.emplace(peer.id, now());
      const auto level = heard.levels.find(peer.id);
      const bool is_known = level != heard.levels.end() && peer.silent < dead;
      levels_.push_back(is_known ? std::optional(level->second) : std::nullopt);
    }
    if (is_lost) balance();
  }

  bool is_fresh() const { return now() - led_since_ < milliseconds(context_->settings.get(owner_dead_ms)); }

  std::vector<NodeId> live() const {
    std::vector<NodeId> nodes{context_->self};
    const milliseconds back(context_->settings.get(owner_back_ms));
    // A new leader knows nobody yet: who has owned shards so far keeps them until it has been silent for
    // long.
    const bool fresh = is_fresh();
    std::map<NodeId, bool> owns;
    for (const ShardRecord& shard : context_->reads().shards()) owns[shard.owner] = true;
    for (const NodeId node : context_->book.voters()) {
      if (node == context_->self || gone_.contains(node)) continue;
      const auto heard = heard_since_.find(node);
      const bool settled =
          heard != heard_since_.end() && (owns.contains(node) || now() - heard->second >= back);
      if (settled || (fresh && owns.contains(node))) nodes.push_back(node);
    }
    return nodes;
  }

  /// Who may own shards.
  std::vector<NodeId> owners() const {
    std::vector<NodeId> nodes = live();
    if (const auto spared = spare_.spared(now())) std::erase(nodes, spared->node);
    return nodes;
  }

  void on_spare(const SpareNode& order) {
    spares_.push_back({order, now() + order.patience});
    if (!leads_) return answer_spared();
    const SparedNode wish{order.node, order.caller, order.reason, now() + order.at_most};
    const bool is_taken_back = order.at_most == milliseconds(0);
    if (is_taken_back) spare_.take_back(order.node);
    const auto taken = is_taken_back ? Result<void>() : spare_.spare(wish, live(), now());
    if (!taken.ok()) {
      spares_.pop_back();
      return done(order, taken.error());
    }
    logging::info("node_spared node={} ms={} by=\"{}\"", order.node.value, order.at_most.count(),
                  order.caller);
    balance();
    answer_spared();
  }

  /// Those whose node owns nothing any more, or whose patience is over.
  void answer_spared() {
    context_->spared.set(leads_ ? spare_.spared(now()) : std::nullopt);
    const auto shards = context_->reads().shards();
    std::erase_if(spares_, [&](const Sparing& sparing) {
      const SpareNode& order = sparing.order;
      const auto owned = std::ranges::count(shards, order.node, &ShardRecord::owner);
      if (!leads_) {
        done(order, Error{ErrorCode::not_leader, "this node does not lead"});
      } else if (order.at_most == milliseconds(0) || owned == 0) {
        done(order, Index{context_->status.applied.load()});
      } else if (now() >= sparing.deadline) {
        done(order, Error{ErrorCode::outcome_unknown, "node " + to_text(order.node) + " still owns " +
                                                          std::to_string(owned) + " shards"});
      } else {
        return false;
      }
      return true;
    });
  }
  void done(const SpareNode& order, Result<Index> result) {
    self_->send(caf::actor_cast<caf::actor>(order.asker), ReplicaDone{order.cookie, std::move(result)});
  }

  /// Every node's duty, not the leader's alone: were the leader's own state the damaged one, its word must
  /// not convict the sound ones. A report that is lost is not repeated; the next sample's will do.
  void report_state() {
    if (context_->machine->differing_reports() > differing_) {
      differing_ = context_->machine->differing_reports();
      logging::error("state_differs node={} reports={}", context_->self.value, differing_);
    }
    const auto sample = context_->machine->newest_sample();
    if (!sample || sample->index <= reported_ || context_->status.leader.load() == 0) return;
    reported_ = sample->index;
    CheckState report{context_->self, sample->index, quorum(), sample->hash.shards, sample->hash.cell};
    Command command;
    command.body = std::move(report);
    self_->send(node_.replica, Propose{std::move(command), report_cookie, proposal_patience,
                                       caf::actor_cast<caf::strong_actor_ptr>(self_)});
  }

  std::uint32_t quorum() const { return static_cast<std::uint32_t>(context_->book.voters().size() / 2 + 1); }

  void balance() {
    if (!leads_ || awaited_ != 0) return;
    // Applying an older leader's last entries first: their epochs would make this plan stale.
    if (context_->status.applied.load() < context_->status.commit.load()) return;
    if (context_->reads().shard_count() == 0) return bootstrap();
    if (const auto level = next_level(context_->reads().cell_record(), levels_)) {
      logging::info("level_raised node={} level={}", context_->self.value, *level);
      return propose(RaiseLevel{*level});
    }
    const std::vector<ShardRecord> shards = context_->reads().shards();
    const std::vector<NodeId> nodes = owners();
    const auto has_owner = [&](const ShardRecord& shard) {
      return std::ranges::find(nodes, shard.owner) != nodes.end();
    };
    // What is owned well enough stays where it is until everybody had time to be heard.
    if (is_fresh() && std::ranges::all_of(shards, has_owner)) return;
    auto moves = plan_shards(shards, nodes);
    if (moves.empty()) return;
    logging::info("shards_moving node={} count={}", context_->self.value, moves.size());
    const auto spared = spare_.spared(now());
    const bool is_hand_over = spared && std::ranges::any_of(shards, [&](const ShardRecord& shard) {
                                return shard.owner == spared->node;
                              });
    // What somebody asked for stands under their name in the audit.
    if (is_hand_over)
      propose(AssignShards{std::move(moves)}, spared->by,
              "node " + to_text(spared->node) + " hands over: " + spared->reason);
    else
      propose(AssignShards{std::move(moves)});
  }

  void bootstrap() {
    if (may_bootstrap(context_->policy, levels_))
      return propose(BootstrapCell{context_->cell, 64, context_->policy});
    if (!std::exchange(told_of_bootstrap_, true))
      logging::warn(
          "bootstrap_waits node={} why=\"the policy has limits that not every member is known to know\"",
          context_->self.value);
  }

  void propose(CommandBody body, const std::string& caller = "troupe/balancer", std::string reason = {}) {
    Command command;
    command.fence = TermFence{term_};
    command.caller = caller;
    command.reason = std::move(reason);
    command.body = std::move(body);
    awaited_ = ++plans_made_;
    self_->send(node_.replica, Propose{std::move(command), awaited_, proposal_patience,
                                       caf::actor_cast<caf::strong_actor_ptr>(self_)});
  }

  caf::event_based_actor* self_;
  ContextPtr context_;
  MeetNode node_;
  bool leads_ = false;
  bool told_of_bootstrap_ = false;
  std::uint64_t awaited_ = 0;  ///< cookie of the plan that is proposed; 0: none
  std::uint64_t plans_made_ = 0;
  Term term_;
  Moment led_since_;
  Index reported_;
  std::uint64_t differing_ = 0;
  struct Sparing {
    SpareNode order;
    Moment deadline;
  };
  SpareCore spare_;
  std::vector<Sparing> spares_;  ///< that are not answered; the operations ask few at a time
  std::map<NodeId, Moment> heard_since_;
  std::set<NodeId> gone_;                             ///< as Hearing::is_gone(): they own nothing from now on
  std::vector<std::optional<std::uint32_t>> levels_;  ///< that the members' builds know, see next_level()
};

}  // namespace

caf::actor spawn_balancer(caf::actor_system& system, const ContextPtr& context) {
  return system.spawn([context](caf::event_based_actor* self) -> caf::behavior {
    auto balancer = std::make_shared<Balancer>(self, context);
    self->attach_functor([balancer]() mutable { balancer.reset(); });
    return balancer->start();
  });
}

}  // namespace troupe
