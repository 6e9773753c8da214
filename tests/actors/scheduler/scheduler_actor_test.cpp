// What the scheduler believes of hosts and tasks while the state runs ahead of what it has heard.

#include "actors/scheduler/scheduler_actor.hpp"

#include <gtest/gtest.h>

#include "actors/scheduler/engine.hpp"
#include "actors/scheduler/plan_told.hpp"
#include "tests/actors/leader_stage.hpp"

namespace troupe {
namespace {

struct SchedulerStage : LeaderStage {
  SchedulerStage() : LeaderStage(spawn_scheduler) {}
};

constexpr Resources room_for_two{2'000, 8'000, 80'000, 1'000, 0};

TEST(Scheduler, CountsAnEndOnceThatItsFirstViewContainedAlready) {
  SchedulerStage s;
  const HostId host = s.cell.host("host-1", room_for_two);
  const JobId running = s.cell.submit(batch_of(2));
  const TaskId ends = s.cell.running(running, 0, host);
  s.cell.running(running, 1, host);
  const JobId job = s.cell.submit(batch_of(3));
  s.waiting_tasks(job, 3);
  s.tell();
  // The state has it; nobody was told yet.
  s.cell.ended(host, ends, Reason::normal);
  s.lead();
  s.tell();
  EXPECT_EQ(s.proposed().size(), 1U) << "one task ended, and one has room";
}

TEST(Scheduler, PlacesWhatTheStateSaysWaitsAndHearsOfItsPlacementOnce) {
  SchedulerStage s;
  s.cell.host("host-1", room_for_two);
  const JobId job = s.cell.submit(batch_of(3));
  const auto tasks = s.waiting_tasks(job, 3);
  s.tell();
  s.lead();
  ASSERT_EQ(s.proposed().size(), 2U);
  // The outcome comes before the event that tells of it, and the next time behind it.
  EXPECT_TRUE(s.apply_proposal().refused.empty());
  s.tell();
  EXPECT_TRUE(s.proposals.empty()) << "the host is full";
  s.cell.ended(s.cell.task(tasks[0]).host, tasks[0], Reason::normal);
  s.tell();
  ASSERT_EQ(s.proposed().size(), 1U);
  EXPECT_EQ(s.proposed()[0].task, tasks[2]);
}

TEST(Scheduler, PlacesNothingBehindANodeThatDoesNotSpeak) {
  const NodeId other{2};
  SchedulerStage s;
  const HostId host = s.cell.host("host-1", room_for_two);
  ASSERT_TRUE(s.cell.open(host, s.cell.random.uuid<SessionId>(), other).taken());
  const JobId job = s.cell.submit(batch_of(2));
  s.waiting_tasks(job, 2);
  s.tell();
  s.hear({other, milliseconds(0), false});
  s.lead();
  EXPECT_TRUE(s.proposals.empty()) << "its link is down";
  s.hear({other, milliseconds(1'000), true});
  EXPECT_TRUE(s.proposals.empty()) << "its link is up, but it says nothing";
  s.hear({other, milliseconds(10), true});
  EXPECT_EQ(s.proposed().size(), 2U);
}

TEST(Scheduler, RestsAfterAPlanThatWasNotTaken) {
  SchedulerStage s;
  s.cell.host("host-1", room_for_two);
  const JobId job = s.cell.submit(batch_of(1));
  s.waiting_tasks(job, 1);
  s.tell();
  s.lead();
  ASSERT_EQ(s.proposals_made, 1U);
  for (int n = 0; n < 50; ++n) {
    if (!s.proposals.empty()) s.answer_proposal({ErrorCode::unavailable, "too many proposals wait"});
    s.advance(milliseconds(100));
  }
  EXPECT_GE(s.proposals_made, 5U) << "it is tried again and again";
  EXPECT_LE(s.proposals_made, 12U) << "but at a growing distance";
}

// Found by the simulation: wakings doubled while a leader without a majority had its plans out.
TEST(Scheduler, SleepsWhileAsManyPlansAreOutAsMayBe) {
  SchedulerStage s;
  s.cell.host("host-1", {64'000, 256'000, 2'560'000, 32'000, 0});
  const auto wait_for_another = [&s] {
    s.waiting_tasks(s.cell.submit(batch_of(1)), 1);
    s.tell();
  };
  wait_for_another();
  s.lead();
  s.answer_proposal({ErrorCode::unavailable, "too many proposals wait"});  // Now one task rests.
  for (int n = 0; n < 12; ++n) wait_for_another();
  ASSERT_LT(s.proposals.size(), 12U) << "a bounded number of plans is out";
  const std::size_t before = s.messages_handled;
  for (int n = 0; n < 1'000; ++n) s.advance(milliseconds(1));
  EXPECT_LE(s.messages_handled - before, 30U);
  while (!s.proposals.empty()) s.apply_proposal();
  s.advance(scheduler::Engine::rest_max);
  while (!s.proposals.empty()) s.apply_proposal();
  EXPECT_TRUE(s.cell.reads().waiting(1).empty());
}

TEST(Scheduler, LooksAtTheHostAgainThatRefusedItsPlan) {
  SchedulerStage s;
  const HostId host = s.cell.host("host-1", room_for_two);
  const JobId job = s.cell.submit(batch_of(1));
  s.waiting_tasks(job, 1);
  s.tell();
  s.lead();
  s.cell.apply(SetHostPhase{host, HostPhase::draining});
  EXPECT_EQ(s.apply_proposal().refused.size(), 1U);
  const auto& refused = s.status().placements_refused;
  EXPECT_EQ(refused[static_cast<std::size_t>(ErrorCode::precondition_failed)], 1U) << "counted by its reason";
  EXPECT_EQ(s.status().placements, 0U);
  // Nobody has told it of the change, and it has rested: it does not ask the same again.
  s.advance(scheduler::Engine::rest_max);
  EXPECT_TRUE(s.proposals.empty());
  s.cell.apply(SetHostPhase{host, HostPhase::active});
  s.tell();
  ASSERT_EQ(s.proposals.size(), 1U);
  EXPECT_TRUE(s.apply_proposal().refused.empty());
  EXPECT_EQ(s.status().placements, 1U);
}

// ---- preemption ----
struct PreemptionStage : SchedulerStage {
  HostId host = cell.host("host-1", room_for_two);
  JobId low = cell.submit(batch_of(2));
  TaskId first = cell.running(low, 0, host), second = cell.running(low, 1, host), urgent{};

  explicit PreemptionStage(std::uint32_t level) {
    for (std::uint32_t n = 1; n <= level; ++n) cell.apply(RaiseLevel{n}, cell.term_fence());
    urgent = cell.start(cell.submit(with_priority(batch_of(1), 4)), 0);
    tell();
    lead();
  }
  std::vector<PreemptTasks::Item> preempted() const {
    std::vector<PreemptTasks::Item> items;
    for (const Propose& proposal : proposals)
      if (const auto* body = std::get_if<PreemptTasks>(&proposal.command.body))
        items.insert(items.end(), body->items.begin(), body->items.end());
    return items;
  }
};

TEST(Scheduler, EndsATaskOfLowerPriorityAndPlacesTheOtherInItsRoom) {
  PreemptionStage s(2);
  ASSERT_EQ(s.preempted().size(), 1U);
  ASSERT_EQ(s.preempted()[0].victims.size(), 1U);
  const TaskId victim = s.preempted()[0].victims[0].task;
  EXPECT_TRUE(s.apply_proposal().refused.empty());
  s.tell();
  EXPECT_EQ(s.cell.task(victim).state, TaskState::kill_initiated);
  EXPECT_TRUE(s.proposals.empty());
  s.cell.ended(s.host, victim, Reason::killed);
  s.tell();
  ASSERT_EQ(s.proposed().size(), 1U);
  EXPECT_EQ(s.proposed()[0].task, s.urgent);
  EXPECT_TRUE(s.apply_proposal().refused.empty());
}

TEST(Scheduler, ThatLeadsAnewWaitsForWhatItsPredecessorEnded) {
  PreemptionStage s(2);
  s.apply_proposal();
  s.tell();
  s.follow();
  s.lead();
  EXPECT_TRUE(s.proposals.empty()) << "nobody else needs to end";
}

TEST(Scheduler, EndsNobodyBeforeTheCellsLevelAllowsIt) {
  PreemptionStage s(1);
  EXPECT_TRUE(s.proposals.empty());
  s.cell.apply(RaiseLevel{2}, s.cell.term_fence());
  s.tell();
  s.advance(milliseconds(2'000));
  EXPECT_EQ(s.preempted().size(), 1U);
}

TEST(Scheduler, RestsAfterAPreemptionThatWasRefused) {
  PreemptionStage s(2);
  s.answer_proposal({ErrorCode::unavailable, "too many proposals wait"});
  EXPECT_TRUE(s.proposals.empty());
  s.advance(scheduler::Engine::rest_max);
  EXPECT_EQ(s.preempted().size(), 1U);
}

TEST(Scheduler, PlacesAGangInACommandOfItsOwn) {
  SchedulerStage s;
  s.cell.apply(RaiseLevel{1}, s.cell.term_fence());
  s.cell.apply(RaiseLevel{2}, s.cell.term_fence());
  s.cell.host("host-1", {4'000, 16'000, 160'000, 2'000, 0});
  JobDescriptor d = *batch_of(2);
  d.attributes["troupe.gangSeconds"] = "60";
  const JobId gang = s.cell.submit(std::make_shared<const JobDescriptor>(d));
  s.waiting_tasks(s.cell.submit(batch_of(1)), 1);
  s.cell.start(gang, 0);
  s.tell();
  s.lead();
  EXPECT_EQ(s.proposed().size(), 1U) << "the gang is not whole";
  while (!s.proposals.empty()) s.apply_proposal();
  s.cell.start(gang, 1);
  s.tell();
  ASSERT_EQ(s.proposals.size(), 1U);
  EXPECT_EQ(std::get<PlaceTasks>(s.proposals[0].command.body).together, (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(s.proposals[0].command.level, 2U);
  EXPECT_TRUE(s.apply_proposal().refused.empty());
}

TEST(Scheduler, PlacesATaskThatWasSetAsideWhenItIsReleased) {
  SchedulerStage s;
  const JobId job = s.cell.submit(batch_of(1));
  const TaskId task = s.waiting_tasks(job, 1).front();
  s.tell();
  s.lead();
  EXPECT_TRUE(s.cell.apply(SetAside{EntityRef::of(task), "a test"}, s.cell.fence_of(job)).taken());
  s.cell.host("host-1", room_for_two);
  s.tell();
  EXPECT_TRUE(s.proposals.empty());
  EXPECT_TRUE(s.cell.apply(Release{EntityRef::of(task)}).taken());
  s.tell();
  ASSERT_EQ(s.proposals.size(), 1U);
  EXPECT_TRUE(s.apply_proposal().refused.empty());
}

// ---- pauses, and limits of launches ----
struct PauseStage : SchedulerStage {
  HostId host = cell.host("host-1", room_for_two);
  TaskId waiting = waiting_tasks(cell.submit(batch_of(1)), 1).front();

  void say(SchedulingScope scope, bool paused) {
    Command command;
    command.caller = "ann";
    command.reason = "INC-12";
    command.body = PauseScheduling{std::move(scope), paused};
    ASSERT_TRUE(cell.apply(std::move(command)).taken());
    tell();
  }
  std::string explained() {
    answers.clear();
    give(Asked{AskScheduler{waiting}, 1, asker()});
    return answers.empty() ? "" : answers.back().answer.data;
  }
};

TEST(Scheduler, PlacesNothingWhileItIsPausedAndSaysSo) {
  for (const SchedulingScope& scope :
       {SchedulingScope{}, SchedulingScope{SchedulingScope::Kind::group, "DEFAULT", {}},
        SchedulingScope{SchedulingScope::Kind::host, {}, HostId{1}}}) {
    PauseStage s;
    s.say(scope, true);
    s.lead();
    EXPECT_TRUE(s.proposals.empty()) << scope.text();
    const auto before = s.messages_handled;
    for (int n = 0; n < 1'000; ++n) s.advance(milliseconds(1));
    EXPECT_LE(s.messages_handled - before, 5U) << "it sleeps";
    EXPECT_NE(s.explained().find("paused by ann"), std::string::npos) << s.explained();
    EXPECT_NE(s.explained().find("INC-12"), std::string::npos);
    s.say(scope, false);
    ASSERT_EQ(s.proposals.size(), 1U) << scope.text();
    EXPECT_TRUE(s.apply_proposal().refused.empty());
  }
}

TEST(Scheduler, SaysWhenTheNextLaunchComes) {
  PauseStage s;
  for (const std::uint32_t level : {1U, 2U}) s.cell.apply(RaiseLevel{level}, s.cell.term_fence());
  GroupRecord group{"DEFAULT", Tier::flex, {}, 1, 0, {}};
  group.launch_burst = 1;
  group.launches_per_minute = 2;
  s.cell.apply(PutGroup{group});
  const TaskId first = s.cell.start(s.cell.submit(batch_of(1)), 0);
  ASSERT_TRUE(s.cell.place(first, s.host).taken());
  s.tell();
  s.lead();
  EXPECT_TRUE(s.proposals.empty());
  EXPECT_NE(s.explained().find("capacity group DEFAULT: 0 launches of 1 left, 2 a minute come: the next in"),
            std::string::npos)
      << s.explained();
  EXPECT_NE(s.explained().find("heldUntil"), std::string::npos);
}

TEST(Scheduler, EndsOthersForAGangInOneCommandFromItsLevelOn) {
  SchedulerStage s;
  for (const std::uint32_t level : {1U, 2U}) s.cell.apply(RaiseLevel{level}, s.cell.term_fence());
  const HostId host = s.cell.host("host-1", room_for_two);
  const JobId low = s.cell.submit(batch_of(2));
  s.cell.running(low, 0, host);
  s.cell.running(low, 1, host);
  JobDescriptor d = *with_priority(batch_of(2), 4);
  d.attributes["troupe.gangSeconds"] = "60";
  const JobId gang = s.cell.submit(std::make_shared<const JobDescriptor>(d));
  s.cell.start(gang, 0);
  s.cell.start(gang, 1);
  s.tell();
  s.lead();
  EXPECT_TRUE(s.proposals.empty()) << "an older build would end one without the other";
  s.cell.apply(RaiseLevel{3}, s.cell.term_fence());
  s.tell();
  s.advance(milliseconds(2'000));
  ASSERT_EQ(s.proposals.size(), 1U);
  EXPECT_EQ(s.proposals[0].command.level, level_of_preempting_gangs);
  EXPECT_EQ(std::get<PreemptTasks>(s.proposals[0].command.body).together, (std::vector<std::uint32_t>{2}));
  EXPECT_TRUE(s.apply_proposal().refused.empty());
}

TEST(Scheduler, AllowsAGangsPlanThatEndsOthersFromItsLevelOnAndStartsItWhole) {
  SchedulerStage s;
  for (const std::uint32_t level : {1U, 2U}) s.cell.apply(RaiseLevel{level}, s.cell.term_fence());
  const HostId full = s.cell.host("host-1", room_for_two);
  s.cell.host("host-2", {1'000, 8'000, 80'000, 1'000, 0});
  const JobId low = s.cell.submit(batch_of(2));
  const std::vector<TaskId> running{s.cell.running(low, 0, full), s.cell.running(low, 1, full)};
  s.tell();
  s.lead();
  JobDescriptor d = *with_priority(batch_of(3), 4);
  d.attributes["troupe.gangSeconds"] = "60";
  CreateJob body{s.cell.random.uuid<JobId>(), std::make_shared<const JobDescriptor>(d)};
  const auto ask = [&] {
    s.answers.clear();
    s.give(Asked{AskPlan{body.job, body.descriptor, 3, body.places}, 1, s.asker()});
    return s.answers.back().answer.data;
  };
  const PlanTold told = unpacked<PlanTold>(ask()).value();
  ASSERT_EQ(told.places.size(), 3U);
  for (std::uint32_t n = 0; n < 3; ++n) {
    const PlanTold::Place& at = told.places[n];
    body.places.push_back({SlotNumber{n}, {}, s.cell.random.task_of(body.job), at.host, at.eligibility, {}});
    for (const PlanTold::Ended& ended : at.victims) body.places.back().victims.push_back(ended.victim);
  }
  const auto differences = [&] { return unpacked<PlanChecked>(ask()).value().differences; };
  EXPECT_EQ(differences().size(), 1U) << "an older build would start one before the others";
  for (const std::uint32_t level : {3U, 4U}) s.cell.apply(RaiseLevel{level}, s.cell.term_fence());
  s.tell();
  EXPECT_TRUE(differences().empty());
  ASSERT_TRUE(s.cell.apply(body).taken());
  s.tell();
  EXPECT_TRUE(s.proposals.empty()) << "who has to end is ending, and none starts before";
  for (const TaskId& task : running) {
    EXPECT_EQ(s.cell.task(task).state, TaskState::kill_initiated);
    EXPECT_TRUE(s.proposed().empty());
    s.cell.ended(full, task, Reason::killed);
    s.tell();
  }
  EXPECT_EQ(s.proposed().size(), 3U);
  EXPECT_TRUE(s.apply_proposal().refused.empty());
}

}  // namespace
}  // namespace troupe
