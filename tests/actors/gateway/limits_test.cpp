// How fast callers may call, and what they are told of their limits.

#include <gmock/gmock.h>

#include "actors/gateway/admission.hpp"
#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using gateway::Admission;
using testing::HasSubstr;

Moment at(std::int64_t ms) { return {ms * 1'000'000}; }

TEST(AdmissionBuckets, LetABurstThroughAndThenTheirRate) {
  Admission admission;
  admission.set({{"r", "*", "POST *", 3, 60, false}});
  for (int n = 0; n < 3; ++n) EXPECT_FALSE(admission.take(at(0), "ann", "POST /x"));
  const auto refusal = admission.take(at(0), "ann", "POST /x");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, ErrorCode::limit_exceeded);
  EXPECT_EQ(refusal->limit->name, "rate.r");
  EXPECT_EQ(refusal->limit->max, 3U);
  EXPECT_EQ(refusal->limit->retry_after_ms, 1'000);
  EXPECT_TRUE(admission.take(at(999), "ann", "POST /x"));
  EXPECT_FALSE(admission.take(at(1'000), "ann", "POST /x")) << "after the time that was said";
  EXPECT_TRUE(admission.take(at(1'000), "ann", "POST /x"));
  EXPECT_FALSE(admission.take(at(1'000), "bob", "POST /x")) << "another caller has a bucket of its own";
  EXPECT_FALSE(admission.take(at(1'000), "ann", "GET /x")) << "another endpoint is free";
}

TEST(AdmissionBuckets, TheFirstRuleThatFitsCountsAndASharedOneIsForAll) {
  Admission admission;
  admission.set({{"own", "ann", "*", 2, 60, false}, {"rest", "*", "*", 1, 60, true}});
  EXPECT_FALSE(admission.take(at(0), "ann", "GET /"));
  EXPECT_FALSE(admission.take(at(0), "bob", "GET /"));
  EXPECT_EQ(admission.take(at(0), "cid", "GET /")->limit->name, "rate.rest");
  EXPECT_FALSE(admission.take(at(0), "ann", "GET /"));
  EXPECT_EQ(admission.take(at(0), "ann", "GET /")->limit->name, "rate.own");
}

TEST(AdmissionBuckets, ChangedRulesBeginAnewAndTheOthersDoNot) {
  Admission admission;
  const RateRule kept{"kept", "ann", "*", 1, 60, false};
  admission.set({kept, {"changed", "bob", "*", 1, 60, false}});
  EXPECT_FALSE(admission.take(at(0), "ann", "GET /"));
  EXPECT_FALSE(admission.take(at(0), "bob", "GET /"));
  admission.set({kept, {"changed", "bob", "*", 2, 60, false}});
  EXPECT_TRUE(admission.take(at(0), "ann", "GET /"));
  EXPECT_FALSE(admission.take(at(0), "bob", "GET /"));
  admission.set({});
  EXPECT_FALSE(admission.take(at(0), "ann", "GET /"));
}

TEST(AdmissionBuckets, AreBoundedAndForgetWhoIsAtRest) {
  Admission admission;
  admission.set({{"r", "*", "*", 1, 60, false}});
  for (std::size_t n = 0; n < Admission::callers_max; ++n)
    EXPECT_FALSE(admission.take(at(0), std::to_string(n), "GET /"));
  EXPECT_FALSE(admission.take(at(0), "late", "GET /")) << "newcomers share one";
  EXPECT_TRUE(admission.take(at(0), "later", "GET /"));
  EXPECT_FALSE(admission.take(at(60'000), "much later", "GET /"));
  EXPECT_EQ(admission.headroom(at(60'000), "much later")[0].left, 0U);
}

// ---- through the gateway ----
struct GatewayLimits : testing::Test {
  Scene scene;
  SeenPtr put_policy(std::string body) { return scene.call("PUT", "/api/v3/cell/policy", std::move(body)); }
  SeenPtr submit(const std::string& caller) {
    return scene.call("POST", "/api/v3/jobs", job_body(), {{"x-titus-callerid", caller}});
  }
};

TEST_F(GatewayLimits, ARunAwaySubmitterIsHeldBackAndToldWhenToTryAgain) {
  ASSERT_EQ(put_policy(R"({"rates":[{"name":"submits","caller":"ci-*","endpoint":"POST /api/v3/jobs",)"
                       R"("burst":2,"perMinute":30}]})")
                ->response.status,
            200);
  EXPECT_EQ(submit("ci-7")->response.status, 202);
  EXPECT_EQ(submit("ci-7")->response.status, 202);
  const auto refused = submit("ci-7");
  EXPECT_EQ(refused->response.status, 429);
  EXPECT_EQ(refused->code(), "limit_exceeded");
  EXPECT_EQ(refused->header("retry-after"), "2");
  const auto body = refused->json();
  EXPECT_EQ(*body.find("limit")->find("name")->text(), "rate.submits");
  EXPECT_EQ(*body.find("limit")->find("retryAfterMs")->integer(), 2'000);
  EXPECT_EQ(submit("people")->response.status, 202) << "the others do not notice";
  EXPECT_EQ(scene.get("/api/v3/jobs", {{"x-titus-callerid", "ci-7"}})->response.status, 200);
  scene.advance(milliseconds(2'000));
  EXPECT_EQ(submit("ci-7")->response.status, 202);
  EXPECT_EQ(scene.cell.reads().cell().live_jobs, 4U);
}

TEST_F(GatewayLimits, ACapSaysWhichItIsItsValueAndThePresentUse) {
  ASSERT_EQ(put_policy(R"({"callerJobsMax":1,"callerTasksMax":"10"})")->response.status, 200);
  EXPECT_EQ(submit("ann")->response.status, 202);
  const auto refused = submit("ann");
  EXPECT_EQ(refused->response.status, 429);
  EXPECT_EQ(refused->header("retry-after"), "5");
  const auto body = refused->json();
  const auto* limit = body.find("limit");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(*limit->find("name")->text(), "caller.jobs");
  EXPECT_EQ(*limit->find("max")->integer(), 1);
  EXPECT_EQ(*limit->find("used")->integer(), 1);
  EXPECT_EQ(submit("bob")->response.status, 202);
}

TEST_F(GatewayLimits, ACallerSeesItsRatesAndHeadroom) {
  put_policy(R"({"callerJobsMax":3,"rates":[{"name":"mine","caller":"ann","burst":5,"perMinute":60},)"
             R"({"name":"theirs","caller":"bob","burst":5,"perMinute":60}]})");
  submit("ann");
  const auto seen = scene.get("/api/v3/limits", {{"x-titus-callerid", "ann"}});
  ASSERT_EQ(seen->response.status, 200) << seen->response.body;
  const auto limits = seen->json();
  EXPECT_EQ(*limits.find("jobs")->find("used")->integer(), 1);
  EXPECT_EQ(*limits.find("caller")->find("name")->text(), "ann");
  EXPECT_EQ(*limits.find("caller")->find("jobs")->find("left")->integer(), 2);
  EXPECT_EQ(limits.find("caller")->find("tasks")->find("max"), nullptr) << "there is none";
  EXPECT_EQ(*(*limits.find("capacityGroups")->array())[0].find("name")->text(), "DEFAULT");
  ASSERT_EQ(limits.find("rates")->array()->size(), 1U);
  EXPECT_EQ(*(*limits.find("rates")->array())[0].find("left")->integer(), 4);
}

TEST_F(GatewayLimits, ThePolicyChangesInPartAndIsCheckedWhole) {
  const auto before = scene.cell.reads().cell().record.policy;
  const auto changed = put_policy(R"({"jobsMax":7,"hostLostAfterMs":30000})");
  ASSERT_EQ(changed->response.status, 200) << changed->response.body;
  EXPECT_EQ(*changed->json().find("jobsMax")->integer(), 7);
  const auto after = scene.cell.reads().cell().record.policy;
  EXPECT_EQ(after.jobs_max, 7U);
  EXPECT_EQ(after.host_lost_after, milliseconds(30'000));
  EXPECT_EQ(after.tasks_max, before.tasks_max);
  for (const std::string wrong :
       {R"({"jobsMax":-1})", R"({"jobMax":1})", R"({"hostLostAfterMs":1})", R"({"rates":[{"name":"a"}]})",
        R"({"rates":[{"name":"a","burst":1,"perMinute":1},{"name":"a","burst":1,"perMinute":1}]})", "[]"})
    EXPECT_EQ(put_policy(wrong)->code(), "invalid_argument") << wrong;
  EXPECT_EQ(scene.cell.reads().cell().record.policy, after);
}

TEST_F(GatewayLimits, AnOperatorIsNotLockedOutByARate) {
  put_policy(R"({"rates":[{"name":"all","burst":1,"perMinute":1}]})");
  EXPECT_EQ(scene.get("/api/v3/jobs")->response.status, 200);
  EXPECT_EQ(scene.get("/api/v3/jobs")->response.status, 429);
  EXPECT_EQ(scene.get("/health")->response.status, 200);
  EXPECT_EQ(scene.get("/api/v3/limits")->response.status, 200);
  EXPECT_THAT(scene.get("/metrics")->response.body, HasSubstr("rate"));
  EXPECT_EQ(put_policy(R"({"rates":[]})")->response.status, 200);
  EXPECT_EQ(scene.get("/api/v3/jobs")->response.status, 200);
}

}  // namespace
}  // namespace troupe
