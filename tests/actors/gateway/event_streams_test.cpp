#include <gmock/gmock.h>

#include <set>

#include "actors/gateway/gateway_settings.hpp"
#include "net/api/event_json.hpp"
#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::size_t count_of(const SeenPtr& seen, std::string_view name) {
  const auto names = seen->names();
  return static_cast<std::size_t>(std::count(names.begin(), names.end(), name));
}

void expect_ids_increase(const SeenPtr& seen) {
  std::optional<EventId> last;
  for (const std::string& text : seen->ids()) {
    const EventId id = api::parse_event_id(text).value();
    if (last) {
      EXPECT_LT(*last, id);
    }
    last = id;
  }
}

TEST(GatewayEvents, AStreamIsASnapshotAMarkerAndThenWhatHappens) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  const JobId job = scene.cell.submit(batch_of(1));
  const auto seen = scene.get("/api/v3/events");
  ASSERT_TRUE(seen->opened);
  EXPECT_EQ(seen->header("content-type"), "text/event-stream");
  EXPECT_THAT(seen->names(), ElementsAre("jobSnapshot", "snapshotEnd"));
  const TaskId task = scene.cell.running(job, 0, host);
  scene.run();
  EXPECT_EQ(count_of(seen, "taskCreated"), 1U);
  EXPECT_THAT(seen->body, HasSubstr(to_text(task)));
  EXPECT_THAT(seen->body, HasSubstr("\"taskState\":\"Started\""));
  expect_ids_increase(seen);
  EXPECT_FALSE(seen->finished);
}

TEST(GatewayEvents, AJobsStreamHasOnlyItsEventsAndEndsWithItsArchival) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  const JobId job = scene.cell.submit(batch_of(1));
  const TaskId task = scene.cell.running(job, 0, host);
  const auto seen = scene.get("/api/v3/jobs/" + to_text(job) + "/events");
  EXPECT_THAT(seen->names(), ElementsAre("jobSnapshot", "taskSnapshot", "snapshotEnd"));
  const JobId other = scene.cell.submit(batch_of(1));
  scene.cell.ended(host, task, Reason::normal);
  scene.cell.step_slot(job, 0, SlotState::done);
  scene.cell.finish(job);
  scene.run();
  EXPECT_TRUE(seen->finished);
  EXPECT_EQ(seen->names().back(), "jobArchived");
  EXPECT_EQ(count_of(seen, "taskArchived"), 1U);
  EXPECT_EQ(seen->body.find(to_text(other)), std::string::npos);
  expect_ids_increase(seen);
}

TEST(GatewayEvents, AnArchivedJobGivesAWholeShortStreamAndAnUnknownOne404) {
  Scene scene;
  const JobId job = scene.cell.run_to_end(scene.cell.host("h1"));
  const auto seen = scene.get("/api/v3/jobs/" + to_text(job) + "/events");
  EXPECT_THAT(seen->names(), ElementsAre("jobSnapshot", "snapshotEnd"));
  EXPECT_THAT(seen->body, HasSubstr("\"jobState\":\"Finished\""));
  EXPECT_TRUE(seen->finished);
  EXPECT_EQ(
      scene.get("/api/v3/jobs/" + to_text(scene.cell.random.uuid<JobId>()) + "/events")->response.status,
      404);
}

TEST(GatewayEvents, AReaderResumesWithoutGapOrRepetition) {
  Scene scene;
  scene.cell.submit(batch_of(1));
  const auto whole = scene.get("/api/v3/events");
  for (int i = 0; i < 5; ++i) scene.cell.submit(batch_of(1));
  scene.run();
  const auto ids = whole->ids();
  for (std::size_t at = 0; at < ids.size(); ++at) {
    const auto resumed = scene.get("/api/v3/events", {{"last-event-id", ids[at]}});
    EXPECT_EQ(resumed->ids(),
              std::vector<std::string>(ids.begin() + static_cast<std::ptrdiff_t>(at) + 1, ids.end()));
    EXPECT_EQ(count_of(resumed, "snapshotEnd"), 0U);
    resumed->leave();
  }
  EXPECT_EQ(scene.get("/api/v3/events", {{"last-event-id", "x"}})->response.status, 400);
}

TEST(GatewayEvents, WhoResumesFromTooFarBackOrFromTheFutureGetsANewSnapshot) {
  Scene scene([](NodeContext& context) { context.settings.set(gateway::gateway_events_max, 100); });
  const auto first = scene.get("/api/v3/events");
  const std::string old = first->ids().back();
  for (int i = 0; i < 120; ++i) scene.cell.submit(batch_of(1));
  scene.run();
  EXPECT_EQ(count_of(scene.get("/api/v3/events", {{"last-event-id", old}}), "snapshotEnd"), 1U);
  EXPECT_EQ(count_of(scene.get("/api/v3/events", {{"last-event-id", "999999.0"}}), "snapshotEnd"), 1U);
  EXPECT_EQ(count_of(scene.get("/api/v3/events", {{"last-event-id", "1.0"}}), "snapshotEnd"), 1U);
}

TEST(GatewayEvents, AResumedStreamOfAJobThatEndedMeanwhileStillEnds) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  const JobId job = scene.cell.submit(batch_of(1));
  const std::string url = "/api/v3/jobs/" + to_text(job) + "/events";
  const auto first = scene.get(url);
  const std::string begin = first->ids().back();
  const TaskId task = scene.cell.running(job, 0, host);
  scene.cell.ended(host, task, Reason::normal);
  scene.cell.step_slot(job, 0, SlotState::done);
  scene.cell.finish(job);
  scene.run();
  const auto middle = scene.get(url, {{"last-event-id", begin}});
  EXPECT_TRUE(middle->finished);
  EXPECT_EQ(middle->names().back(), "jobArchived");
  const auto after = scene.get(url, {{"last-event-id", first->ids().back()}});
  EXPECT_TRUE(after->finished);
  EXPECT_TRUE(after->names().empty());
}

TEST(GatewayEvents, WhatIsAppliedBetweenSnapshotAndNewsIsNotLostOrRepeated) {
  Scene scene;
  scene.hold_applied();
  const JobId job = scene.cell.submit(batch_of(1));  // In the state, but its event has not come by yet.
  const auto seen = scene.get("/api/v3/events?consistency=stale");
  EXPECT_THAT(seen->names(), ElementsAre("jobSnapshot", "snapshotEnd"));
  scene.tell_applied();
  scene.run();
  EXPECT_THAT(seen->names(), ElementsAre("jobSnapshot", "snapshotEnd", "jobCreated"));
  EXPECT_THAT(seen->body, HasSubstr(to_text(job)));
  expect_ids_increase(seen);
}

TEST(GatewayEvents, ASlowReaderIsServedAtItsPaceAndMissesNothing) {
  Scene scene;
  for (int i = 0; i < 300; ++i) scene.cell.submit(batch_of(1));
  const auto slow = scene.start("GET", "/api/v3/events", {}, {}, true);
  scene.run();
  EXPECT_EQ(slow->chunks, 1U);
  EXPECT_LT(slow->body.size(), 128U * 1024);
  for (int i = 0; i < 50; ++i) scene.cell.submit(batch_of(1));
  scene.run();
  EXPECT_EQ(slow->chunks, 1U);
  for (int i = 0; i < 100 && slow->on_drained; ++i) {
    slow->take();
    scene.run();
  }
  EXPECT_GE(count_of(slow, "jobSnapshot"), 300U);
  EXPECT_EQ(count_of(slow, "jobCreated"), 50U);
  EXPECT_EQ(count_of(slow, "snapshotEnd"), 1U);
  expect_ids_increase(slow);
}

TEST(GatewayEvents, AReaderThatFallsOutOfTheRingIsCut) {
  Scene scene([](NodeContext& context) { context.settings.set(gateway::gateway_events_max, 100); });
  scene.cell.submit(batch_of(1));
  const auto slow = scene.start("GET", "/api/v3/events", {}, {}, true);
  scene.run();
  for (int i = 0; i < 150; ++i) scene.cell.submit(batch_of(1));
  scene.run();
  slow->take();
  scene.run();
  EXPECT_TRUE(slow->cut);
  EXPECT_EQ(count_of(slow, "jobCreated"), 0U);
}

TEST(GatewayEvents, AnIdleStreamIsKeptAliveEveryTenSeconds) {
  Scene scene;
  const auto seen = scene.get("/api/v3/events");
  const std::size_t size = seen->body.size();
  scene.advance(milliseconds(9'900));
  EXPECT_EQ(seen->body.size(), size);
  scene.advance(milliseconds(200));
  EXPECT_EQ(seen->body.substr(size), api::sse_keep_alive);
  scene.advance(milliseconds(10'000));
  EXPECT_EQ(seen->body.size(), size + 2 * api::sse_keep_alive.size());
}

TEST(GatewayEvents, StreamsAreBoundedAndLeaversMakeRoom) {
  Scene scene([](NodeContext& context) { context.settings.set(gateway::gateway_streams_max, 2); });
  const auto first = scene.get("/api/v3/events");
  const auto second = scene.get("/api/v3/events");
  const auto third = scene.get("/api/v3/events");
  EXPECT_TRUE(second->opened);
  EXPECT_EQ(third->code(), "overloaded");
  first->leave();
  scene.run();
  EXPECT_TRUE(scene.get("/api/v3/events")->opened);
  EXPECT_THAT(scene.get("/metrics")->response.body,
              HasSubstr("troupe_gateway_streams_open{kind=\"events\"} 2"));
}

}  // namespace
}  // namespace troupe
