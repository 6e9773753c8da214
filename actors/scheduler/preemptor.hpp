#pragma once
// Who is to give way to a task that fits nowhere.

#include <absl/container/flat_hash_map.h>

#include <map>
#include <optional>
#include <vector>

#include "actors/scheduler/waiting_queue.hpp"
#include "storage/model/preemption.hpp"

namespace troupe::scheduler {

/// Owner: the engine. Pure, deterministic. Of the hosts that could take the task if others ended there it
/// looks at some, from where its class looked last, and takes the one with the least damage: victims of the
/// lowest priority, then the fewest, then the youngest, then the smallest. Who may be a victim is the rule of
/// storage/model/preemption.hpp, and never one that its job's disruption budget protects.
///
/// It remembers whom it has chosen until that is told by the state, so that a second choice counts the first.
class Preemptor {
 public:
  static constexpr std::size_t candidates_max = 4;      ///< hosts that would do, of which the best is taken
  static constexpr std::size_t leaving_hosts_max = 64;  ///< with somebody who is being ended, asked first
  static constexpr milliseconds pause_first{1'000};     ///< after a walk over all hosts in vain
  static constexpr milliseconds pause_max{60'000};

  Preemptor(Inventory& inventory, WaitingQueue& queue, const Lookups& lookups)
      : inventory_(inventory), queue_(queue), lookups_(lookups) {}

  enum class Search : std::uint8_t { found, in_vain, cut_short };
  struct Choice {
    Search how = Search::in_vain;
    const Host* host = nullptr;
    std::vector<RunningTask> victims;  ///< may be empty: enough is being ended there already
  };
  /// `hosts_left` shrinks by each host whose tasks were looked at; cut short: it came to nothing first.
  Choice find(TaskClass& kind, Instant now, std::size_t& hosts_left);
  /// Where nobody has to end besides those that are being ended; the demand is prepared. Null: nowhere, of
  /// the first `leaving_hosts_max`.
  const Host* where_others_leave(const TaskClass& kind, std::size_t& hosts_left);
  bool anybody_leaves() const { return !leaving_on_.empty(); }
  /// Is there any right by which its tasks could take another's place?
  bool has_right(const TaskClass& kind) const;

  /// The victims of one choice, from now until each is told to be on its way out, or none was ended.
  void remember(const std::vector<RunningTask>& victims);
  void told(const TaskId& victim);
  /// It is being ended there, whoever asked for it, until it has ended.
  void leaves(const TaskId& task, HostId host, const Resources& resources);
  void ended(const TaskId& task);
  void begin_pass() { disruptions_left_.clear(); }

 private:
  struct Damage {
    std::uint32_t priority = 0;
    std::size_t count = 0;
    std::int64_t age_ms = 0;
    std::int64_t size = 0;
    friend auto operator<=>(const Damage&, const Damage&) = default;
  };
  /// What has been chosen on top of what is remembered, while one host is looked at.
  struct Tally {
    std::map<std::string_view, Resources> groups;
    std::map<JobId, std::uint32_t> jobs;
  };
  struct Remembered {
    std::string group;
    JobId job;
    Resources resources;
  };

  struct Leaving {
    HostId host;
    Resources resources;
  };
  struct LeavingThere {
    std::size_t tasks = 0;
    Resources resources;
  };

  bool look_at(const Host& host, const TaskClass& kind, Instant now, Choice& best, Damage& least);
  bool choose(const Host& host, const TaskClass& kind, std::vector<RunningTask>& victims);
  bool choose_one(const Resources& room, const TaskClass& kind, std::vector<RunningTask>& victims) const;
  bool choose_several(Resources room, const TaskClass& kind, std::vector<RunningTask>& victims);
  bool is_admissible(const RunningTask& victim, const TaskClass& kind, const Tally& tally) const;
  static bool is_at_ceiling(const TaskClass& kind);
  bool fits(const TaskClass& kind, const Resources& room, const Resources& freed) const;
  std::uint32_t disruptions_left(const JobId& job) const;
  static Damage damage_of(const Host& host, const std::vector<RunningTask>& victims, Instant now);

  Inventory& inventory_;
  WaitingQueue& queue_;
  const Lookups& lookups_;
  // Looked up and never walked, but for those by host.
  absl::flat_hash_map<TaskId, Remembered> remembered_;
  std::map<std::string, Resources, std::less<>> leaving_of_group_;
  absl::flat_hash_map<JobId, std::uint32_t> leaving_of_job_;
  absl::flat_hash_map<TaskId, Leaving> leaving_;  ///< as the state tells, since this engine began
  std::map<HostId, LeavingThere> leaving_on_;     ///< of these
  mutable absl::flat_hash_map<JobId, std::uint32_t> disruptions_left_;  ///< asked once a pass
  std::vector<RunningTask> running_;                                    ///< of the host that is looked at
};

}  // namespace troupe::scheduler
