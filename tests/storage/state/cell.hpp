#pragma once
// The test's language: a bootstrapped cell on a store in memory, and one verb per thing that happens to it.
// Each verb proposes one command and returns what came of it.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/kv/memory_store.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe {

inline constexpr NodeId first_node{1};
inline constexpr std::uint16_t test_shards = 4;

/// What one command did.
struct Done {
  Outcome outcome;
  std::vector<Event> events;
  bool taken() const { return !outcome.error && outcome.refused.empty(); }
  /// Of the whole command, or of its first refused item; nullopt: taken.
  std::optional<ErrorCode> refusal() const;
  bool changed_nothing() const { return events.empty(); }
};

/// All tables of a store, but for where apply stands and what time it is: what must be alike on all nodes.
using Dump = std::map<std::pair<Table, Bytes>, Bytes>;
Dump dump(const KvStore& store);
std::vector<std::uint64_t> shard_hashes(const Reads& reads);
/// After a change behind the machine's back: the stored hash is that of the records again.
void reseal(KvStore& store);

/// A job of `size` batch slots or a service, small enough for any test host.
DescriptorPtr batch_of(std::uint32_t size);
DescriptorPtr service_of(std::uint32_t min, std::uint32_t desired, std::uint32_t max);
DescriptorPtr with_priority(DescriptorPtr descriptor, std::uint32_t priority);
DescriptorPtr in_group(DescriptorPtr descriptor, std::string group);
DescriptorPtr with_sequence(DescriptorPtr descriptor, std::string sequence);

class Cell {
 public:
  /// Bootstrapped, every shard owned by the first node at epoch 1.
  explicit Cell(CellPolicy policy = {});
  /// On a store that outlives it, as it is.
  explicit Cell(std::unique_ptr<KvStore> store);

  // ---- the envelope ----
  Done apply(Command command);
  Done apply(CommandBody body, Fence fence = NoFence{});
  Done request(std::string id, CommandBody body, std::string caller = "ann");
  raft::Entry entry(const Command& command);  ///< the next one; not applied
  /// Applies in one call what entry() made.
  Applied apply_entries(const std::vector<raft::Entry>& entries);
  Fence term_fence() const { return TermFence{term}; }
  Fence fence_of(ShardId shard) const;
  template <class Id>
  Fence fence_of(const Id& id) const {
    return fence_of(shard_of(id, test_shards));
  }

  // ---- verbs ----
  JobId submit(DescriptorPtr descriptor);  ///< must be taken
  Done start(const JobId& job, std::uint32_t slot, TaskId task);
  TaskId start(const JobId& job, std::uint32_t slot);  ///< must be taken
  Done step_slot(const JobId& job, std::uint32_t slot, SlotState to, Instant retry_at = {},
                 milliseconds delay = {});
  Done finish(const JobId& job, Reason reason = Reason::normal);
  HostId host(std::string name, Resources resources = {4'000, 8'000, 80'000, 1'000, 0});  ///< connected
  Done open(HostId host, SessionId session, NodeId node = first_node);
  Done close(HostId host, SessionId session);
  Done place(const TaskId& task, HostId host);
  PlaceTasks::Item placement(const TaskId& task, HostId host) const;
  Victim victim(const TaskId& id) const { return {id, task(id).version}; }
  Done report(HostId host, ReportTasks::Status status);
  Done report(HostId host, const TaskId& task, TaskState state) {
    return report(host, {task, state, Reason::none, 0, 0, ""});
  }
  Done ended(HostId host, const TaskId& task, Reason reason, std::int32_t exit_code = 0) {
    return report(host, {task, TaskState::finished, reason, exit_code, 0, ""});
  }
  Done user_kill(const TaskId& task, Reason reason = Reason::killed);
  /// A task that runs on the host, placed and Started.
  TaskId running(const JobId& job, std::uint32_t slot, HostId host);
  /// A batch job of one task from submission to its archive.
  JobId run_to_end(HostId host);

  // ---- looks ----
  const Reads& reads() const { return machine->reads(); }
  TaskRecord task(const TaskId& id) const;  ///< must live
  std::optional<TaskRecord> archived(const TaskId& id) const;
  JobRecord job(const JobId& id) const;  ///< must live
  SlotRecord slot(const JobId& job, std::uint32_t number) const;
  bool has_job(const JobId& id) const;
  JobCounts counts(const JobId& id) const;
  SessionId session(HostId host) const { return reads().host(host)->record.session; }
  std::optional<Instant> due(const EntityRef& entity) const;

  /// The node restarts on its store.
  void restart();

  std::function<void(const Applied&)> on_applied;  ///< hears of each call of apply; may be empty
  std::unique_ptr<KvStore> store;
  std::unique_ptr<StateMachine> machine;
  Random random{42};
  Term term{1};
  Instant now{1'800'000'000'000};
  Index last;
};

}  // namespace troupe
