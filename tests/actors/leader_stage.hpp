#pragma once
// An actor of the leader in one thread, on a real state: proposals wait until the test has them applied, and
// what was applied is told when the test wants it told.

#include <deque>

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"
#include "actors/runtime/actor_host.hpp"
#include "tests/storage/base/standing_clock.hpp"
#include "tests/storage/state/cell.hpp"

namespace troupe {

class LeaderStage {
 public:
  using Spawn = caf::actor (*)(caf::actor_system&, const ContextPtr&);
  explicit LeaderStage(Spawn spawn);
  ~LeaderStage();
  LeaderStage(const LeaderStage&) = delete;
  LeaderStage& operator=(const LeaderStage&) = delete;

  void lead();                              ///< this node leads from now on
  void follow();                            ///< another one does
  void hear(const PeersHeard::Peer& peer);  ///< how another node stands
  /// The actor hears of all that was applied since it last heard.
  void tell();
  void run();
  void advance(milliseconds wait);
  /// Applies the oldest proposal; what it did is told when the test says so, its outcome at once.
  Outcome apply_proposal();
  /// To the actor; `asker()` is whoever asks, and `told` what it was answered.
  template <class Message>
  void give(Message message) {
    caf::anon_send(actor_, std::move(message));
    run();
  }
  caf::strong_actor_ptr asker() const { return caf::actor_cast<caf::strong_actor_ptr>(replica_); }
  void answer_proposal(const Error& error);        ///< the oldest one is not applied
  std::vector<PlaceTasks::Item> proposed() const;  ///< in all that waits
  const NodeStatus& status() const { return context_->status; }
  std::vector<TaskId> waiting_tasks(const JobId& job, std::uint32_t count);

  StandingClock clock;
  Cell cell;
  std::deque<Propose> proposals;
  std::vector<ReplicaDone> told;
  std::vector<Answered> answers;
  std::size_t proposals_made = 0;
  std::size_t messages_handled = 0;

 private:
  Propose take();
  ContextPtr context_ = std::make_shared<NodeContext>();
  std::vector<AppliedPtr> untold_;
  std::unique_ptr<ActorHost> actors_ = ActorHost::simulated();
  caf::actor replica_;
  caf::actor actor_;
};

}  // namespace troupe
