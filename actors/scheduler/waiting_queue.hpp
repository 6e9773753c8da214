#pragma once
// The tasks that wait, in classes of equal demand, the classes in capacity groups.

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <compare>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "actors/scheduler/inventory.hpp"
#include "storage/model/preemption.hpp"

namespace troupe::scheduler {

/// A task's place in its group: priority, then first come, first served.
struct Turn {
  std::uint32_t patience = 0;  ///< the greatest number minus the priority
  EventId order;
  TaskId task;
  friend auto operator<=>(const Turn&, const Turn&) = default;
};
Turn turn_of(const QueuedTask& task);

struct TaskClass;

/// Whose turn it is among groups: Critical before Flex; then those that have less than they reserved, which
/// are promised the rest; then those that borrow least for what they reserved.
struct Rank {
  Tier tier = Tier::flex;
  bool is_borrowing = true;
  std::int64_t share = 0;  ///< millionths of the reservation in use, of the resource of which most is
  std::uint32_t number = 0;
  friend auto operator<=>(const Rank&, const Rank&) = default;
};

/// A capacity group, as far as its tasks wait or are in flight.
struct QueueGroup {
  GroupFacts facts;
  Resources in_flight;
  std::size_t flying = 0;  ///< tasks in flight
  Resources claimed;       ///< of what is in flight, by those that only keep room somewhere yet
  std::size_t claims = 0;  ///< likewise
  std::size_t classes = 0;
  bool is_declared = false;  ///< others are forgotten when none of their tasks waits
  Rank rank;
  bool is_ranked = false;                      ///< has heads, and stands among those whose turn may come
  absl::btree_map<Turn, TaskClass*> heads;     ///< of its classes that may be tried
  std::map<std::uint64_t, TaskClass*> capped;  ///< that would take it above its ceiling or limit of launches

  Resources used() const;
  /// In flight included, and without what is being ended.
  GroupStanding standing() const;
  /// A Critical group's reservation is its ceiling, too, in what it reserves something of. `gone`: of its own
  /// that will have ended.
  bool is_capped_for(const Resources& need, const Resources& gone = {}) const;
  /// By its limit of launches, were there so many more. Of more at once than it ever allows all have to be
  /// left.
  bool is_held(std::size_t more = 1) const {
    return flying + std::min<std::uint64_t>(more, facts.launches_most) > facts.launches_left;
  }
  /// By its limit of launches. Those that only keep room somewhere do not count.
  bool may_launch(std::size_t count) const {
    return flying - claims + std::min<std::uint64_t>(count, facts.launches_most) <= facts.launches_left;
  }
  /// May those that keep room somewhere be launched now, so many at once? The others that still wait do not
  /// count.
  bool admits_claim(const Resources& need, std::size_t count = 1) const {
    return may_launch(count) && !is_capped_for(need, claimed);
  }
  Rank current_rank() const;
};

/// Tasks that ask for the same: if one fits nowhere, none does.
struct TaskClass {
  std::uint64_t number = 0;
  std::uint32_t priority = 0;
  std::uint32_t gang = 0;  ///< they start so many at once; 0: one by one
  std::string key;
  Demand demand;
  QueueGroup* group = nullptr;
  absl::btree_set<Turn> waiting;
  std::size_t tasks = 0;  ///< waiting or in flight
  enum class Hold : std::uint8_t { none, fits_nowhere, group_is_full, gang_is_incomplete };
  /// Of what starts at once.
  Resources at_once() const;
  std::size_t count_at_once() const { return std::max<std::size_t>(gang, 1); }
  Hold hold = Hold::none;
  // ---- of one that fits nowhere, looking for others to give way ----
  bool is_hungry = false;
  std::size_t asks_from = 0;    ///< where in its pool the next look begins
  std::size_t hosts_asked = 0;  ///< in a look that was cut short
  Instant looks_at;             ///< not before
  milliseconds pause{0};        ///< the last one, after a look in vain
  std::uint64_t changes = 0;    ///< seen when it looked in vain
  std::vector<DescriptorPtr>
      descriptors;  ///< known to ask for this; kept alive so that their addresses stay theirs
};

/// Owner: the engine. Pure, deterministic: within a group, classes are ordered by their first waiting task.
class WaitingQueue {
 public:
  explicit WaitingQueue(Inventory& inventory) : inventory_(inventory) {}

  /// New, or changed in the state. What is in flight counts on top.
  void put_group(const GroupFacts& facts);
  /// Nobody declares it any more.
  void drop_group(const std::string& name);

  /// The task's class, made if it is the first; counts it as a member until `leave`.
  TaskClass* join(const QueuedTask& task);
  void leave(TaskClass* kind);
  void wait(TaskClass* kind, const Turn& turn);
  void stop_waiting(TaskClass* kind, const Turn& turn);
  /// The group's use changes by a placement in flight, planned or given up.
  void fly(TaskClass* kind);
  void land(TaskClass* kind);
  /// What flies only keeps room somewhere as yet, or does so no longer.
  void begin_claim(TaskClass* kind);
  void end_claim(TaskClass* kind);
  /// It has been placed: until the state is asked again.
  void settle_in(TaskClass* kind);

  /// The class of the first task that may be tried; null if there is none. Holds those that their group's
  /// ceiling forbids.
  TaskClass* first();
  /// It fits nowhere.
  void block(TaskClass* kind);
  /// Classes that fit nowhere, might have a right to others' places and may look and launch now, in turn.
  std::vector<TaskClass*> hungry(Instant now) const;
  /// Nobody gives way to what may not be launched yet, or is not whole.
  static bool may_look(const TaskClass& kind);
  void found_victims(TaskClass* kind) { kind->pause = milliseconds(0); }
  void found_nobody(TaskClass* kind, Instant now, std::uint64_t changes, milliseconds first,
                    milliseconds most);
  /// When the next one may look again for which something has changed; nullopt: nothing has. One that has not
  /// looked yet looks at the next pass.
  std::optional<Instant> next_look(std::uint64_t changes) const;
  void allow_preemption() { allows_preemption_ = true; }
  /// Of any group, by its placed tasks that stay; one that nobody declared is Flex and reserves nothing.
  GroupStanding standing_of(const std::string& name) const;

  /// Takes up again what a host or a neighbour that has changed might help.
  void unblock(std::size_t& looked_at);

  std::size_t classes() const { return classes_.size(); }
  std::size_t blocked() const { return blocked_; }
  /// Tasks of its group that wait before this turn.
  std::size_t before(const TaskClass& kind, const Turn& turn) const;

 private:
  static constexpr std::size_t descriptors_max =
      1'024;  ///< remembered per class; of more each is compared by content
  QueueGroup* group_of(const std::string& name);
  void lift(TaskClass* kind);
  void lower(TaskClass* kind);
  void hold(TaskClass* kind, TaskClass::Hold why);
  void release(TaskClass* kind);
  void rank(QueueGroup& group);
  void uncap(QueueGroup& group);
  bool might_preempt(const TaskClass& kind) const;
  void make_hungry(TaskClass* kind);
  void sate(TaskClass* kind);
  void reconsider(QueueGroup& group);

  Inventory& inventory_;
  std::uint64_t count_ = 0;
  std::uint32_t groups_made_ = 0;
  std::map<std::string, std::unique_ptr<TaskClass>> classes_;
  std::map<std::string, std::unique_ptr<QueueGroup>, std::less<>> groups_;
  // With the job's id where neighbours count: two jobs may share a descriptor, and be two classes for all
  // that.
  absl::flat_hash_map<std::pair<const JobDescriptor*, JobId>, TaskClass*> by_descriptor_;
  absl::btree_map<Rank, QueueGroup*> order_;
  absl::flat_hash_map<const Pool*, std::map<std::uint64_t, TaskClass*>> blocked_by_pool_;
  absl::flat_hash_map<const FollowedJob*, std::map<std::uint64_t, TaskClass*>> blocked_by_job_;
  std::size_t blocked_ = 0;
  bool allows_preemption_ = false;
  std::set<std::pair<Instant, std::uint64_t>> hungry_order_;  ///< (looks_at, number)
  std::map<std::uint64_t, TaskClass*> hungry_;                ///< by number
};

}  // namespace troupe::scheduler
