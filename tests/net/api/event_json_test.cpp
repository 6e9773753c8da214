#include "net/api/event_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/api/example_records.hpp"

namespace troupe::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Event task_finished() {
  Event event;
  event.id = {{12}, 3};
  event.kind = EventKind::task_changed;
  event.at = {5000};
  event.job = example_id<JobId>(1);
  event.task = example_id<TaskId>(2);
  event.slot = {4};
  event.task_state = TaskState::finished;
  event.task_before = TaskState::started;
  event.reason = Reason::failed;
  event.host = {5};
  return event;
}

std::string text_of(const Event& event, const EventEntity& entity = {}) {
  json::Writer writer;
  event_json(writer, event, entity);
  return writer.take();
}

TEST(EventJson, IsOneFlatLine) {
  EXPECT_EQ(
      text_of(task_finished()),
      R"({"id":"12.3","kind":"taskChanged","timestamp":"5000","jobId":"00000000-0000-0000-0000-000000000001",)"
      R"("taskId":"00000000-0000-0000-0000-000000000002","slot":4,"taskState":"Finished",)"
      R"("taskStateBefore":"Started","reasonCode":"failed","hostId":5})");
}

TEST(EventJson, AMovedTaskNamesBothJobs) {
  Event event = task_finished();
  event.kind = EventKind::task_moved;
  event.task_state = TaskState::started;
  event.moved_from = example_id<JobId>(9);
  EXPECT_THAT(text_of(event), HasSubstr(R"("taskStateBefore":"Started","movedFromAnotherJob":true,)"
                                        R"("movedFromJobId":"00000000-0000-0000-0000-000000000009")"));
}

TEST(EventJson, CarriesTheEntityWhereItIsGiven) {
  const auto job = example_job();
  const auto task = example_task(TaskState::started);
  Event event = task_finished();
  EXPECT_THAT(text_of(event, {.task = &task}),
              HasSubstr(R"("task":{"id":"00000000-0000-0000-0000-000000000002")"));
  event.kind = EventKind::job_changed;
  const auto text = text_of(event, {.job = &job});
  EXPECT_THAT(text, HasSubstr(R"("jobState":"Accepted")"));
  EXPECT_THAT(text, HasSubstr(R"("job":{"id":"00000000-0000-0000-0000-000000000001")"));
  EXPECT_THAT(text, Not(HasSubstr("taskState")));
}

TEST(EventJson, AShardsNewOwnerIsToldWithItsEpoch) {
  Event event;
  event.kind = EventKind::shard_assigned;
  event.shard = {3};
  event.node = {2};
  event.epoch = {9};
  EXPECT_THAT(text_of(event), HasSubstr(R"("shard":3,"nodeId":2,"epoch":"9")"));
}

TEST(EventJson, ASnapshotLooksLikeTheEvents) {
  json::Writer writer;
  job_snapshot_json(writer, {{8}, 0}, example_job());
  EXPECT_THAT(writer.take(), StartsWith(R"({"id":"8.0","kind":"jobSnapshot","timestamp":"1000","jobId":)"));
  task_snapshot_json(writer, {{8}, 0}, example_task(TaskState::launched));
  EXPECT_THAT(writer.take(), HasSubstr(R"("slot":4,"taskState":"Launched","task":{)"));
  snapshot_end_json(writer, {{8}, 0}, {77});
  EXPECT_EQ(writer.take(), R"({"id":"8.0","kind":"snapshotEnd","timestamp":"77"})");
}

TEST(EventId, IsReadAsItIsWritten) {
  const auto id = parse_event_id("1042.3");
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id.value(), (EventId{{1042}, 3}));
  EXPECT_EQ(event_id_text(id.value()), "1042.3");
  for (const auto* wrong :
       {"", ".", "1", "1.", ".3", "1.x", "-1.3", "1.3.4", "1.3 ", "99999999999999999999.0"})
    EXPECT_FALSE(parse_event_id(wrong).ok()) << wrong;
}

TEST(SseFrame, IsAsTheStandardHasIt) {
  EXPECT_EQ(sse_frame("jobCreated", {{1}, 2}, "{}"), "id: 1.2\nevent: jobCreated\ndata: {}\n\n");
}

TEST(EventName, EveryKindHasOne) {
  for (int kind = 0; kind <= static_cast<int>(EventKind::cell_changed); ++kind)
    EXPECT_FALSE(event_name(static_cast<EventKind>(kind)).empty()) << kind;
}

}  // namespace
}  // namespace troupe::api
