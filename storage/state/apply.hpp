#pragma once
// Apply: the deterministic meaning of each command. It checks and records; it does not decide. No clock, no
// randomness, no hash order, no floating point: every replica, of every release, must come to the same bytes.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "storage/model/command_table.hpp"
#include "storage/model/preemption.hpp"
#include "storage/state/stage.hpp"

namespace troupe {

/// Texts from outside are cut to this, at the beginning of a character: a record's size must have a bound.
inline constexpr std::size_t message_bytes_max = 1'024;
std::string clipped(std::string text);

/// Beyond this no sum over a cell's tasks could overflow; nobody has so much of anything.
inline constexpr std::int64_t resource_max = 1'000'000'000'000;
inline constexpr std::uint32_t group_instances_max = 1'000'000;

/// Of one entity: how many attributes, and names and values together.
struct AttributeBounds {
  std::size_t count_max;
  std::size_t bytes_max;
};
inline constexpr AttributeBounds job_attribute_bounds{200, 64 * 1024};
inline constexpr AttributeBounds task_attribute_bounds{32, 8 * 1024};
bool is_possible(const Resources& resources);

/// May the service's desired size become this one? Only that is held back: min and max may move around it.
std::optional<Error> check_processes(const JobRecord& job, std::uint32_t desired);

/// More in a row make a host rest no longer.
inline constexpr std::uint32_t launch_failures_max = 32;

/// Applies one command's body to a stage. Lives for one command, on the apply thread. Throws Poison.
class CommandApply {
 public:
  CommandApply(Stage& stage, const Command& command, Term term, Outcome& outcome)
      : stage_(stage), command_(command), term_(term), outcome_(outcome) {}

  /// The fence, then the body. An error refuses the whole command and the stage must be dropped.
  Result<void> run();

  Result<void> operator()(const BootstrapCell& body);
  Result<void> operator()(const RaiseLevel& body);
  Result<void> operator()(const AssignShards& body);
  Result<void> operator()(const CreateJob& body);
  Result<void> operator()(const KillJob& body);
  Result<void> operator()(const ResizeJob& body);
  Result<void> operator()(const AdvanceSlots& body);
  Result<void> operator()(const FinishJobs& body);
  Result<void> operator()(const PlaceTasks& body);
  Result<void> operator()(const ReportTasks& body);
  Result<void> operator()(const KillTasks& body);
  Result<void> operator()(const EndTasks& body);
  Result<void> operator()(const RegisterHost& body);
  Result<void> operator()(const OpenSession& body);
  Result<void> operator()(const CloseSessions& body);
  Result<void> operator()(const SetHostPhase& body);
  Result<void> operator()(const PutGroup& body);
  Result<void> operator()(const SetAside& body);
  Result<void> operator()(const Release& body);
  Result<void> operator()(const SetPolicy& body);
  Result<void> operator()(const NoteGroups& body);
  Result<void> operator()(const ChangeJob& body);
  Result<void> operator()(const ChangeTask& body);
  Result<void> operator()(const ShrinkJob& body);
  Result<void> operator()(const PreemptTasks& body);
  Result<void> operator()(const DeleteGroup& body);
  Result<void> operator()(const NoteJobs& body);
  Result<void> operator()(const MoveTask& body);
  Result<void> operator()(const PauseScheduling& body);
  Result<void> operator()(const RetryJob& body);
  Result<void> operator()(const CheckState&) { return {}; }  ///< The state machine compares; nothing changes.
  Result<void> operator()(const NoteOperation&) { return {}; }  ///< Nothing but its entry in the audit.

 private:
  using Check = std::optional<Error>;  ///< nullopt: taken
  Result<void> check_fence() const;
  /// Runs `apply_one` over a batch's items and notes each refusal by its position.
  template <class Items, class ApplyOne>
  Result<void> each_item(const Items& items, ApplyOne apply_one) {
    for (std::size_t n = 0; n < items.size(); ++n)
      if (Check refusal = apply_one(items[n]))
        outcome_.refused.push_back(
            {static_cast<std::uint32_t>(n), refusal->code, std::move(refusal->message)});
    return {};
  }
  Check in_fenced_shard(const JobId& job) const;
  /// What a job, or an existing one that grows, adds to what is counted.
  struct More {
    std::uint64_t jobs = 0;
    std::uint64_t tasks = 0;
  };
  /// Of the cell, of its capacity group, of its submitter.
  Check check_caps(const JobDescriptor& descriptor, std::string_view caller, More more) const;
  Check check_cell_caps(More more) const;
  Check check_group_caps(const std::string& group, More more) const;
  Check check_caller_caps(std::string_view caller, More more) const;
  /// The task's place becomes the last one of its job, so that the job can do without it.
  void move_to_last_slot(const TaskId& id, SlotNumber last);
  Check check_move(const MoveTask& body, const JobRecord& source, const JobRecord& target) const;
  Check note(const NoteGroups::Item& item);
  Check note(const NoteJobs::Item& item);
  /// Is scheduling there paused?
  Check check_pauses(HostId host, const std::string& group) const;
  /// May the slot's next task be made now, as far as the job's budget goes?
  Check check_relaunch(const JobRecord& job, const SlotRecord& slot) const;
  void take_relaunch(const JobId& job);
  /// A limit that a placement is held to, with this command's own placements.
  struct LaunchScope {
    std::string key;
    LaunchStanding standing;
  };
  using LaunchScopes = std::vector<LaunchScope>;
  LaunchScopes launch_scopes(HostId host, const std::string& group) const;
  Check check_launches(const LaunchScopes& scopes) const;
  /// Of tasks that start together and are more than a limit ever allows at once: where all of that is left,
  /// they pass, and the limit is in debt.
  static bool lets_through(const LaunchStanding& standing, std::size_t count, Instant now);
  std::set<std::string> launches_let_through(const PlaceTasks::Item* first, std::size_t count) const;
  void take_launches(const LaunchScopes& scopes);
  void give_launches_back(const LaunchScopes& scopes);
  /// A placed task ends for that reason: it may be a launch that failed by its host's fault.
  void note_launch_end(const TaskRecord& task, Reason why);
  void note_launch_success(HostId host);
  Check advance(const AdvanceSlots::Item& item);
  Check start_task(const AdvanceSlots::Item& item, const SlotRecord& before);
  Check finish(const FinishJobs::Item& item);
  Check place(const PlaceTasks::Item& item);
  /// It takes tasks.
  Check check_host(HostId id) const;
  Check check_place(const PlaceTasks::Item& item) const;
  /// All of it but limits: of launches, and of what its group may use.
  Check check_spot(const PlaceTasks::Item& item) const;
  /// A Critical group's reservation is its ceiling, in what it reserves something of.
  Check check_ceiling(const JobDescriptor& descriptor) const;
  enum class Booking : std::uint8_t { take, give_back };
  void book(const PlaceTasks::Item& item, Booking what);
  void launch(const PlaceTasks::Item& item);
  void give_ports(TaskRecord& task, std::int64_t count);
  void count_ports(const StringMap& attributes, Resources& resources) const;
  void count_ports_of_hosts();
  Check place_together(const PlaceTasks::Item* first, std::size_t count);
  Check book_together(const PlaceTasks::Item* first, std::size_t count);

  // ---- plans and preemption ----
  struct Evictor {
    const JobDescriptor& descriptor;
    JobId job;
    TaskId task;
  };
  /// As of before the command, and what the command has done so far.
  GroupStanding standing_of(const std::string& group) const;
  JobHealth health_now(const JobRecord& job) const;
  PreemptionRight right_over(const Evictor& by, const JobRecord& victim) const;
  Check check_victim(const Evictor& by, HostId host, const Victim& victim) const;
  /// One victim, counted so that those behind it see it as gone, and not yet ended.
  struct Eviction {
    TaskId victim;
    JobId job;
    std::optional<Disruptions> before;
    PreemptionRight right = PreemptionRight::none;
  };
  using Evictions = std::vector<Eviction>;
  /// Refused: nothing is counted.
  Check count_evictions(const Evictor& by, HostId host, const std::vector<Victim>& victims,
                        Evictions& counted);
  void uncount_evictions(const Evictions& counted);
  void end_victims(const Evictor& by, const Evictions& counted);
  Check evict(const Evictor& by, HostId host, const std::vector<Victim>& victims);
  Disruptions disrupted_of(const JobRecord& job) const;
  void count_eviction(const JobRecord& job);
  void uncount_eviction(const JobRecord& job, const std::optional<Disruptions>& before);
  Check check_evictor(const PreemptTasks::Item& item) const;
  Check preempt(const PreemptTasks::Item& item);
  Check preempt_together(const PreemptTasks::Item* first, std::size_t count);
  static bool wants_alone(const JobDescriptor& descriptor);
  Check check_company(HostId host, const JobDescriptor& descriptor) const;
  enum class Starts : std::uint8_t { now, with_its_gang };
  Starts start_of(const JobId& job, const std::vector<PlannedPlace>& places) const;
  Check take_place(const JobId& job, const PlannedPlace& place, Starts when);
  /// Room that others of the command see as taken, and nobody else.
  Check keep_place(const PlaceTasks::Item& item);
  /// The whole command is to be refused where one does not hold.
  Result<void> take_places(const JobId& job, const std::vector<PlannedPlace>& places);
  Check report(const ReportTasks::Part& part);
  void take_status(const ReportTasks::Status& status, HostId host);
  Check kill(const KillTasks::Item& item);
  Check end(const EndTasks::Item& item);

  struct End {
    Reason reason = Reason::none;
    std::int32_t exit_code = 0;
    std::int32_t signal = 0;
    std::string message;
  };
  /// A task that is not its slot's running one sets its job aside (throws Poison). Once only: later it is
  /// refused, or each batch that names it would be dropped with all its other items.
  Check check_slot(const TaskRecord& task) const;
  /// Moves a task to Finished and its slot to ended. check_slot() passed.
  void end_task(const TaskId& id, const End& how);
  void enter(TaskRecord& task, TaskState state, Reason reason);
  /// Why the entity is set aside, empty if it is not; nullopt: no such living entity.
  std::optional<std::string> set_aside_mark(const EntityRef& entity) const;
  void put_set_aside_mark(const EntityRef& entity, std::string why);

  Stage& stage_;
  const Command& command_;
  Term term_;
  Outcome& outcome_;
  std::set<std::string> let_through_;        ///< scopes whose limits of launches the run at hand passes
  std::map<std::string, Resources> placed_;  ///< by group: by this command
  std::map<std::string, Resources> freed_;   ///< likewise: of whom it evicted, who have not ended yet
  struct Company {
    std::size_t tasks = 0;
    std::size_t alone = 0;  ///< of those, that want their host alone
  };
  std::map<HostId, std::set<std::uint16_t>> given_ports_;  ///< by this command
  std::map<HostId, Company> company_;                      ///< whom this command placed where
  struct Evicted {
    std::uint32_t tasks = 0;
    std::optional<Disruptions> disrupted;  ///< nullopt: as the job's record has it
  };
  std::map<JobId, Evicted> evicted_;    ///< by this command
  std::vector<PlaceTasks::Item> kept_;  ///< places of a gang that starts later
};

}  // namespace troupe
