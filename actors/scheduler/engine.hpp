#pragma once
// Placement: an inventory of hosts, a queue of tasks, and plans that bring them together.

#include <memory>
#include <variant>

#include "actors/scheduler/facts.hpp"
#include "storage/base/time.hpp"

namespace troupe::scheduler {

struct EngineStatus {
  std::size_t hosts = 0, queued = 0, in_flight = 0;
  std::size_t resting = 0;     ///< of the queued ones
  std::size_t preempting = 0;  ///< likewise: their victims are to end
  std::size_t classes = 0;     ///< kinds of waiting tasks
  std::size_t blocked = 0;     ///< of these, kinds that fit nowhere at present
  std::uint64_t placed = 0, refused = 0, evaluations = 0, preemptions = 0;
};

/// Owner: the scheduler's actor on the leader, one thread. Pure and deterministic: the same calls give the
/// same plans, and hosts that are told between two passes may be told in any order. Nothing survives; a new
/// leader feeds a fresh engine from the derived tables and lets it look up what only few tasks ask about.
///
/// Facts carry the position of the last event they contain, so that a view and the events around it may come
/// in any order: a placement or an end that the last view of the host already contained changes nothing.
///
/// A host never gets more than it has, in-flight placements counted, and hard constraints hold among what is
/// placed and in flight. Waiting tasks that ask for the same are one class: one that fits nowhere is not
/// tried again before a host or neighbour that could help it has changed. A placement costs about the
/// logarithm of the hosts (a tree of the free maxima per set of hosts that the class's constraints allow)
/// times the few candidates of which it takes the best; never hosts x tasks.
///
/// Of tasks that fit, it is the turn of the Critical tier, then of the capacity group that has least for what
/// it reserved (dominant resource; what is below its reservation before what borrows), then of the highest
/// priority, then of the one that came first. A Critical group never goes above its reservation.
///
/// A task that fits nowhere may have others ended: those of lower priority, and those with which another
/// group uses what its own was promised (storage/model/preemption.hpp; `Preemptor` chooses). The room is kept
/// for it until its victims have ended; then it is placed there, before all that wait.
///
/// A task that the log refused to place rests before it is tried again, longer each time: whatever the engine
/// believes wrongly, it does not fill the log with it.
class Engine {
 public:
  static constexpr milliseconds rest_first{10};
  static constexpr milliseconds rest_max{2'000};
  static constexpr std::size_t nearest_max = 3;     ///< hosts, in an explanation
  static constexpr milliseconds claim_max{60'000};  ///< victims that have not ended by then are not awaited

  explicit Engine(Lookups lookups = {});
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// New or changed. `used` is taken unless a later placement or end is known; placements in flight count on
  /// top.
  void upsert_host(const HostFacts& facts);
  /// Its in-flight placements stay in flight: the log will refuse or end them.
  void remove_host(HostId host);
  /// New or changed; `used` as of now. Placements in flight count on top.
  void put_group(const GroupFacts& facts);
  void drop_group(const std::string& name);
  /// A task in flight or waiting already: only a newer version is taken, and puts it back to waiting.
  void enqueue(QueuedTask task);
  /// It is not Accepted any more (killed, or placed by an earlier leader). What it held in flight is free
  /// again.
  void forget(TaskId task);
  void task_ended(const EndedTask& task);
  /// It is another job's from now on, where it is.
  void task_moved(const TaskId& task, const JobId& from, const JobId& to, HostId host);
  /// It is being ended: by its own, or for another's sake. Who looks for room asks its host first.
  void task_leaving(TaskId task, HostId host = {}, const Resources& resources = {});

  /// Rested ones take their old places in the queue first.
  Plan place(Instant now, const Budget& budget);
  /// When there is something to do again, though nothing else be heard; nullopt: never.
  std::optional<Instant> next_wake() const;
  /// Refused ones rest (a plan of unknown outcome too); one that does not wait any more is to be forgotten.
  void settle(Instant now, TaskId task, const std::variant<Placed, Refused>& outcome);

  /// The log refused to end its victims, or nobody knows whether it did: it rests.
  void refuse_preemption(Instant now, const Preemption& plan, const Refused& why);

  /// It has room, but may launch nothing more until it is told anew.
  bool is_held(HostId host) const;
  bool knows(TaskId task) const;  ///< it waits, rests or is in flight
  /// A walk over all hosts: milliseconds for 10,000.
  Explanation explain(TaskId task) const;
  /// What would become of `count` tasks like this one if they came now, behind all that waits. Nothing is
  /// different afterwards. To be asked after a pass that had no more to do. It looks no further than a pass
  /// of the usual budget does: of many tasks that have to look for victims, the last ones may be told to
  /// wait.
  Rehearsal rehearse(const QueuedTask& like, std::size_t count, Instant now);
  /// Which of these places are forbidden now by what holds for its own placements: what hosts are and offer,
  /// who stands beside whom, what is kept for others; each behind those before it. Not: whose turn it is.
  /// Nothing is different afterwards.
  std::vector<BrokenPromise> verify(const QueuedTask& like, const std::vector<PromisedPlace>& places);
  EngineStatus status() const;

 private:
  friend class RehearsalRun;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::scheduler
