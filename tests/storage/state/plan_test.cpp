// A job that is made, or grows, where a plan put its tasks: whole, or not at all and with the difference.

#include <gmock/gmock.h>

#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

struct Planned {
  Cell cell;
  HostId one = cell.host("one", {2'000, 8'000, 80'000, 1'000, 0}), two = cell.host("two");

  PlannedPlace place(const JobId& job, std::uint32_t slot, HostId host) {
    return {SlotNumber{slot},
            {},
            cell.random.task_of(job),
            host,
            cell.reads().host(host)->record.eligibility,
            {}};
  }
  CreateJob create(std::uint32_t size = 2) {
    CreateJob body{cell.random.uuid<JobId>(), batch_of(size)};
    body.places = {place(body.job, 0, one), place(body.job, 1, two)};
    return body;
  }
  std::string refusal(const CommandBody& body) {
    const Done done = cell.apply(body);
    return done.outcome.error ? done.outcome.error->message : "";
  }
};

TEST(PlannedJobs, BeginWithTheirTasksWhereThePlanPutThem) {
  Planned s;
  const CreateJob body = s.create(3);
  const Done done = s.cell.apply(body);
  ASSERT_TRUE(done.taken());
  EXPECT_EQ(done.outcome.entity, to_text(body.job));
  EXPECT_EQ(s.cell.task(body.places[0].task).host, s.one);
  EXPECT_EQ(s.cell.task(body.places[1].task).state, TaskState::launched);
  EXPECT_EQ(s.cell.slot(body.job, 1).task, body.places[1].task);
  EXPECT_EQ(s.cell.slot(body.job, 2).state, SlotState::empty) << "the job's actor starts it as ever";
  EXPECT_EQ(s.cell.reads().host(s.one)->used.cpu_milli, 1'000);
  std::vector<EventKind> kinds;
  for (const Event& event : done.events) kinds.push_back(event.kind);
  EXPECT_EQ(kinds, (std::vector{EventKind::job_created, EventKind::task_created, EventKind::task_changed,
                                EventKind::task_created, EventKind::task_changed}));
  EXPECT_EQ(done.events[2].task_before, TaskState::accepted);
  expect_derived(*s.cell.machine, *s.cell.store);
  s.cell.restart();
  EXPECT_EQ(s.cell.task(body.places[0].task).host, s.one);
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(PlannedJobs, AreNotMadeWhenAPlaceIsGoneAndSayWhich) {
  Planned s;
  const CreateJob body = s.create();
  s.cell.running(s.cell.submit(batch_of(1)), 0, s.one);
  s.cell.running(s.cell.submit(batch_of(1)), 0, s.one);
  EXPECT_THAT(s.refusal(body), HasSubstr("slot 0 on host one: the host is full; make a new plan"));
  EXPECT_FALSE(s.cell.has_job(body.job));
  EXPECT_EQ(s.cell.reads().host(s.two)->used, Resources{});
  ASSERT_TRUE(s.cell.apply(SetHostPhase{s.two, HostPhase::draining}).taken());
  EXPECT_THAT(s.refusal(body), HasSubstr("; slot 1 on host two: the host takes no tasks"));
  EXPECT_EQ(s.cell.apply(body).refusal(), ErrorCode::conflict);
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(PlannedJobs, DoNotMindWhatChangesElsewhere) {
  Planned s;
  const CreateJob body = s.create();
  s.cell.running(s.cell.submit(batch_of(1)), 0, s.one);
  s.cell.run_to_end(s.two);
  ASSERT_TRUE(s.cell.apply(SetHostPhase{s.cell.host("three"), HostPhase::draining}).taken());
  EXPECT_TRUE(s.cell.apply(body).taken()) << "there is room for both still";
}

DescriptorPtr alone(std::uint32_t size) {
  JobDescriptor d = *batch_of(size);
  d.hard_constraints["exclusiveHost"] = "true";
  return std::make_shared<const JobDescriptor>(d);
}

TEST(Placements, HeedATaskThatWantsItsHostAloneFromLevelTwo) {
  Planned s;
  const HostId three = s.cell.host("three");
  const JobId exclusive = s.cell.submit(alone(4)), other = s.cell.submit(batch_of(4));
  s.cell.running(exclusive, 0, s.one);
  EXPECT_TRUE(s.cell.place(s.cell.start(other, 0), s.one).taken()) << "an old log means what it meant";
  for (const std::uint32_t level : {1U, 2U})
    ASSERT_TRUE(s.cell.apply(RaiseLevel{level}, s.cell.term_fence()).taken());
  PlaceTasks both;
  both.items = {s.cell.placement(s.cell.start(exclusive, 1), three),
                s.cell.placement(s.cell.start(other, 1), three)};
  const Done done = s.cell.apply(both, s.cell.term_fence());
  ASSERT_EQ(done.outcome.refused.size(), 1U) << "in one command";
  EXPECT_EQ(done.outcome.refused[0].item, 1U);
  EXPECT_EQ(done.outcome.refused[0].code, ErrorCode::conflict);
  EXPECT_EQ(s.cell.place(both.items[1].task, three).refusal(), ErrorCode::conflict) << "and later";
  s.cell.running(other, 2, s.two);
  EXPECT_EQ(s.cell.place(s.cell.start(exclusive, 2), s.two).refusal(), ErrorCode::conflict);
}

TEST(PlannedJobs, HeedATaskThatWantsItsHostAlone) {
  Planned s;
  CreateJob body = s.create();
  s.cell.running(s.cell.submit(alone(1)), 0, s.two);
  EXPECT_THAT(s.refusal(body), HasSubstr("a task is there that wants the host alone"));
  body.descriptor = alone(2);
  body.places.pop_back();
  ASSERT_TRUE(s.cell.apply(body).taken());
  CreateJob second = s.create();
  second.descriptor = alone(2);
  second.places.pop_back();
  EXPECT_THAT(s.refusal(second), HasSubstr("other tasks are there"));
}

TEST(PlannedJobs, EndTheirVictimsAndWaitForThem) {
  Planned s;
  const JobId low = s.cell.submit(batch_of(2));
  const TaskId victim = s.cell.running(low, 0, s.one), other = s.cell.running(low, 1, s.one);
  CreateJob body{s.cell.random.uuid<JobId>(), with_priority(batch_of(1), 3)};
  body.places = {s.place(body.job, 0, s.one)};
  EXPECT_THAT(s.refusal(body), HasSubstr("the host is full"));
  body.places[0].victims = {s.cell.victim(victim)};
  ASSERT_TRUE(s.cell.apply(body).taken());
  EXPECT_EQ(s.cell.task(victim).state, TaskState::kill_initiated);
  EXPECT_EQ(s.cell.task(other).state, TaskState::started);
  EXPECT_EQ(s.cell.task(body.places[0].task).state, TaskState::accepted);
  EXPECT_EQ(s.cell.reads().waiting(9).size(), 1U);
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(PlannedJobs, ThatAreGangsStartNoneOfTheirTasksBeforeTheVictimsHaveEnded) {
  Planned s;
  JobDescriptor d = *with_priority(batch_of(2), 3);
  d.attributes["troupe.gangSeconds"] = "60";
  const JobId low = s.cell.submit(batch_of(2));
  const TaskId victim = s.cell.running(low, 0, s.one);
  s.cell.running(low, 1, s.one);
  CreateJob body{s.cell.random.uuid<JobId>(), std::make_shared<const JobDescriptor>(d)};
  body.places = {s.place(body.job, 0, s.one), s.place(body.job, 1, s.two)};
  EXPECT_LT(level_needed(body), level_of_gang_plans);
  body.places[0].victims = {s.cell.victim(victim)};
  EXPECT_EQ(level_needed(body), level_of_gang_plans);
  for (const std::uint32_t level : {1U, 2U, 3U, 4U})
    ASSERT_TRUE(s.cell.apply(RaiseLevel{level}, s.cell.term_fence()).taken());
  body.places[1].host = s.one;
  body.places[1].eligibility = body.places[0].eligibility;
  EXPECT_THAT(s.refusal(body), HasSubstr("slot 1 on host one: the host is full"));
  body.places[1] = s.place(body.job, 1, s.two);
  ASSERT_TRUE(s.cell.apply(body).taken());
  EXPECT_EQ(s.cell.task(victim).state, TaskState::kill_initiated);
  for (const PlannedPlace& place : body.places)
    EXPECT_EQ(s.cell.task(place.task).state, TaskState::accepted) << "all or none";
  EXPECT_EQ(s.cell.reads().host(s.two)->used, Resources{}) << "the scheduler keeps the room";
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(PlannedJobs, ThatAreGangsNeedRoomForEachWhereThePlanHasNoVictim) {
  Planned s;
  for (const std::uint32_t level : {1U, 2U, 3U, 4U})
    ASSERT_TRUE(s.cell.apply(RaiseLevel{level}, s.cell.term_fence()).taken());
  JobDescriptor d = *with_priority(batch_of(4), 3);
  d.attributes["troupe.gangSeconds"] = "60";
  const HostId three = s.cell.host("three", {2'000, 8'000, 80'000, 1'000, 0});
  const JobId low = s.cell.submit(batch_of(2));
  const TaskId victim = s.cell.running(low, 0, s.one);
  s.cell.running(low, 1, s.one);
  CreateJob body{s.cell.random.uuid<JobId>(), std::make_shared<const JobDescriptor>(d)};
  body.places = {s.place(body.job, 0, s.one), s.place(body.job, 1, three), s.place(body.job, 2, three),
                 s.place(body.job, 3, three)};
  body.places[0].victims = {s.cell.victim(victim)};
  EXPECT_THAT(s.refusal(body), HasSubstr("slot 3 on host three: the host is full"));
  body.places.pop_back();
  EXPECT_TRUE(s.cell.apply(body).taken());
}

TEST(PlannedJobs, StayBelowACeilingUntilTheirVictimsHaveEnded) {
  Planned s;
  ASSERT_TRUE(s.cell.apply(PutGroup{{"c", Tier::critical, {1'000, 100'000, 0, 0, 0}, 2, 0, {}}}).taken());
  for (const std::uint32_t level : {1U, 2U})
    ASSERT_TRUE(s.cell.apply(RaiseLevel{level}, s.cell.term_fence()).taken());
  const JobId low = s.cell.submit(in_group(batch_of(2), "c"));
  const TaskId victim = s.cell.running(low, 0, s.one);
  s.cell.running(low, 1, s.one);
  CreateJob body{s.cell.random.uuid<JobId>(), with_priority(in_group(batch_of(2), "c"), 3)};
  body.places = {s.place(body.job, 0, s.one), s.place(body.job, 1, s.two)};
  body.places[0].victims = {s.cell.victim(victim)};
  EXPECT_THAT(s.refusal(body), HasSubstr("slot 1 on host two: capacity group c is Critical"));
  body.places.pop_back();
  EXPECT_TRUE(s.cell.apply(body).taken());
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(PlannedJobs, AreRememberedUnderTheirRequest) {
  Planned s;
  const CreateJob body = s.create();
  ASSERT_TRUE(s.cell.request("r1", body).taken());
  CreateJob again = body;
  again.job = s.cell.random.uuid<JobId>();
  for (PlannedPlace& place : again.places) place.task = s.cell.random.task_of(again.job);
  const Done done = s.cell.request("r1", again);
  EXPECT_TRUE(done.outcome.repeated);
  EXPECT_EQ(done.outcome.entity, to_text(body.job));
  again.places[0].host = s.two;
  EXPECT_EQ(s.cell.request("r1", again).refusal(), ErrorCode::request_id_reused) << "another plan";
}

TEST(PlannedGrowth, StartsTheNewSlotsWhereThePlanPutThem) {
  Planned s;
  const JobId job = s.cell.submit(service_of(0, 1, 9));
  s.cell.running(job, 0, s.one);
  ResizeJob body{job, {}, 3, {}};
  body.places = {s.place(job, 1, s.one), s.place(job, 2, s.two)};
  ASSERT_TRUE(s.cell.apply(body).taken());
  EXPECT_EQ(s.cell.job(job).capacity.desired, 3U);
  EXPECT_EQ(s.cell.task(body.places[1].task).host, s.two);
  EXPECT_EQ(s.cell.reads().host(s.one)->tasks.size(), 2U);
  expect_derived(*s.cell.machine, *s.cell.store);
  EXPECT_THAT(s.refusal(body), HasSubstr("slot 1 on host one: slot 1 has moved on"));
  s.cell.restart();
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(PlannedGrowth, NeverMakesAJobSmaller) {
  Planned s;
  const JobId job = s.cell.submit(service_of(0, 2, 9));
  ResizeJob body{job, {}, 3, {}};
  body.places = {s.place(job, 2, s.one)};
  ASSERT_TRUE(s.cell.apply(ResizeJob{job, {}, 5, {}}).taken());
  EXPECT_THAT(s.refusal(body), HasSubstr("the job has 5 tasks by now; make a new plan"));
  EXPECT_EQ(s.cell.job(job).capacity.desired, 5U);
}

TEST(PlannedJobs, WithoutIdsOfTasksAreOnlyAskedAfter) {
  Planned s;
  const CreateJob body = s.create();
  CreateJob question = body;
  for (PlannedPlace& place : question.places) place.task = {};
  EXPECT_THAT(s.refusal(question), HasSubstr("slot 0 on host one: the scheduler did not allow it"));
  EXPECT_FALSE(s.cell.has_job(body.job));
  ASSERT_TRUE(s.cell.request("r1", body).taken());
  question.job = s.cell.random.uuid<JobId>();
  EXPECT_EQ(s.cell.request("r1", question).outcome.entity, to_text(body.job));
}

TEST(PlannedGrowth, IsRefusedWhole) {
  Planned s;
  const JobId job = s.cell.submit(service_of(0, 0, 9));
  ResizeJob body{job, {}, 3, {}};
  for (std::uint32_t n = 0; n < 3; ++n) body.places.push_back(s.place(job, n, s.one));
  EXPECT_THAT(s.refusal(body), HasSubstr("slot 2 on host one: the host is full"));
  EXPECT_EQ(s.cell.job(job).capacity.desired, 0U);
  EXPECT_EQ(s.cell.counts(job).live(), 0U);
  body.places.resize(planned_places_max + 1);
  EXPECT_EQ(s.cell.apply(body).refusal(), ErrorCode::invalid_argument);
  expect_derived(*s.cell.machine, *s.cell.store);
}

}  // namespace
}  // namespace troupe
