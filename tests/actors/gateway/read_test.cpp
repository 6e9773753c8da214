#include <gmock/gmock.h>

#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> item_ids(const SeenPtr& seen) {
  std::vector<std::string> ids;
  const json::Value body = seen->json();
  for (const json::Value& item : *body.find("items")->array()) ids.push_back(*item.find("id")->text());
  return ids;
}

std::string text_at(const SeenPtr& seen, std::string_view outer, std::string_view inner) {
  const json::Value body = seen->json();
  return *body.find(outer)->find(inner)->text();
}

TEST(GatewayRead, UnknownPathsAndMethodsAreErrorsOfTheOneShape) {
  Scene scene;
  const auto lost = scene.get("/api/v3/nothing");
  EXPECT_EQ(lost->response.status, 404);
  EXPECT_EQ(lost->code(), "not_found");
  const auto wrong = scene.call("PATCH", "/api/v3/jobs");
  EXPECT_EQ(wrong->response.status, 405);
  EXPECT_EQ(wrong->code(), "method_not_allowed");
  EXPECT_EQ(wrong->header("allow"), "POST, GET");
  EXPECT_EQ(scene.call("DELETE", "/api/v3/tasks")->header("allow"), "GET");
  EXPECT_EQ(scene.get("/api/v3/jobs/")->response.status, 404);
}

TEST(GatewayRead, JobsAreListedInOrderByPagesAndCriteria) {
  Scene scene;
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) {
    scene.cell.now.ms += 10;
    made.push_back(to_text(scene.cell.submit(i == 3 ? service_of(0, 1, 2) : batch_of(1))));
  }
  EXPECT_EQ(item_ids(scene.get("/api/v3/jobs")), made);
  const auto first = scene.get("/api/v3/jobs?pageSize=2");
  EXPECT_THAT(item_ids(first), ElementsAre(made[0], made[1]));
  const auto second = scene.get("/api/v3/jobs?pageSize=2&cursor=" + text_at(first, "pagination", "cursor"));
  EXPECT_THAT(item_ids(second), ElementsAre(made[2], made[3]));
  EXPECT_THAT(item_ids(scene.get("/api/v3/jobs?jobType=service")), ElementsAre(made[3]));
  EXPECT_THAT(scene.get("/api/v3/jobs?fields=status.state")->response.body, Not(HasSubstr("jobDescriptor")));
  EXPECT_EQ(scene.get("/api/v3/jobs?colour=red")->code(), "invalid_argument");
  EXPECT_EQ(scene.get("/api/v3/jobs?pageSize=0")->code(), "invalid_argument");
}

TEST(GatewayRead, AJobIsFoundAliveInTheArchiveOrNot) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  const JobId job = scene.cell.submit(batch_of(1));
  const auto live = scene.get("/api/v3/jobs/" + to_text(job));
  EXPECT_EQ(live->response.status, 200);
  EXPECT_EQ(text_at(live, "status", "state"), "Accepted");
  const JobId ended = scene.cell.run_to_end(host);
  EXPECT_EQ(text_at(scene.get("/api/v3/jobs/" + to_text(ended)), "status", "state"), "Finished");
  EXPECT_EQ(scene.get("/api/v3/jobs/" + to_text(scene.cell.random.uuid<JobId>()))->response.status, 404);
  EXPECT_EQ(scene.get("/api/v3/jobs/x")->response.status, 400);
}

TEST(GatewayRead, TasksAreListedWithEndedOnesOnRequest) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  const JobId job = scene.cell.submit(batch_of(2));
  const TaskId ended = scene.cell.running(job, 0, host);
  const TaskId live = scene.cell.running(job, 1, host);
  ASSERT_TRUE(scene.cell.ended(host, ended, Reason::failed, 3).taken());
  EXPECT_THAT(item_ids(scene.get("/api/v3/tasks")), ElementsAre(to_text(live)));
  const std::string of_job = "/api/v3/tasks?jobIds=" + to_text(job);
  EXPECT_THAT(item_ids(scene.get(of_job + "&taskStates=Finished")), ElementsAre(to_text(ended)));
  EXPECT_THAT(item_ids(scene.get(of_job + "&taskStates=any")),
              testing::UnorderedElementsAre(to_text(ended), to_text(live)));
  const auto one = scene.get("/api/v3/tasks/" + to_text(live));
  EXPECT_EQ(one->response.status, 200);
  EXPECT_THAT(one->response.body, HasSubstr("\"h1\""));
  EXPECT_EQ(text_at(scene.get("/api/v3/tasks/" + to_text(ended)), "status", "state"), "Finished");
  EXPECT_EQ(scene.get("/api/v3/tasks/" + to_text(scene.cell.random.uuid<TaskId>()))->response.status, 404);
}

TEST(GatewayRead, WhatIsToLeaveADrainedHostIsFound) {
  Scene scene;
  const HostId drained = scene.cell.host("h1"), other = scene.cell.host("h2");
  const JobId leaves = scene.cell.submit(batch_of(1)), stays = scene.cell.submit(batch_of(1));
  const TaskId leaving = scene.cell.running(leaves, 0, drained),
               staying = scene.cell.running(stays, 0, other);
  ASSERT_EQ(scene.call("PUT", "/api/v3/hosts/h1/phase", R"({"phase":"Draining"})")->response.status, 200);
  const auto holds = [&](const char* target, const std::string& id) {
    const auto seen = scene.get(target);
    EXPECT_EQ(seen->response.status, 200) << seen->response.body;
    return seen->response.body.find("\"id\":\"" + id) != std::string::npos;
  };
  EXPECT_TRUE(holds("/api/v3/tasks?needsMigration=true", to_text(leaving)));
  EXPECT_FALSE(holds("/api/v3/tasks?needsMigration=true", to_text(staying)));
  EXPECT_FALSE(holds("/api/v3/tasks?needsMigration=false", to_text(leaving)));
  EXPECT_TRUE(holds("/api/v3/tasks?needsMigration=false", to_text(staying)));
  EXPECT_TRUE(holds("/api/v3/jobs?needsMigration=true", to_text(leaves)));
  EXPECT_FALSE(holds("/api/v3/jobs?needsMigration=true", to_text(stays)));
  EXPECT_TRUE(holds("/api/v3/jobs?needsMigration=false", to_text(stays)));
  const auto task = scene.get("/api/v3/tasks/" + to_text(leaving));
  EXPECT_THAT(task->response.body, HasSubstr(R"("migrationDetails":{"needsMigration":true})"));
  EXPECT_THAT(scene.get("/api/v3/tasks/" + to_text(staying))->response.body,
              Not(HasSubstr("migrationDetails")));
}

TEST(GatewayRead, ATaskTellsThePortsThatItWasGiven) {
  Scene scene;
  while (scene.cell.reads().level() < level_of_ports)
    ASSERT_TRUE(
        scene.cell.apply(RaiseLevel{scene.cell.reads().level() + 1}, scene.cell.term_fence()).taken());
  constexpr Resources large{4'000, 8'000, 80'000, 1'000, 0};
  const HostId host = scene.cell.host("h1", large);
  ASSERT_TRUE(
      scene.cell.apply(RegisterHost{"h1", "flex", large, {{"ports", "20000-20009"}}, {"sim"}}).taken());
  JobDescriptor descriptor = *batch_of(1);
  descriptor.resources.ports = 2;
  const JobId job = scene.cell.submit(std::make_shared<const JobDescriptor>(descriptor));
  const TaskId task = scene.cell.running(job, 0, host);
  const auto seen = scene.get("/api/v3/tasks/" + to_text(task));
  EXPECT_THAT(seen->response.body, HasSubstr(R"("ports":[20)")) << "and the contract knows of it";
}

TEST(GatewayRead, HostsAPageAtATime) {
  Scene scene;
  for (int n = 1; n <= 300; ++n) scene.cell.host("h" + std::to_string(n));
  EXPECT_EQ(scene.get("/api/v3/hosts")->json().find("items")->array()->size(), 300U) << "all, if not said";
  std::string path = "/api/v3/hosts?pageSize=130&fields=name";
  std::vector<std::string> names;
  for (int pages = 0; pages < 4; ++pages) {
    const auto told = scene.get(path)->json();
    for (const auto& host : *told.find("items")->array()) names.push_back(*host.find("name")->text());
    const json::Value* pagination = told.find("pagination");
    if (!*pagination->find("hasMore")->boolean()) break;
    path = "/api/v3/hosts?pageSize=130&fields=name&cursor=" + *pagination->find("cursor")->text();
  }
  ASSERT_EQ(names.size(), 300U);
  for (int n = 1; n <= 300; ++n) EXPECT_EQ(names[static_cast<std::size_t>(n) - 1], "h" + std::to_string(n));
  EXPECT_EQ(scene.get("/api/v3/hosts?owner=me")->response.status, 400);
}

TEST(GatewayRead, HostsAndCellAndLimits) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  scene.cell.running(scene.cell.submit(batch_of(1)), 0, host);
  EXPECT_EQ(*scene.get("/api/v3/hosts")->json().find("pagination")->find("totalItems")->integer(), 1);
  EXPECT_EQ(*scene.get("/api/v3/hosts/h1")->json().find("name")->text(), "h1");
  EXPECT_EQ(scene.get("/api/v3/hosts/1")->json().find("tasks")->array()->size(), 1U);
  EXPECT_EQ(scene.get("/api/v3/hosts/h2")->response.status, 404);
  const auto cell = scene.get("/api/v3/cell");
  EXPECT_EQ(*cell->json().find("name")->text(), "test");
  EXPECT_EQ(*cell->json().find("tasks")->integer(), 1);
  EXPECT_EQ(*cell->json().find("leader")->integer(), 1);
  EXPECT_EQ(*scene.get("/api/v3/limits")->json().find("jobs")->find("used")->integer(), 1);
  EXPECT_EQ(scene.get("/api/v3/limits?x=1")->response.status, 400);
}

TEST(GatewayRead, ALinearizableReadAsksTheReplicaAndAStaleOneDoesNot) {
  Scene scene;
  scene.get("/api/v3/jobs");
  EXPECT_EQ(scene.reads_awaited, 1U);
  const auto stale = scene.get("/api/v3/jobs?consistency=stale");
  EXPECT_EQ(stale->response.status, 200);
  EXPECT_EQ(stale->header("x-troupe-index"), std::to_string(scene.cell.last.value));
  EXPECT_EQ(scene.reads_awaited, 1U);
  EXPECT_EQ(scene.get("/api/v3/jobs?consistency=perhaps")->response.status, 400);
}

TEST(GatewayRead, WithoutALeaderAnUnknownIdIs503AndNever404) {
  Scene scene;
  scene.replica_does = Scene::Replica::fails;
  const auto seen = scene.get("/api/v3/jobs/" + to_text(scene.cell.random.uuid<JobId>()));
  EXPECT_EQ(seen->response.status, 503);
  EXPECT_EQ(seen->header("retry-after"), "1");
  scene.replica_does = Scene::Replica::silent;
  const auto waits = scene.get("/api/v3/jobs/" + to_text(scene.cell.random.uuid<JobId>()));
  scene.advance(milliseconds(5'900));
  EXPECT_FALSE(waits->answered);
  scene.advance(milliseconds(200));
  EXPECT_EQ(waits->response.status, 503);
}

TEST(GatewayRead, AReadWaitsForTheIndexItsCallerHasSeen) {
  Scene scene;
  const std::string next = std::to_string(scene.cell.last.value + 1);
  const auto seen = scene.get("/api/v3/jobs?consistency=stale", {{"x-troupe-index", next}});
  EXPECT_FALSE(seen->answered);
  scene.cell.submit(batch_of(1));
  scene.run();
  ASSERT_TRUE(seen->answered);
  EXPECT_EQ(item_ids(seen).size(), 1U);
  EXPECT_EQ(seen->header("x-troupe-index"), next);
  const auto never = scene.get("/api/v3/jobs?consistency=stale", {{"x-troupe-index", "99999999"}});
  scene.advance(milliseconds(5'100));
  EXPECT_EQ(never->response.status, 503);
  EXPECT_EQ(scene.get("/api/v3/jobs", {{"x-troupe-index", "soon"}})->response.status, 400);
}

TEST(GatewayRead, WhyATaskWaitsIsTheSchedulersWord) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  const JobId job = scene.cell.submit(batch_of(2));
  const TaskId waiting = scene.cell.start(job, 0);
  const auto seen = scene.get("/api/v3/scheduler/results/" + to_text(waiting));
  ASSERT_EQ(scene.asked.size(), 1U);
  EXPECT_EQ(scene.asked.front().node, NodeId{});
  EXPECT_EQ(std::get<AskScheduler>(scene.asked.front().question).task, waiting);
  scene.answer(Answer::of(Bytes(R"({"failures":{}})")));
  EXPECT_EQ(seen->response.body, R"({"failures":{}})");
  const auto explained = scene.get("/api/v3/tasks/" + to_text(waiting) + "/explain");
  scene.answer(Answer::of(Bytes(R"({"changes":[]})")));
  EXPECT_EQ(explained->response.body, R"({"changes":[]})");
  const TaskId placed = scene.cell.running(job, 1, host);
  EXPECT_THAT(scene.get("/api/v3/scheduler/results/" + to_text(placed))->response.body, HasSubstr("success"));
  EXPECT_TRUE(scene.asked.empty());
  EXPECT_EQ(
      scene.get("/api/v3/scheduler/results/" + to_text(scene.cell.random.uuid<TaskId>()))->response.status,
      404);
  const auto unanswered = scene.get("/api/v3/scheduler/results/" + to_text(waiting));
  scene.advance(milliseconds(6'100));
  EXPECT_EQ(unanswered->response.status, 503);
}

TEST(GatewayRead, TheConsoleOfANodeIsAsked) {
  Scene scene;
  const auto seen = scene.get("/api/v3/console?command=actors&node=2");
  ASSERT_EQ(scene.asked.size(), 1U);
  EXPECT_EQ(scene.asked.front().node, NodeId{2});
  EXPECT_EQ(std::get<AskConsole>(scene.asked.front().question).command, "actors");
  scene.answer(Answer::of(Error{ErrorCode::invalid_argument, "no such command"}));
  EXPECT_EQ(seen->response.status, 400);
  scene.get("/api/v3/console?command=node");
  EXPECT_EQ(scene.asked.front().node, NodeId{1});
  EXPECT_EQ(scene.get("/api/v3/console")->response.status, 400);
  EXPECT_EQ(scene.get("/api/v3/actors?where=mailbx>1")->response.status, 400);
  EXPECT_THAT(
      scene.get("/api/v3/actors?where=mailbx>1")->response.body,
      testing::AllOf(testing::HasSubstr("did you mean mailbox?"), testing::HasSubstr("\"column\":1")));
  for (const char* query : {"?limit=0", "?limit=x", "?node=9", "?what=1", "?where=mailbox>1 limit 5"})
    EXPECT_EQ(scene.get(std::string("/api/v3/actors") + query)->response.status, 400) << query;
  EXPECT_EQ(scene.get("/api/v3/console?command=node&node=9")->response.status, 400);
}

TEST(GatewayRead, HealthSaysWhyItDoesNotServe) {
  Scene scene;
  EXPECT_EQ(scene.get("/health")->response.status, 200);
  EXPECT_EQ(*scene.get("/api/v3/status")->json().find("status")->text(), "SERVING");
  scene.context->status.commit = scene.context->status.applied + 1'001;
  EXPECT_EQ(scene.get("/health")->response.status, 503);
  scene.context->status.commit = scene.context->status.applied + 1'000;
  EXPECT_EQ(scene.get("/health")->response.status, 200);
  scene.context->status.leased = false;
  EXPECT_THAT(scene.get("/health")->response.body, HasSubstr("has not confirmed"));
  scene.context->status.leader = 0;
  const auto seen = scene.get("/health");
  EXPECT_EQ(seen->response.status, 503);
  EXPECT_EQ(seen->header("retry-after"), "1");
  EXPECT_EQ(*seen->json().find("why")->text(), "no leader is known");
  EXPECT_EQ(scene.reads_awaited, 0U);
}

TEST(GatewayRead, MetricsTellOfFollowersOnlyWhileThisNodeLeads) {
  Scene scene;
  PeerStanding away;
  away.id = NodeId{2};
  away.lag = 7;
  PeerStanding near;
  near.id = NodeId{3};
  scene.context->peers.set({away, near});
  EXPECT_THAT(scene.get("/metrics")->response.body, HasSubstr("troupe_follower_lag_entries{peer=\"2\"} 7"));
  near.lag = 1;
  scene.context->peers.set({near});
  const std::string without = scene.get("/metrics")->response.body;
  EXPECT_THAT(without, HasSubstr("troupe_follower_lag_entries{peer=\"3\"} 1"));
  EXPECT_THAT(without, Not(HasSubstr("peer=\"2\"")));
  scene.context->peers.set({});
  EXPECT_THAT(scene.get("/metrics")->response.body, Not(HasSubstr("peer=")));
}

TEST(GatewayRead, MetricsCountRequestsAndShowTheNode) {
  Scene scene;
  scene.cell.host("h1");
  scene.call("POST", "/api/v3/jobs", job_body());
  scene.get("/api/v3/jobs/x");
  const auto seen = scene.get("/metrics");
  EXPECT_THAT(seen->header("content-type"), HasSubstr("text/plain"));
  const std::string& text = seen->response.body;
  EXPECT_THAT(text, HasSubstr("troupe_gateway_requests_total{route=\"/api/v3/jobs\",status=\"202\"} 1"));
  EXPECT_THAT(text, HasSubstr("route=\"/api/v3/jobs/{id}\",status=\"400\"} 1"));
  EXPECT_THAT(text, HasSubstr("troupe_jobs_live 1"));
  EXPECT_THAT(text, HasSubstr("troupe_hosts_connected 1"));
  EXPECT_THAT(text, HasSubstr("troupe_node_leased 1"));
  EXPECT_THAT(text, HasSubstr("troupe_raft_applied_index " + std::to_string(scene.cell.last.value)));
}

}  // namespace
}  // namespace troupe
