#include "tests/storage/model/samples.hpp"

namespace troupe::samples {

JobDescriptor batch_descriptor() {
  JobDescriptor d;
  d.team_email = "team@example.com";
  d.application_name = "app";
  d.capacity_group = "DEFAULT";
  d.group_stack = "main";
  d.group_detail = "a";
  d.group_sequence = "001";
  d.attributes = {{"who", "me"}};
  d.resources = {1'500, 512, 1'024, 128, 1};
  d.image = {"busybox", "1.36", "sha256:00"};
  d.entry_point = {"/bin/sh"};
  d.command = {"-c", "true"};
  d.env = {{"A", "1"}, {"B", "2"}};
  d.hard_constraints = {{"UniqueHost", "true"}};
  d.soft_constraints = {{"ZoneBalance", "true"}};
  d.kill_grace = milliseconds(5'000);
  d.kind = BatchSpec{3,
                     milliseconds(60'000),
                     true,
                     {RetryPolicy::Kind::exponential, 4, milliseconds(100), milliseconds(900)}};
  return d;
}

JobDescriptor service_descriptor() {
  JobDescriptor d = batch_descriptor();
  d.kind = ServiceSpec{{1, 2, 5}, false, {RetryPolicy::Kind::delayed, 0, milliseconds(250), milliseconds(0)}};
  return d;
}

DisruptionBudget budget() {
  DisruptionBudget b;
  b.policy = DisruptionBudget::Policy::availability_percentage;
  b.policy_milli_percent = 95'500;
  b.rate = DisruptionBudget::Rate::per_interval;
  b.interval = milliseconds(60'000);
  b.rate_limit = 3;
  b.windows = {{{DisruptionWindow::Day::monday, DisruptionWindow::Day::friday}, {{8, 16}}, "PST"}};
  b.health = {{"alwaysHealthy", {}}};
  return b;
}

JobRecord job() {
  JobRecord r;
  r.id = id<JobId>(1);
  r.descriptor = std::make_shared<const JobDescriptor>(batch_descriptor());
  r.state = JobState::finished;
  r.reason = Reason::killed;
  r.message = "why";
  r.capacity = {1, 2, 3};
  r.caller = "caller";
  r.call_reason = "because";
  r.created = Instant{1};
  r.kill_initiated = Instant{2};
  r.finished = Instant{3};
  r.created_at = Index{4};
  r.version = Index{5};
  r.set_aside = "crashed";
  return r;
}

SlotRecord slot() {
  return {SlotNumber{7}, SlotState::waiting, id<TaskId>(2),    id<TaskId>(3), 4, 3, 2, Reason::evicted, -9,
          Instant{10},   Instant{20},        milliseconds(30), Instant{40}};
}

TaskRecord task() {
  TaskRecord r;
  r.id = id<TaskId>(2);
  r.job = id<JobId>(1);
  r.slot = SlotNumber{7};
  r.original = id<TaskId>(3);
  r.resubmit_of = id<TaskId>(4);
  r.resubmits = 5;
  r.system_resubmits = 6;
  r.eviction_resubmits = 7;
  r.state = TaskState::finished;
  r.host = HostId{8};
  r.created_at = Index{9};
  r.version = Index{10};
  for (std::size_t n = 0; n < task_state_count; ++n)
    r.enter(static_cast<TaskState>(n),
            {Instant{static_cast<std::int64_t>(100 + n)}, static_cast<Reason>(n + 1)});
  r.exit_code = -1;
  r.signal = 9;
  r.message = "ended";
  r.set_aside = "crashed";
  return r;
}

HostRecord host() {
  HostRecord r;
  r.id = HostId{8};
  r.name = "host-8";
  r.host_group = "big";
  r.resources = {8'000, 16'384, 100'000, 1'000, 2};
  r.attributes = {{"zone", "a"}};
  r.drivers = {"oci", "process"};
  r.phase = HostPhase::draining;
  r.session = id<SessionId>(5);
  r.session_node = NodeId{2};
  r.registered = Instant{1};
  r.connected = Instant{2};
  r.disconnected = Instant{3};
  r.eligibility = Index{4};
  r.version = Index{5};
  r.set_aside = "crashed";
  return r;
}

GroupRecord group() { return {"payments", Tier::critical, {1'000, 2'048, 4'096, 100, 1}, 12, 500, Index{6}}; }

GroupCondition condition() {
  return {"payments", Instant{70'000}, Instant{80'000}, Instant{60'000}, 5, Index{6}, "crashed"};
}

CellRecord cell() {
  CellPolicy policy{
      1, 2, 3, milliseconds(4), milliseconds(5), milliseconds(6), milliseconds(7), milliseconds(8)};
  return {"north", 16, 2, Instant{1'795'339'800'123}, HostId{9}, policy};
}

RequestRecord request() {
  return {0x0123456789abcdefULL, true, ErrorCode::sequence_in_use, "taken", "entity", Index{7}, Instant{8}};
}

namespace {

Command command(CommandBody body, Fence fence = NoFence{}) {
  Command c;
  c.level = 1;
  c.fence = std::move(fence);
  c.proposal = {NodeId{2}, 0x1122334455667788ULL, 3};
  c.request = "request-1";
  c.caller = "caller";
  c.reason = "because";
  c.body = std::move(body);
  return c;
}

}  // namespace

std::vector<Command> commands() {
  const Fence term = TermFence{Term{4}};
  const Fence epoch = EpochFence{ShardId{5}, Epoch{6}};
  const auto job_id = id<JobId>(1);
  const auto task_id = id<TaskId>(2);
  const auto session = id<SessionId>(5);
  const auto descriptor = std::make_shared<const JobDescriptor>(service_descriptor());
  return {
      command(BootstrapCell{"north", 16, cell().policy}, term),
      command(RaiseLevel{2}, term),
      command(AssignShards{{{ShardId{3}, Epoch{1}, NodeId{2}}}}, term),
      command(CreateJob{job_id, descriptor}),
      command(KillJob{job_id}),
      command(ResizeJob{job_id, 1, std::nullopt, 300}),
      command(AdvanceSlots{{{job_id, SlotNumber{7}, id<TaskId>(3), SlotState::waiting, task_id,
                             Instant{70'000}, milliseconds(250)}}},
              epoch),
      command(FinishJobs{{{job_id, Reason::failed, "1 of 3"}}}, epoch),
      command(PlaceTasks{{{task_id, Index{9}, HostId{8}, Index{4}}}}, term),
      command(ReportTasks{
          {{HostId{8}, session, {{task_id, TaskState::finished, Reason::failed, 1, 15, "exit"}}}}}),
      command(KillTasks{{{task_id, Reason::evicted, "moved"}}}, epoch),
      command(EndTasks{{{task_id, HostId{8}, Reason::lost, "gone"}}}, epoch),
      command(RegisterHost{"host-8", "big", {8'000, 16'384, 100'000, 1'000, 2}, {{"zone", "a"}}, {"oci"}}),
      command(OpenSession{HostId{8}, session, NodeId{2}}, epoch),
      command(CloseSessions{{{HostId{8}, session}}}, epoch),
      command(SetHostPhase{HostId{8}, HostPhase::quarantined}),
      command(PutGroup{group()}),
      command(SetAside{EntityRef::of(HostId{8}), "crashed"}, epoch),
      command(Release{EntityRef::of(task_id)}),
      command(SetPolicy{cell().policy}),
      command(NoteGroups{{{"payments", Index{9}, Instant{70'000}, 12}}}, epoch),
      command(CheckState{NodeId{2}, Index{1'024}, 2, {1, 0x0123456789abcdefULL}, 3}),
      command(
          ChangeJob{job_id, {{{"stage", "canary"}}, {"old"}}, true, ServiceProcesses{false, true}, budget()}),
      command(ChangeTask{task_id, {{{"seen", "yes"}}, {"old"}}}),
      command(ShrinkJob{task_id, true, "too many"}),
      command(PreemptTasks{{{task_id, Index{9}, HostId{8}, {{id<TaskId>(6), Index{7}}}}}}, term),
      command(DeleteGroup{"payments"}),
      command(NoteOperation{"members/remove/3"}),
      command(NoteJobs{{{job_id, true, "it fails"}}}, epoch),
      command(MoveTask{task_id, job_id, id<JobId>(7)}),
      command(PauseScheduling{{SchedulingScope::Kind::group, "payments", {}}, true}),
      command(RetryJob{job_id, task_id}),
  };
}

}  // namespace troupe::samples
