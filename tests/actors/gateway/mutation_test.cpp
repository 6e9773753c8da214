#include <gmock/gmock.h>

#include "actors/gateway/gateway_settings.hpp"
#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::string id_of(const SeenPtr& seen) { return *seen->json().find("id")->text(); }

TEST(GatewayMutation, ANodeThatStopsSaysWhatItDoesNotKnow) {
  auto scene = std::make_unique<Scene>();
  scene->replica_does = Scene::Replica::silent;
  const auto change = scene->call("POST", "/api/v3/jobs", job_body(), {{"idempotency-key", "k1"}});
  const auto read = scene->get("/api/v3/jobs");
  EXPECT_FALSE(change->answered || read->answered);
  scene.reset();
  EXPECT_EQ(change->response.status, 504);
  EXPECT_EQ(change->code(), "outcome_unknown");
  EXPECT_EQ(*change->json().find("requestId")->text(), "k1");
  EXPECT_TRUE(change->header("retry-after").empty());
  EXPECT_EQ(read->response.status, 503);
  EXPECT_FALSE(read->header("retry-after").empty());
}

TEST(GatewayMutation, WhatAStoppingNodeNeverReadSurelyDidNotHappen) {
  Scene scene;
  caf::anon_send_exit(scene.gateway, caf::exit_reason::kill);
  const auto queued = scene.start("POST", "/api/v3/jobs", job_body());
  scene.run();
  const auto late = scene.start("GET", "/api/v3/jobs");
  for (const auto& seen : {queued, late}) {
    ASSERT_TRUE(seen->answered);
    EXPECT_EQ(seen->response.status, 503);
    EXPECT_EQ(seen->code(), "unavailable");
    EXPECT_FALSE(seen->header("retry-after").empty());
  }
  EXPECT_TRUE(scene.proposed.empty());
}

TEST(GatewayMutation, AJobIsCreatedAndSaysWhereItIs) {
  Scene scene;
  const auto seen = scene.call("POST", "/api/v3/jobs", job_body(), {{"content-type", "application/json"}});
  ASSERT_EQ(seen->response.status, 202) << seen->response.body;
  const auto id = parse_uuid<JobId>(id_of(seen));
  ASSERT_TRUE(id.ok());
  EXPECT_TRUE(scene.cell.has_job(id.value()));
  EXPECT_EQ(seen->header("location"), "/api/v3/jobs/" + id_of(seen));
  EXPECT_EQ(seen->header("x-troupe-index"), std::to_string(scene.cell.last.value));
  EXPECT_EQ(seen->header("x-troupe-request-id").size(), 36U);
  EXPECT_EQ(scene.proposed.front().command.request, seen->header("x-troupe-request-id"));
}

TEST(GatewayMutation, ARepeatedKeyAnswersTheSameJobAlsoOnAnotherConnection) {
  Scene scene;
  const http::Headers headers{{"idempotency-key", "order-7"}};
  const auto first = scene.call("POST", "/api/v3/jobs", job_body(), headers);
  const auto second = scene.call("POST", "/api/v3/jobs", job_body(), headers);
  EXPECT_EQ(first->response.status, 202);
  EXPECT_EQ(second->response.status, 202);
  EXPECT_EQ(id_of(first), id_of(second));
  EXPECT_EQ(second->header("location"), first->header("location"));
  EXPECT_EQ(second->header("x-troupe-request-id"), "order-7");
  EXPECT_EQ(scene.cell.reads().cell().live_jobs, 1U);
  const auto other = scene.call("POST", "/api/v3/jobs", job_body("another"), headers);
  EXPECT_EQ(other->response.status, 422);
  EXPECT_EQ(other->code(), "request_id_reused");
}

TEST(GatewayMutation, WithoutAKeyTwoCallsMakeTwoJobs) {
  Scene scene;
  const auto first = scene.call("POST", "/api/v3/jobs", job_body());
  const auto second = scene.call("POST", "/api/v3/jobs", job_body());
  EXPECT_NE(id_of(first), id_of(second));
  EXPECT_NE(first->header("x-troupe-request-id"), second->header("x-troupe-request-id"));
}

TEST(GatewayMutation, CallerAndReasonTravelAndAnonymousHasNoPort) {
  Scene scene;
  scene.call("POST", "/api/v3/jobs", job_body());
  EXPECT_EQ(scene.proposed.back().command.caller, "anonymous@10.0.0.7");
  scene.call("POST", "/api/v3/jobs", job_body(),
             {{"x-titus-callerid", "ann"}, {"x-titus-callreason", "release 7"}});
  EXPECT_EQ(scene.proposed.back().command.caller, "ann");
  EXPECT_EQ(scene.proposed.back().command.reason, "release 7");
}

TEST(GatewayMutation, AScriptOfSimulatedContainersThatCannotBeReadIsRefusedWithItsPlace) {
  Scene scene;
  const auto with = [&](const std::string& members) {
    return scene.call("POST", "/api/v3/jobs", "{" + members + "," + job_body().substr(1));
  };
  const auto wrong = with(R"("attributes": {"troupe.sim": "run=1s walk"})");
  EXPECT_EQ(wrong->response.status, 400);
  const json::Value& violation = wrong->json().find("violations")->array()->front();
  EXPECT_EQ(*violation.find("path")->text(), "attributes.troupe.sim");
  EXPECT_THAT(std::string(*violation.find("message")->text()), HasSubstr("column 8: unknown item 'walk'"));
  EXPECT_TRUE(scene.proposed.empty());
  EXPECT_EQ(with(R"("attributes": {"troupe.sim": "attempt 0: crash"})")->response.status, 202);
}

TEST(GatewayMutation, BadRequestsAreRefusedBeforeAnythingIsProposed) {
  Scene scene;
  const auto wrong = scene.call("POST", "/api/v3/jobs", R"({"owner":7})");
  EXPECT_EQ(wrong->response.status, 400);
  EXPECT_GT(wrong->json().find("violations")->array()->size(), 1U);
  EXPECT_EQ(scene.call("POST", "/api/v3/jobs", job_body(), {{"content-type", "text/xml"}})->code(),
            "unsupported_media_type");
  EXPECT_EQ(
      scene.call("POST", "/api/v3/jobs", job_body(), {{"content-type", "application/json; charset=utf-8"}})
          ->response.status,
      202);
  scene.proposed.clear();
  EXPECT_EQ(
      scene.call("POST", "/api/v3/jobs", job_body(), {{"idempotency-key", std::string(129, 'k')}})->code(),
      "invalid_argument");
  EXPECT_EQ(scene.call("POST", "/api/v3/jobs", job_body(), {{"idempotency-key", "a\nb"}})->code(),
            "invalid_argument");
  EXPECT_EQ(scene.call("DELETE", "/api/v3/jobs/7")->code(), "invalid_argument");
  EXPECT_EQ(scene.call("PUT", "/api/v3/jobs/7/instances", "{}")->code(), "invalid_argument");
  EXPECT_TRUE(scene.proposed.empty());
}

TEST(GatewayMutation, AKeyOfTheGreatestLengthIsTaken) {
  Scene scene;
  EXPECT_EQ(scene.call("POST", "/api/v3/jobs", job_body(), {{"idempotency-key", std::string(128, 'k')}})
                ->response.status,
            202);
}

TEST(GatewayMutation, AJobIsKilledOnceAndUnknownOnesAreNot) {
  Scene scene;
  const JobId job = scene.cell.submit(batch_of(1));
  EXPECT_EQ(scene.call("DELETE", "/api/v3/jobs/" + to_text(job))->response.status, 200);
  EXPECT_EQ(scene.cell.job(job).state, JobState::kill_initiated);
  const auto again = scene.call("DELETE", "/api/v3/jobs/" + to_text(job));
  EXPECT_EQ(again->response.status, 409);
  EXPECT_EQ(again->code(), "job_terminating");
  EXPECT_EQ(again->header("x-troupe-request-id").size(), 36U);
  EXPECT_EQ(scene.call("DELETE", "/api/v3/jobs/" + to_text(scene.cell.random.uuid<JobId>()))->response.status,
            404);
}

TEST(GatewayMutation, AServiceIsResizedWholeOrInPart) {
  Scene scene;
  const JobId job = scene.cell.submit(service_of(1, 2, 5));
  const std::string url = "/api/v3/jobs/" + to_text(job);
  EXPECT_EQ(scene.call("PUT", url + "/instances", R"({"min":2,"desired":3,"max":9})")->response.status, 200);
  EXPECT_EQ(scene.cell.job(job).capacity, (Capacity{2, 3, 9}));
  EXPECT_EQ(scene.call("PUT", url + "/capacityAttributes", R"({"desired":4})")->response.status, 200);
  EXPECT_EQ(scene.cell.job(job).capacity, (Capacity{2, 4, 9}));
  EXPECT_EQ(scene.call("PUT", url + "/instances", R"({"min":5,"desired":3,"max":9})")->response.status, 400);
}

TEST(GatewayMutation, ATaskIsKilledInTheNameOfItsCaller) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  const JobId job = scene.cell.submit(batch_of(1));
  const TaskId task = scene.cell.running(job, 0, host);
  const auto seen = scene.call("DELETE", "/api/v3/tasks/" + to_text(task), {},
                               {{"x-titus-callerid", "ann"}, {"x-titus-callreason", "stuck"}});
  EXPECT_EQ(seen->response.status, 200);
  EXPECT_EQ(scene.cell.task(task).state, TaskState::kill_initiated);
  EXPECT_EQ(scene.cell.task(task).step(TaskState::kill_initiated).reason, Reason::killed);
  EXPECT_EQ(scene.cell.task(task).message, "killed by ann: stuck");
  EXPECT_EQ(scene.call("DELETE", "/api/v3/tasks/" + to_text(task))->code(), "task_terminating");
  EXPECT_EQ(scene.call("DELETE", "/api/v3/tasks/" + to_text(task) + "?shrink=true")->response.status, 400);
}

TEST(GatewayMutation, AHostChangesItsPhaseByNameOrNumber) {
  Scene scene;
  const HostId host = scene.cell.host("h1");
  EXPECT_EQ(scene.call("PUT", "/api/v3/hosts/h1/phase", R"({"phase":"Draining"})")->response.status, 200);
  EXPECT_EQ(scene.cell.reads().host(host)->record.phase, HostPhase::draining);
  EXPECT_EQ(scene.call("PUT", "/api/v3/hosts/1/phase", R"({"phase":"Active"})")->response.status, 200);
  EXPECT_EQ(scene.cell.reads().host(host)->record.phase, HostPhase::active);
  EXPECT_EQ(scene.call("PUT", "/api/v3/hosts/h1/phase", R"({"phase":"Asleep"})")->response.status, 400);
  EXPECT_EQ(scene.call("PUT", "/api/v3/hosts/h9/phase", R"({"phase":"Active"})")->response.status, 404);
}

TEST(GatewayMutation, AnEntitySetAsideIsReleased) {
  Scene scene;
  const JobId job = scene.cell.submit(batch_of(1));
  ASSERT_TRUE(scene.cell.apply(SetAside{EntityRef::of(job), "crashes"}, scene.cell.fence_of(job)).taken());
  const std::string url = "/api/v3/entities/job/" + to_text(job) + "/release";
  EXPECT_EQ(scene.call("POST", url)->response.status, 200);
  EXPECT_EQ(scene.cell.job(job).set_aside, "");
  EXPECT_EQ(scene.call("POST", url)->code(), "precondition_failed");
  const EntityRef group = EntityRef::of_group("DEFAULT");
  ASSERT_TRUE(scene.cell.apply(SetAside{group, "crashes"}, scene.cell.fence_of(shard_of(group, test_shards)))
                  .taken());
  EXPECT_EQ(scene.call("POST", "/api/v3/entities/group/DEFAULT/release")->response.status, 200);
  EXPECT_EQ(scene.call("POST", "/api/v3/entities/group/x/release")->code(), "not_found");
  EXPECT_EQ(scene.call("POST", "/api/v3/entities/cat/x/release")->code(), "invalid_argument");
  EXPECT_EQ(scene.call("POST", "/api/v3/entities/host/x/release")->code(), "not_found");
  scene.cell.host("h-1");
  EXPECT_EQ(scene.call("POST", "/api/v3/entities/host/h-1/release")->code(), "precondition_failed");
}

TEST(GatewayMutation, WithTooManySetAsideNothingIsChangedButWhatMends) {
  Scene scene([](NodeContext& context) { context.settings.set(gateway::set_aside_max, 2); });
  std::vector<JobId> broken;
  for (int n = 0; n < 2; ++n) {
    EXPECT_EQ(scene.call("POST", "/api/v3/jobs", job_body())->response.status, 202) << n << " are set aside";
    broken.push_back(scene.cell.submit(batch_of(1)));
    ASSERT_TRUE(
        scene.cell
            .apply(SetAside{EntityRef::of(broken.back()), "crashes"}, scene.cell.fence_of(broken.back()))
            .taken());
  }
  const auto refused = scene.call("POST", "/api/v3/jobs", job_body());
  EXPECT_EQ(refused->response.status, 503);
  EXPECT_EQ(refused->code(), "unavailable");
  EXPECT_NE(refused->response.body.find("the cell is read-only: 2 entities are set aside"), std::string::npos)
      << refused->response.body;
  EXPECT_FALSE(refused->header("x-troupe-request-id").empty());
  EXPECT_FALSE(refused->header("retry-after").empty());
  const auto cell = scene.get("/api/v3/cell");
  EXPECT_NE(cell->response.body.find(R"("setAside":2,"readOnly":"the cell is)"), std::string::npos);
  EXPECT_EQ(scene.get("/api/v3/jobs")->response.status, 200) << "all may be looked at";
  EXPECT_EQ(scene.call("DELETE", "/api/v3/jobs/" + to_text(broken[0]))->response.status, 200);
  EXPECT_EQ(scene.call("PUT", "/api/v3/cell/policy", R"({"jobsMax":5})")->response.status, 200);
  EXPECT_EQ(scene.call("POST", "/api/v3/entities/job/" + to_text(broken[1]) + "/release")->response.status,
            200);
  EXPECT_EQ(scene.call("POST", "/api/v3/jobs", job_body())->response.status, 202);
  EXPECT_EQ(scene.get("/api/v3/cell")->response.body.find("readOnly"), std::string::npos);
}

TEST(GatewayMutation, WhatSurelyDidNotHappenInvitesToRetry) {
  Scene scene;
  scene.replica_does = Scene::Replica::fails;
  for (const auto code : {ErrorCode::unavailable, ErrorCode::not_leader, ErrorCode::overloaded}) {
    scene.replica_error = {code, "not now"};
    const auto seen = scene.call("POST", "/api/v3/jobs", job_body());
    EXPECT_EQ(seen->response.status, 503);
    EXPECT_EQ(seen->header("retry-after"), "1");
  }
}

TEST(GatewayMutation, AnUnknownOutcomeNamesRequestAndEntityAndDoesNotSayRetry) {
  Scene scene;
  scene.replica_does = Scene::Replica::fails;
  scene.replica_error = {ErrorCode::outcome_unknown, "the leader fell silent"};
  const auto seen = scene.call("POST", "/api/v3/jobs", job_body(), {{"idempotency-key", "k1"}});
  EXPECT_EQ(seen->response.status, 504);
  EXPECT_EQ(seen->header("retry-after"), "");
  EXPECT_EQ(*seen->json().find("requestId")->text(), "k1");
  EXPECT_THAT(*seen->json().find("entityUrl")->text(), HasSubstr("/api/v3/jobs/"));
}

TEST(GatewayMutation, ASilentReplicaIsAnUnknownOutcomeAtTheDeadline) {
  Scene scene;
  scene.replica_does = Scene::Replica::silent;
  const auto seen = scene.call("POST", "/api/v3/jobs", job_body());
  scene.advance(milliseconds(10'900));
  EXPECT_FALSE(seen->answered);
  scene.advance(milliseconds(200));
  ASSERT_TRUE(seen->answered);
  EXPECT_EQ(seen->response.status, 504);
  EXPECT_EQ(seen->code(), "outcome_unknown");
}

TEST(GatewayMutation, BeyondTheLimitOfWaitingCallsTheNextIsRefusedAtOnce) {
  Scene scene;
  scene.replica_does = Scene::Replica::silent;
  std::vector<SeenPtr> waiting;
  for (int i = 0; i < 10'000; ++i)
    waiting.push_back(scene.start("DELETE", "/api/v3/jobs/" + to_text(JobId{})));
  scene.run();
  EXPECT_THAT(scene.proposed, SizeIs(10'000));
  const auto refused = scene.call("POST", "/api/v3/jobs", job_body());
  ASSERT_TRUE(refused->answered);
  EXPECT_EQ(refused->response.status, 503);
  EXPECT_EQ(refused->code(), "overloaded");
  EXPECT_THAT(refused->response.body,
              HasSubstr(R"("limit":{"name":"node.waiting","max":10000,"used":10000,"retryAfterMs":1000})"));
  EXPECT_EQ(refused->header("retry-after"), "1");
  EXPECT_EQ(scene.get("/api/v3/cell")->code(), "overloaded");
  EXPECT_FALSE(waiting.front()->answered);
}

}  // namespace
}  // namespace troupe
