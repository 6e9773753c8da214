#pragma once
// The tasks that wait, in classes of equal demand.

#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "actors/scheduler/inventory.hpp"

namespace troupe::scheduler {

/// A task's place in the queue: tier, priority, then first come, first served.
struct Turn {
  Tier tier = Tier::flex;
  std::uint32_t patience = 0;  ///< the greatest number minus the priority
  EventId order;
  TaskId task;
  friend auto operator<=>(const Turn&, const Turn&) = default;
};
Turn turn_of(const QueuedTask& task);

/// Tasks that ask for the same: if one fits nowhere, none does.
struct TaskClass {
  std::uint64_t number = 0;
  std::string key;
  Demand demand;
  std::set<Turn> waiting;
  std::size_t tasks = 0;    ///< waiting or in flight
  bool is_blocked = false;  ///< fits nowhere at present
  std::vector<DescriptorPtr>
      descriptors;  ///< known to ask for this; kept alive so that their addresses stay theirs
};

/// Owner: the engine. Pure, deterministic: classes are ordered by their first waiting task.
class WaitingQueue {
 public:
  explicit WaitingQueue(Inventory& inventory) : inventory_(inventory) {}

  /// The task's class, made if it is the first; counts it as a member until `leave`.
  TaskClass* join(const QueuedTask& task);
  void leave(TaskClass* kind);
  void wait(TaskClass* kind, const Turn& turn);
  void stop_waiting(TaskClass* kind, const Turn& turn);

  /// The class of the first task that may be tried; null if there is none.
  TaskClass* first() const { return heads_.empty() ? nullptr : heads_.begin()->second; }
  void block(TaskClass* kind);
  /// Takes up again what an improved host might take.
  void unblock();

  std::size_t classes() const { return classes_.size(); }
  std::size_t blocked() const { return blocked_.size(); }
  /// Waiting tasks before this turn.
  std::size_t before(const Turn& turn) const;

 private:
  static constexpr std::size_t descriptors_max =
      1'024;  ///< remembered per class; of more each is compared by content
  void lift(TaskClass* kind);
  void lower(TaskClass* kind);

  Inventory& inventory_;
  std::uint64_t count_ = 0;
  std::map<std::string, std::unique_ptr<TaskClass>> classes_;
  std::unordered_map<const JobDescriptor*, TaskClass*> by_descriptor_;
  std::map<Turn, TaskClass*> heads_;  ///< of the classes that are not blocked and have waiting tasks
  std::map<std::uint64_t, TaskClass*> blocked_;
};

}  // namespace troupe::scheduler
