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

TEST(GatewayEvents, ATaskThatMovesIsToldToBothJobsReaders) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  const JobId source = scene.cell.submit(service_of(0, 2, 5)),
              target = scene.cell.submit(service_of(0, 0, 5));
  const TaskId task = scene.cell.running(source, 0, host);
  const auto of = [&](const std::string& query) { return scene.get("/api/v3/" + query); };
  const auto left = of("jobs/" + to_text(source) + "/events"),
             joined = of("jobs/" + to_text(target) + "/events"),
             filtered = of("events?jobIds=" + to_text(source)),
             followed = of("events?taskIds=" + to_text(task)),
             other = of("events?jobIds=" + to_text(scene.cell.random.uuid<JobId>()));
  ASSERT_TRUE(scene.cell.apply(MoveTask{task, source, target}).taken());
  scene.run();
  for (const auto& seen : {left, joined, filtered, followed}) {
    EXPECT_EQ(count_of(seen, "taskMoved"), 1U);
    EXPECT_THAT(seen->body,
                HasSubstr("\"movedFromAnotherJob\":true,\"movedFromJobId\":\"" + to_text(source)));
    expect_ids_increase(seen);
  }
  EXPECT_EQ(count_of(other, "taskMoved"), 0U);
  EXPECT_EQ(count_of(left, "jobChanged"), 1U) << "its size";
  EXPECT_EQ(count_of(joined, "jobChanged"), 1U);
  scene.cell.ended(host, task, Reason::normal);
  scene.run();
  EXPECT_EQ(count_of(left, "taskArchived"), 0U);
  EXPECT_EQ(count_of(joined, "taskArchived"), 1U);
  EXPECT_EQ(count_of(followed, "taskArchived"), 1U) << "who follows the task follows it to its new job";
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
  EXPECT_EQ(count_of(slow, "jobCreated"), 0U);
  EXPECT_EQ(slow->names().back(), "cutOff");
  EXPECT_THAT(slow->body, HasSubstr("\"reason\":\"the reader is too slow"));
  EXPECT_FALSE(slow->cut) << "the reason is still on its way";
  const auto ids = slow->ids();
  slow->take();
  scene.run();
  EXPECT_TRUE(slow->cut) << "and not ended as if all had been told";
  // It comes back with the last id that it had, and begins anew.
  EXPECT_EQ(count_of(scene.get("/api/v3/events", {{"last-event-id", ids.back()}}), "snapshotEnd"), 1U);
  EXPECT_THAT(scene.get("/metrics")->response.body,
              HasSubstr("troupe_gateway_streams_cut_total{why=\"slow\"} 1"));
}

TEST(GatewayEvents, AReaderThatTakesNothingIsCutAfterAMinute) {
  Scene scene;
  scene.cell.submit(batch_of(1));
  const auto stuck = scene.start("GET", "/api/v3/events", {}, {}, true);
  const auto well = scene.get("/api/v3/events");
  scene.run();
  scene.advance(milliseconds(59'000));
  EXPECT_FALSE(stuck->cut);
  scene.advance(milliseconds(2'000));
  EXPECT_TRUE(stuck->cut);
  EXPECT_FALSE(well->cut);
  EXPECT_THAT(scene.get("/metrics")->response.body,
              HasSubstr("troupe_gateway_streams_cut_total{why=\"stuck\"} 1"));
}

// ---- criteria ----

DescriptorPtr job_of(std::string application, std::string group, StringMap attributes = {}) {
  JobDescriptor d = *batch_of(2);
  d.application_name = std::move(application);
  d.capacity_group = std::move(group);
  d.attributes = std::move(attributes);
  return std::make_shared<const JobDescriptor>(std::move(d));
}

/// The jobs that a stream has told of, snapshots and news.
std::set<std::string> jobs_in(const SeenPtr& seen) {
  std::set<std::string> jobs;
  const std::string name = "\"jobId\":\"";
  for (auto at = seen->body.find(name); at != std::string::npos; at = seen->body.find(name, at + 1))
    jobs.insert(seen->body.substr(at + name.size(), 36));
  return jobs;
}

TEST(GatewayEvents, AStreamWithCriteriaTellsOfWhatTheyNameFromSnapshotToEnd) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  const JobId wanted = scene.cell.submit(job_of("web", "prod"));
  const JobId other = scene.cell.submit(job_of("web", "test"));
  const TaskId task = scene.cell.running(wanted, 0, host);
  scene.cell.running(other, 0, host);
  const auto seen = scene.get("/api/v3/events?applicationName=web&capacityGroup=prod");
  EXPECT_THAT(seen->names(), ElementsAre("jobSnapshot", "taskSnapshot", "snapshotEnd"));
  const JobId later = scene.cell.submit(job_of("web", "prod"));
  scene.cell.submit(job_of("api", "prod"));
  scene.cell.host("h2");
  scene.cell.ended(host, task, Reason::normal);
  scene.cell.step_slot(wanted, 0, SlotState::done);
  scene.cell.apply(KillJob{other});
  scene.run();
  EXPECT_EQ(jobs_in(seen), (std::set{to_text(wanted), to_text(later)}));
  EXPECT_EQ(count_of(seen, "taskArchived"), 1U);
  EXPECT_EQ(count_of(seen, "jobCreated"), 1U);
  EXPECT_EQ(count_of(seen, "hostChanged"), 0U);
  expect_ids_increase(seen);
  // Who resumes gets the same, without what others did meanwhile.
  const auto ids = seen->ids();
  const auto again =
      scene.get("/api/v3/events?applicationName=web&capacityGroup=prod", {{"last-event-id", ids.front()}});
  EXPECT_EQ(again->ids(), std::vector<std::string>(ids.begin() + 1, ids.end()));
}

TEST(GatewayEvents, AJobThatWasToldStaysToldWhenItsAttributesChange) {
  Scene scene;
  const JobId job = scene.cell.submit(job_of("web", "prod", {{"stage", "canary"}}));
  const auto seen = scene.get("/api/v3/events?attributes=stage:canary");
  scene.cell.apply(ChangeJob{job, {{{"stage", "whole"}}, {}}, {}, {}, {}});
  scene.cell.apply(KillJob{job});
  const JobId turns = scene.cell.submit(job_of("web", "prod"));
  scene.cell.apply(ChangeJob{turns, {{{"stage", "canary"}}, {}}, {}, {}, {}});
  scene.run();
  EXPECT_THAT(seen->names(),
              ElementsAre("jobSnapshot", "snapshotEnd", "jobChanged", "jobChanged", "jobChanged"));
  EXPECT_EQ(jobs_in(seen), (std::set{to_text(job), to_text(turns)}));
}

TEST(GatewayEvents, ATaskCriterionLetsItsJobsEventsThroughButNotItsSiblings) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  const JobId job = scene.cell.submit(job_of("web", "prod"));
  const TaskId task = scene.cell.running(job, 0, host), sibling = scene.cell.running(job, 1, host);
  const auto seen = scene.get("/api/v3/events?taskIds=" + to_text(task));
  EXPECT_THAT(seen->names(), ElementsAre("jobSnapshot", "taskSnapshot", "snapshotEnd"));
  scene.cell.ended(host, sibling, Reason::normal);
  scene.cell.ended(host, task, Reason::normal);
  scene.cell.apply(KillJob{job});
  scene.run();
  EXPECT_EQ(count_of(seen, "taskArchived"), 1U);
  EXPECT_EQ(count_of(seen, "jobChanged"), 1U);
  EXPECT_EQ(seen->body.find("\"taskId\":\"" + to_text(sibling)), std::string::npos);
}

TEST(GatewayEvents, ASnapshotOfManyJobsWithCriteriaComesInChunks) {
  Scene scene;
  const HostId host = scene.cell.host("h1", {1'000'000, 1'000'000, 1'000'000, 1'000'000, 0});
  for (int n = 0; n < 250; ++n) scene.cell.running(scene.cell.submit(job_of("web", "prod")), 0, host);
  const auto seen = scene.get("/api/v3/events?jobType=batch&owner=" + batch_of(1)->team_email);
  EXPECT_EQ(count_of(seen, "jobSnapshot"), 250U);
  EXPECT_EQ(count_of(seen, "taskSnapshot"), 250U);
  EXPECT_GT(seen->chunks, 3U);
}

TEST(GatewayEvents, CriteriaThatComeAndGoWithAStateAreRefusedWithThoseThatThereAre) {
  Scene scene;
  for (const auto* query :
       {"jobState=Accepted", "taskStates=Started", "where=id=1", "pageSize=3", "colour=x"}) {
    const auto seen = scene.get(std::string("/api/v3/events?") + query);
    EXPECT_EQ(seen->response.status, 400) << query;
    EXPECT_THAT(seen->response.body, HasSubstr("applicationName")) << query;
  }
  EXPECT_EQ(scene.get("/api/v3/jobs/" + to_text(scene.cell.submit(batch_of(1))) + "/events?owner=x")
                ->response.status,
            400);
}

TEST(GatewayEvents, AStreamBeginsOnlyWhenTheStateIsAsNewAsTheReadersOwnWrite) {
  Scene scene;
  const std::string next = to_text(scene.cell.last.next());
  const auto waits = scene.get("/api/v3/events?consistency=stale", {{"x-troupe-index", next}});
  EXPECT_FALSE(waits->opened);
  const JobId job = scene.cell.submit(batch_of(1));
  scene.run();
  ASSERT_TRUE(waits->opened);
  EXPECT_EQ(waits->header("x-troupe-index"), next);
  EXPECT_EQ(jobs_in(waits), std::set{to_text(job)});
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
  EXPECT_THAT(third->response.body, HasSubstr(R"("limit":{"name":"node.streams","max":2,"used":2,)"));
  first->leave();
  scene.run();
  EXPECT_TRUE(scene.get("/api/v3/events")->opened);
  EXPECT_THAT(scene.get("/metrics")->response.body,
              HasSubstr("troupe_gateway_streams_open{kind=\"events\"} 2"));
}

}  // namespace
}  // namespace troupe
