#include "tests/storage/state/history.hpp"

#include "storage/model/command_table.hpp"

namespace troupe {
namespace {

template <class T>
T one_of(Random& random, const std::vector<T>& all) {
  return all.empty() ? T{} : all[random.below(all.size())];
}

constexpr std::uint64_t known_max = 400;  // Ids that may still turn up, dead ones included.

template <class T>
void remember(std::vector<T>& known, const T& id) {
  if (known.size() >= known_max) known.erase(known.begin());
  known.push_back(id);
}

}  // namespace

raft::Entry History::next(const StateMachine& machine) {
  now_ = now_ + milliseconds(random_.between(-1'000, 4'000));
  if (random_.chance(1)) now_ = now_ + milliseconds(random_.between(0, 40'000'000));
  if (random_.chance(1)) term_ = term_.next();
  raft::Entry entry{term_, machine.applied().next(), raft::EntryKind::command, now_, {}};
  if (random_.chance(2)) {
    entry.kind = raft::EntryKind::noop;
    return entry;
  }
  Bytes bytes =
      !past_.empty() && random_.chance(8) ? one_of(random_, past_) : encode(command(machine.reads()));
  remember(past_, bytes);
  entry.data = Blob(std::move(bytes));
  return entry;
}

Command History::command(const Reads& reads) {
  if (reads.shard_count() == 0) {
    CellPolicy policy;
    policy.jobs_max = 25;
    policy.tasks_max = 70;
    policy.requests_max = 40;
    policy.request_memory = milliseconds(200'000);
    Command bootstrap;
    bootstrap.fence = TermFence{term_};
    bootstrap.body = BootstrapCell{"history", shards_, policy};
    return bootstrap;
  }
  Command made = fresh(reads);
  if (random_.chance(8)) spoil(made);
  return made;
}

Command History::fresh(const Reads& reads) {
  pick_shard(reads);
  Command made;
  const std::uint64_t dice = random_.below(100);
  if (dice < 14)
    made.body = user_body(reads);
  else if (dice < 34)
    made.body = advance(reads);
  else if (dice < 42)
    made.body = finish(reads);
  else if (dice < 55)
    made.body = place(reads);
  else if (dice < 76)
    made.body = report(reads);
  else if (dice < 83)
    made.body = kill(reads);
  else if (dice < 86)
    made.body = end(reads);
  else if (dice < 94)
    made.body = host_body(reads);
  else
    made.body = operator_body(reads);
  made.fence = fence_for(reads, made.body);
  made.proposal = {NodeId{static_cast<std::uint32_t>(1 + random_.below(3))}, 7, ++requests_};
  made.caller = random_.chance(50) ? "ann" : "bob";
  if (std::holds_alternative<NoFence>(made.fence) && random_.chance(40))
    made.request = "r" + std::to_string(random_.chance(80) ? requests_ : requests_ - random_.below(50));
  return made;
}

Fence History::fence_for(const Reads& reads, const CommandBody& body) {
  const auto kind = command_row(static_cast<std::uint16_t>(body.index() + 1)).fence;
  if (kind == FenceKind::term) return TermFence{term_};
  if (kind == FenceKind::epoch || (kind == FenceKind::optional_epoch && random_.chance(80)))
    return EpochFence{shard_, reads.shard(shard_).epoch};
  return NoFence{};
}

void History::spoil(Command& made) {
  switch (random_.below(5)) {
    case 0:
      made.fence = NoFence{};
      return;
    case 1:
      made.fence = TermFence{Term{random_.below(20)}};
      return;
    case 2:
      made.fence =
          EpochFence{ShardId{static_cast<std::uint16_t>(random_.below(10))}, Epoch{random_.below(6)}};
      return;
    case 3:
      made.level = 9;
      return;
    default:
      made.body = AdvanceSlots{};
  }
}

void History::pick_shard(const Reads& reads) {
  shard_ = random_.chance(80) ? shard_of(any_job(reads), shards_)
                              : ShardId{static_cast<std::uint16_t>(random_.below(shards_))};
}

std::vector<JobId> History::jobs_in_shard(const Reads& reads) const {
  std::vector<JobId> ids;
  reads.each_job({}, [&](const JobView& view) {
    if (shard_of(view.record.id, shards_) == shard_) ids.push_back(view.record.id);
    return true;
  });
  return ids;
}

JobId History::any_job(const Reads& reads) {
  std::vector<JobId> live;
  reads.each_job({}, [&](const JobView& view) {
    live.push_back(view.record.id);
    return true;
  });
  if (!live.empty() && random_.chance(90)) return one_of(random_, live);
  return jobs_.empty() || random_.chance(10) ? random_.uuid<JobId>() : one_of(random_, jobs_);
}

TaskId History::any_task(const Reads& reads) {
  std::vector<TaskId> live;
  reads.each_task({}, [&](const TaskRecord& task, const JobRecord&) {
    live.push_back(task.id);
    return true;
  });
  if (!live.empty() && random_.chance(90)) return one_of(random_, live);
  return tasks_.empty() || random_.chance(10) ? random_.uuid<TaskId>() : one_of(random_, tasks_);
}

HostId History::any_host(const Reads& reads) {
  return HostId{static_cast<std::uint32_t>(random_.below(reads.hosts().size() + 2))};
}

std::string History::any_group() {
  return random_.chance(40) ? "DEFAULT" : "g" + std::to_string(random_.below(5));
}

CommandBody History::note_groups(const Reads& reads) {
  NoteGroups body;
  for (std::uint64_t n = random_.below(3); n-- > 0;) {
    NoteGroups::Item item{any_group(), {}, {}, random_.below(9)};
    shard_ = shard_of(EntityRef::of_group(item.name), shards_);
    if (const auto view = reads.group(item.name)) {
      item.expected = view->condition.version;
      item.waiting_since = view->waiting_since;
    }
    if (random_.chance(10)) item.expected = Index{random_.below(50)};
    body.items.push_back(std::move(item));
  }
  return body;
}

CommandBody History::note_jobs(const Reads& reads) {
  NoteJobs body;
  for (const JobId& id : jobs_in_shard(reads)) {
    bool throttled = false;
    reads.with_job(id, [&](const JobView& view) { throttled = view.record.throttled.is_set(); });
    if (random_.chance(50)) body.items.push_back({id, random_.chance(90) != throttled, "it fails"});
  }
  return body;
}

CommandBody History::put_group(const Reads& reads) {
  GroupRecord group{"g" + std::to_string(random_.below(4)), Tier::flex, {}, 1, 5 * random_.below(3), {}};
  if (has_budgets(reads.cell().record) && random_.chance(30)) group.launches_max = random_.below(4);
  return PutGroup{group};
}

void History::draw_limits(CellPolicy& policy) {
  policy.relaunch_burst = random_.below(3);
  policy.relaunches_per_minute = random_.below(100);
  policy.launch_burst = 1 + random_.below(5);
  policy.launches_per_minute = random_.chance(50) ? 0 : 1 + random_.below(100'000);
  policy.host_launches_max = random_.chance(50) ? 0 : 1 + random_.below(5);
  policy.host_rest_first = milliseconds(random_.between(0, 10'000));
}

CommandBody History::pause(const Reads& reads) {
  const auto kind = static_cast<SchedulingScope::Kind>(random_.chance(10) ? 0 : 1 + random_.below(2));
  return PauseScheduling{{kind, any_group(), any_host(reads)}, random_.chance(40)};
}

EntityRef History::any_entity(const Reads& reads) {
  switch (random_.below(4)) {
    case 0:
      return EntityRef::of(any_job(reads));
    case 1:
      return EntityRef::of(any_task(reads));
    case 2:
      return EntityRef::of(any_host(reads));
    default:
      return EntityRef::of_group(any_group());
  }
}

DescriptorPtr History::descriptor() {
  JobDescriptor d;
  d.team_email = "t@example.com";
  d.application_name = "app";
  d.capacity_group = random_.chance(70) ? "DEFAULT" : "g" + std::to_string(random_.below(4));
  d.resources = {random_.between(100, 1'500), random_.between(10, 900), random_.between(0, 500), 1, 0};
  d.image = {"busybox", "latest", ""};
  d.env = {{"N", std::to_string(random_.next())}};
  if (random_.chance(30)) d.attributes["troupe.priority"] = std::to_string(random_.below(4));
  if (random_.chance(20)) {
    d.budget.policy = DisruptionBudget::Policy::availability_percentage;
    d.budget.policy_milli_percent = static_cast<std::uint32_t>(random_.below(100'001));
    if (random_.chance(50)) d.budget.rate = DisruptionBudget::Rate::per_interval;
    d.budget.interval = milliseconds(60'000);
    d.budget.rate_limit = 2;
  }
  if (random_.chance(30)) d.group_sequence = std::to_string(random_.below(5));
  const auto size = static_cast<std::uint32_t>(random_.below(5));
  if (random_.chance(60))
    d.kind = BatchSpec{size, milliseconds(random_.between(1, 400'000)), false, {}};
  else
    d.kind = ServiceSpec{{0, size, 6}, true, {}};
  return std::make_shared<const JobDescriptor>(std::move(d));
}

CommandBody History::user_body(const Reads& reads) {
  switch (random_.below(11)) {
    case 10:
      return RetryJob{any_job(reads), random_.chance(80) ? TaskId{} : any_task(reads)};
    case 7: {
      ChangeJob change{any_job(reads), {{{"a" + std::to_string(random_.below(3)), "x"}}, {"a1"}}, {}, {}, {}};
      if (random_.chance(30)) change.enabled = random_.chance(50);
      if (random_.chance(30)) change.processes = ServiceProcesses{random_.chance(20), random_.chance(20)};
      return change;
    }
    case 8:
      return ChangeTask{any_task(reads), {{{"a" + std::to_string(random_.below(3)), "x"}}, {"a1"}}};
    case 9:
      return ShrinkJob{any_task(reads), random_.chance(20), "by hand"};
    case 0:
    case 1:
    case 2: {
      const JobId id = random_.chance(90) ? random_.uuid<JobId>() : any_job(reads);
      remember(jobs_, id);
      CreateJob create{id, random_.chance(98) ? descriptor() : nullptr};
      if (random_.chance(20)) create.places = places(reads, id, static_cast<std::uint32_t>(random_.below(3)));
      return create;
    }
    case 3:
      return KillJob{any_job(reads)};
    case 4: {
      ResizeJob resize{any_job(reads), {}, {}, {}};
      if (random_.chance(30)) resize.min = static_cast<std::uint32_t>(random_.below(4));
      if (random_.chance(80)) resize.desired = static_cast<std::uint32_t>(random_.below(8));
      if (random_.chance(30)) resize.max = static_cast<std::uint32_t>(random_.below(9));
      return resize;
    }
    case 5:
      return ResizeJob{any_job(reads), 0, static_cast<std::uint32_t>(random_.below(7)), 6};
    default:
      return KillTasks{{{any_task(reads), Reason::killed, "by hand"}}};
  }
}

CommandBody History::advance(const Reads& reads) {
  AdvanceSlots body;
  for (const JobId& id : jobs_in_shard(reads)) {
    reads.with_job(id, [&](const JobView& view) {
      for (const SlotEntry& slot : view.slots) {
        if (!random_.chance(60)) continue;
        AdvanceSlots::Item item{id, slot.record.number, slot.record.task, SlotState::running, {}, {}, {}};
        if (slot.record.state == SlotState::ended && random_.chance(60)) {
          item.to = static_cast<SlotState>(random_.between(3, 5));
          item.retry_at = now_ + milliseconds(random_.between(0, 5'000));
          item.delay = milliseconds(random_.between(0, 500));
        } else {
          item.task = random_.chance(97) || tasks_.empty() ? random_.task_of(id) : one_of(random_, tasks_);
          remember(tasks_, item.task);
        }
        if (random_.chance(4)) item.slot = SlotNumber{static_cast<std::uint32_t>(random_.below(9))};
        if (random_.chance(4)) item.last = any_task(reads);
        if (random_.chance(3)) item.to = static_cast<SlotState>(random_.below(6));
        body.items.push_back(item);
        if (random_.chance(3)) body.items.push_back(item);
      }
    });
  }
  return body;
}

CommandBody History::finish(const Reads& reads) {
  FinishJobs body;
  for (const JobId& id : jobs_in_shard(reads)) body.items.push_back({id, Reason::normal, "over"});
  if (!jobs_.empty() && random_.chance(10))
    body.items.push_back({one_of(random_, jobs_), Reason::failed, ""});
  return body;
}

CommandBody History::preempt(const Reads& reads) {
  PreemptTasks body;
  for (const WaitingTask& task : reads.waiting(5)) {
    const HostId host = any_host(reads);
    const auto view = reads.host(host);
    PreemptTasks::Item item{task.place.task, task.version, host, {}};
    for (std::size_t n = 0; view && n < view->tasks.size(); ++n)
      if (random_.chance(40))
        if (const auto victim = reads.task(view->tasks[n]))
          item.victims.push_back({victim->record.id, victim->record.version});
    if (random_.chance(5) && !item.victims.empty()) item.victims.push_back(item.victims.front());
    body.items.push_back(item);
  }
  return body;
}

/// Of a job that is made: some of its slots, on any hosts.
std::vector<PlannedPlace> History::places(const Reads& reads, const JobId& job, std::uint32_t count) {
  std::vector<PlannedPlace> places;
  const auto hosts = reads.hosts();
  for (std::uint32_t n = 0; n < count && !hosts.empty(); ++n) {
    const HostFacts& host = hosts[random_.below(hosts.size())];
    places.push_back({SlotNumber{n}, {}, random_.task_of(job), host.record.id, host.record.eligibility, {}});
  }
  return places;
}

CommandBody History::place(const Reads& reads) {
  if (random_.chance(25)) return preempt(reads);
  PlaceTasks body;
  const auto hosts = reads.hosts();
  for (const WaitingTask& task : reads.waiting(20)) {
    if (hosts.empty() || !random_.chance(80)) continue;
    const HostFacts& host = hosts[random_.below(hosts.size())];
    PlaceTasks::Item item{task.place.task, task.version, host.record.id, host.record.eligibility};
    if (random_.chance(5)) item.task_version = Index{item.task_version.value - 1};
    if (random_.chance(5)) item.eligibility = item.eligibility.next();
    if (random_.chance(3)) item.host = HostId{99};
    if (random_.chance(5)) item.task = any_task(reads);
    body.items.push_back(item);
    if (random_.chance(5)) body.items.push_back(item);
  }
  return body;
}

CommandBody History::report(const Reads& reads) {
  ReportTasks body;
  for (const HostFacts& facts : reads.hosts()) {
    if (!random_.chance(60)) continue;
    ReportTasks::Part part{facts.record.id, facts.record.session, {}};
    if (random_.chance(4)) part.session = random_.uuid<SessionId>();
    const std::vector<TaskId> placed = reads.host(facts.record.id)->tasks;
    for (const TaskId& task : placed) {
      if (!random_.chance(50)) continue;
      part.tasks.push_back(
          {task, static_cast<TaskState>(random_.between(1, 5)), static_cast<Reason>(random_.below(18)),
           static_cast<std::int32_t>(random_.between(-1, 3)), 0, random_.chance(50) ? "said" : ""});
    }
    if (random_.chance(20))
      part.tasks.push_back({any_task(reads), TaskState::finished, Reason::failed, 1, 0, ""});
    body.parts.push_back(std::move(part));
  }
  return body;
}

CommandBody History::kill(const Reads& reads) {
  KillTasks body;
  for (std::uint64_t n = random_.below(4); n-- > 0;)
    body.items.push_back(
        {any_task(reads), random_.chance(50) ? Reason::scaled_down : Reason::evicted, "moved"});
  return body;
}

CommandBody History::end(const Reads& reads) {
  EndTasks body;
  for (std::uint64_t n = random_.below(3); n-- > 0;) {
    const TaskId id = any_task(reads);
    const auto facts = reads.task(id);
    const HostId on = facts && random_.chance(90) ? facts->record.host : any_host(reads);
    body.items.push_back({id, on, random_.chance(50) ? Reason::lost : Reason::stuck_in_killing_state, ""});
  }
  return body;
}

CommandBody History::host_body(const Reads& reads) {
  const HostId id = any_host(reads);
  const auto facts = reads.host_facts(id);
  switch (random_.below(6)) {
    case 0:
      return RegisterHost{"h" + std::to_string(random_.below(8)),
                          "big",
                          {random_.between(500, 6'000), random_.between(500, 6'000), 50'000, 1'000, 0},
                          {},
                          {"sim"}};
    case 1: {
      CloseSessions body;
      if (facts && random_.chance(50)) body.items.push_back({id, facts->record.session});
      return body;
    }
    default:
      shard_ = shard_of(id, shards_);
      return OpenSession{id, random_.chance(95) ? random_.uuid<SessionId>() : SessionId{},
                         NodeId{static_cast<std::uint32_t>(random_.between(1, 3))}};
  }
}

CommandBody History::operator_body(const Reads& reads) {
  switch (random_.below(12)) {
    case 11:
      return DeleteGroup{"g" + std::to_string(random_.below(5))};
    case 0:
      return SetHostPhase{any_host(reads), static_cast<HostPhase>(random_.chance(70) ? 0 : random_.below(3))};
    case 1:
      return put_group(reads);
    case 2:
      return SetAside{any_entity(reads), random_.chance(50) ? "crashed" : ""};
    case 3:
      return Release{any_entity(reads)};
    case 4: {
      CellPolicy policy = reads.cell().record.policy;
      policy.launched_max = milliseconds(random_.between(1, 100'000));
      if (random_.chance(10)) policy.kill_initiated_max = milliseconds(INT64_MAX);
      if (has_budgets(reads.cell().record)) draw_limits(policy);
      return SetPolicy{policy};
    }
    case 5:
      return RaiseLevel{static_cast<std::uint32_t>(random_.below(feature_level_known + 1))};
    case 6:
      return random_.chance(20) ? CommandBody(BootstrapCell{"again", 8, {}}) : pause(reads);
    case 7:
      return note_groups(reads);
    case 8:
      return random_.chance(50) ? note_groups(reads) : note_jobs(reads);
    default: {
      AssignShards body;
      for (std::uint64_t n = random_.below(4); n-- > 0;) {
        const ShardId shard{static_cast<std::uint16_t>(random_.below(shards_))};
        body.moves.push_back({shard, random_.chance(80) ? reads.shard(shard).epoch : Epoch{random_.below(5)},
                              NodeId{static_cast<std::uint32_t>(random_.between(1, 3))}});
      }
      return body;
    }
  }
}

}  // namespace troupe
