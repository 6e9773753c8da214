#include <deque>

#include "actors/directory/directory_actor.hpp"
#include "actors/runtime/logging.hpp"

namespace troupe {
namespace {

constexpr milliseconds leave_patience{2'000};  // Of an agent that was shown the way to another node.
constexpr milliseconds door_tick{100};
constexpr milliseconds register_patience{5'000};
constexpr std::size_t calls_max = 10'000;      // Under way; beyond: overloaded.
constexpr milliseconds call_patience{10'000};  // Longer than any wait that a call may ask for.

class Door {
 public:
  Door(caf::event_based_actor* self, ContextPtr context) : self_(self), context_(std::move(context)) {}

  caf::behavior start() {
    return {
        [this](const MeetNode& node) {
          node_ = node;
          self_->delayed_send(self_, door_tick, TickDoor{});
        },
        [this](const LinkRaised& raised) { visitors_[raised.link] = {}; },
        [this](const LinkDropped& dropped) { on_dropped(dropped.link); },
        [this](const LinkReceived& received) { on_received(received); },
        [this](const ProposalDone& done) { on_registered(done); },
        [this](const CloseAgent& close) { close_link(close.link, close.why); },
        [this](const ShardsLost& lost) { send_on(lost.shards); },
        [this](const LeaseMoved& lease) { on_lease(lease.held); },
        [this](const Asked& asked) { on_asked(asked); },
        [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
        [this](TickDoor) {
          expire();
          self_->delayed_send(self_, door_tick, TickDoor{});
        },
    };
  }

 private:
  /// An agent's link, from its hello on.
  struct Visitor {
    HostId host;  ///< 0: not let in
    agent::Hello hello;
    std::optional<Moment> leave_by{};  ///< it was sent on: its link is closed then
  };
  struct PendingCall {
    net::LinkKey link;
    std::uint64_t cookie = 0;
    caf::strong_actor_ptr asker;
    Moment deadline;
  };

  Moment now() const { return context_->clock->steady(); }
  bool tell(const net::LinkKey& link, const agent::ToAgent& message) {
    return context_->hub->send(link, packed(message));
  }

  void on_dropped(const net::LinkKey& link) {
    const auto found = visitors_.find(link);
    if (found == visitors_.end()) return;
    if (found->second.host.value != 0) {
      links_.erase(found->second.host);
      self_->send(node_.directory, AgentLeft{found->second.host, link});
    }
    visitors_.erase(found);
    for (auto next = calls_.begin(); next != calls_.end();) {
      const auto at = next++;
      if (at->second.link == link)
        answer(at, Answer::of(Error{ErrorCode::unavailable, "the host's agent went away"}));
    }
  }

  void on_received(const LinkReceived& received) {
    auto message = unpacked<agent::FromAgent>(received.bytes);
    const auto found = visitors_.find(received.link);
    if (found == visitors_.end()) return;
    if (!message.ok()) return close_link(received.link, "a malformed message");
    std::visit([&](auto& body) { take(received.link, found->second, std::move(body)); }, message.value());
  }

  void take(const net::LinkKey& link, Visitor& visitor, agent::Hello hello) {
    visitor.hello = std::move(hello);
    visitor.host = {};
    // Not its figures, which count hosts: of thousands each says hello at once.
    const std::string cell = context_->reads().cell_record().name;
    if (!leased_ || cell.empty()) return close_link(link, "this node is not ready");
    if (!visitor.hello.cell.empty() && visitor.hello.cell != cell)
      return refuse(link, "this is cell '" + cell + "', the agent belongs to '" + visitor.hello.cell + "'");
    if (is_registered(visitor.hello)) return let_in(link, visitor);
    Command command;
    command.caller = link.peer;
    command.body = RegisterHost{visitor.hello.host, visitor.hello.host_group, visitor.hello.resources,
                                visitor.hello.attributes, visitor.hello.drivers};
    registering_[++next_cookie_] = link;
    self_->send(node_.replica, Propose{std::move(command), next_cookie_, register_patience,
                                       caf::actor_cast<caf::strong_actor_ptr>(self_)});
  }

  bool is_registered(const agent::Hello& hello) const {
    const auto id = context_->reads().host_id(hello.host);
    if (!id) return false;
    const auto facts = context_->reads().host_facts(*id);
    return facts && facts->record.host_group == hello.host_group &&
           facts->record.resources == hello.resources && facts->record.attributes == hello.attributes &&
           facts->record.drivers == hello.drivers;
  }

  void on_registered(const ProposalDone& done) {
    const auto found = registering_.find(done.cookie);
    if (found == registering_.end()) return;
    const net::LinkKey link = found->second;
    registering_.erase(found);
    const auto visitor = visitors_.find(link);
    // A newer visitor on the same link says its own hello.
    if (visitor == visitors_.end() || visitor->second.hello.host.empty()) return;
    if (!done.outcome.ok()) return refuse(link, done.outcome.error().message);
    if (done.outcome.value().error) return refuse(link, done.outcome.value().error->message);
    let_in(link, visitor->second);
  }

  void let_in(const net::LinkKey& link, Visitor& visitor) {
    const auto host = context_->reads().host_id(visitor.hello.host);
    if (!host) return refuse(link, "not registered");
    const ShardRecord shard = context_->reads().shard(shard_of(*host, context_->reads().shard_count()));
    const auto owner = context_->book.find(shard.owner);
    if (!owner) return close_link(link, "nobody owns the host's shard yet");
    if (shard.owner != context_->self) return show_way(link, shard.owner, *owner);
    visitor.host = *host;
    visitor.leave_by.reset();
    links_[*host] = link;
    self_->send(node_.directory, AgentArrived{*host, link, visitor.hello});
  }

  void show_way(const net::LinkKey& link, NodeId owner, const NodeAddress& address) {
    tell(link, agent::Redirect{to_text(owner) + "@" + address.peer});
  }
  void refuse(const net::LinkKey& link, const std::string& why) { tell(link, agent::Refused{why}); }

  void take(const net::LinkKey& link, const Visitor& visitor, agent::Report report) {
    if (visitor.host.value != 0)
      self_->send(node_.directory, AgentReported{visitor.host, link, std::move(report)});
  }

  void take(const net::LinkKey& link, const Visitor&, const agent::CallAnswer& reply) {
    const auto found = calls_.find(reply.call);
    if (found != calls_.end() && found->second.link == link) answer(found, Answer::of(packed(reply)));
  }

  void on_asked(const Asked& asked) {
    const auto* question = std::get_if<AskAgent>(&asked.question);
    if (question == nullptr) return;
    const auto found = links_.find(question->host);
    std::optional<Error> refusal;
    if (found == links_.end())
      refusal = Error{ErrorCode::unavailable, "the host's agent is not connected here"};
    if (calls_.size() >= calls_max)
      refusal = Error{ErrorCode::overloaded, "too many calls to agents are under way"};
    if (refusal) {
      self_->send(caf::actor_cast<caf::actor>(asked.asker), Answered{asked.cookie, Answer::of(*refusal)});
      return;
    }
    agent::Call call = question->call;
    call.call = ++next_cookie_;
    calls_[call.call] = {found->second, asked.cookie, asked.asker, now() + call_patience};
    if (!tell(found->second, call))
      answer(calls_.find(call.call), Answer::of(Error{ErrorCode::unavailable, "the host's agent went away"}));
  }

  void answer(std::map<std::uint64_t, PendingCall>::iterator at, Answer answer) {
    self_->send(caf::actor_cast<caf::actor>(at->second.asker),
                Answered{at->second.cookie, std::move(answer)});
    calls_.erase(at);
  }

  void expire() {
    for (; !leaving_.empty() && leaving_.front().first <= now(); leaving_.pop_front()) {
      // It may have come back meanwhile, over a link of the same name.
      const auto visitor = visitors_.find(leaving_.front().second);
      if (visitor != visitors_.end() && visitor->second.leave_by && *visitor->second.leave_by <= now())
        close_link(visitor->first, "it was sent to another node");
    }
    for (auto next = calls_.begin(); next != calls_.end();) {
      const auto at = next++;
      if (at->second.deadline <= now())
        answer(at, Answer::of(Error{ErrorCode::unavailable, "the host's agent did not answer in time"}));
    }
  }

  void close_link(const net::LinkKey& link, const std::string& why) {
    logging::info("agent_link_closed node={} peer={} why=\"{}\"", context_->self.value, link.peer, why);
    context_->hub->hang_up(link);
  }

  /// Straight to the next owner: whoever asks elsewhere may meet a node that hangs.
  void send_on(const std::vector<ShardId>& shards) {
    const std::uint16_t count = context_->reads().shard_count();
    for (const auto& [host, link] : std::map(links_)) {
      const ShardId shard = shard_of(host, count);
      if (std::find(shards.begin(), shards.end(), shard) == shards.end()) continue;
      const NodeId owner = context_->reads().shard(shard).owner;
      const auto address = context_->book.find(owner);
      const auto visitor = visitors_.find(link);
      if (!address || owner == context_->self || visitor == visitors_.end()) {
        close_link(link, "its shard has moved");
        continue;
      }
      visitor->second.host = {};
      visitor->second.leave_by = now() + leave_patience;
      links_.erase(host);
      leaving_.emplace_back(*visitor->second.leave_by, link);
      show_way(link, owner, *address);
    }
  }

  void on_lease(bool held) {
    leased_ = held;
    if (held) return;
    for (const auto& [link, visitor] : std::map(visitors_)) close_link(link, "this node's lease is over");
  }

  caf::event_based_actor* self_;
  ContextPtr context_;
  MeetNode node_;
  bool leased_ = false;
  std::map<net::LinkKey, Visitor> visitors_;
  std::map<HostId, net::LinkKey> links_;
  std::deque<std::pair<Moment, net::LinkKey>> leaving_;  ///< those who were sent on
  std::map<std::uint64_t, net::LinkKey> registering_;
  std::map<std::uint64_t, PendingCall> calls_;
  std::uint64_t next_cookie_ = 0;
};

}  // namespace

caf::actor spawn_door(caf::actor_system& system, const ContextPtr& context) {
  return system.spawn([context](caf::event_based_actor* self) -> caf::behavior {
    auto door = std::make_shared<Door>(self, context);
    self->attach_functor([door]() mutable { door.reset(); });
    return door->start();
  });
}

}  // namespace troupe
