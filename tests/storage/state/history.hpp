#pragma once
// Random histories: commands that are valid, stale, repeated or hostile, from one seed.

#include "storage/base/random.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe {

/// Mints the next entry by looking at a machine that has applied all the earlier ones.
class History {
 public:
  History(std::uint64_t seed, std::uint16_t shards) : random_(seed), shards_(shards) {}
  raft::Entry next(const StateMachine& machine);
  Random& random() { return random_; }

 private:
  Command command(const Reads& reads);
  Command fresh(const Reads& reads);
  CommandBody user_body(const Reads& reads);
  CommandBody host_body(const Reads& reads);
  CommandBody operator_body(const Reads& reads);
  CommandBody advance(const Reads& reads);
  CommandBody finish(const Reads& reads);
  CommandBody place(const Reads& reads);
  CommandBody preempt(const Reads& reads);
  std::vector<PlannedPlace> places(const Reads& reads, const JobId& job, std::uint32_t count);
  CommandBody report(const Reads& reads);
  CommandBody kill(const Reads& reads);
  CommandBody end(const Reads& reads);
  DescriptorPtr descriptor();
  Fence fence_for(const Reads& reads, const CommandBody& body);
  void spoil(Command& command);
  void pick_shard(const Reads& reads);
  JobId any_job(const Reads& reads);
  TaskId any_task(const Reads& reads);
  HostId any_host(const Reads& reads);
  EntityRef any_entity(const Reads& reads);
  std::string any_group();
  CommandBody note_groups(const Reads& reads);
  CommandBody note_jobs(const Reads& reads);
  CommandBody pause(const Reads& reads);
  CommandBody put_group(const Reads& reads);
  void draw_limits(CellPolicy& policy);
  std::vector<JobId> jobs_in_shard(const Reads& reads) const;

  Random random_;
  std::uint16_t shards_;
  ShardId shard_;  ///< that this command is about
  Term term_{1};
  Instant now_{1'800'000'000'000};
  std::vector<Bytes> past_;
  std::vector<JobId> jobs_;  ///< ever
  std::vector<TaskId> tasks_;
  std::uint64_t requests_ = 0;
};

}  // namespace troupe
