// Plans: asked of the scheduler, told with a text, and kept by what is submitted with it.

#include "net/api/plan.hpp"

#include <gmock/gmock.h>

#include "actors/scheduler/plan_told.hpp"
#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

struct PlanScene : Scene {
  HostId host = cell.host("h1", {2'000, 8'000, 80'000, 1'000, 0});
  PlanScene() { cell.apply(RaiseLevel{1}, cell.term_fence()), cell.apply(RaiseLevel{2}, cell.term_fence()); }

  PlanTold::Place place(std::vector<PlanTold::Ended> victims = {}, bool waits = false) const {
    return {host, "h1", cell.reads().host(host)->record.eligibility, std::move(victims), waits};
  }
  const AskPlan& question() const { return std::get<AskPlan>(asked.front().question); }
  SeenPtr plan(const std::string& body, std::vector<PlanTold::Place> places, std::string why = {}) {
    const auto seen = call("POST", "/api/v3/plan", body);
    answer(Answer::of(packed(PlanTold{cell.last, std::move(places), std::move(why)})));
    return seen;
  }
  static std::string text_of(const SeenPtr& seen) { return std::string(*seen->json().find("plan")->text()); }
  std::string of_job(int size) { return R"({"job":)" + job_body("app", size) + "}"; }
  /// The scheduler finds these differences, if it is asked.
  SeenPtr submit(const std::string& text, const std::string& rest = {},
                 std::vector<std::string> differences = {}, http::Headers headers = {}) {
    const auto seen =
        call("POST", "/api/v3/plan/submit", R"({"plan":")" + text + '"' + rest + "}", std::move(headers));
    if (!asked.empty()) answer(Answer::of(packed(PlanChecked{std::move(differences)})));
    return seen;
  }
};

TEST(GatewayPlans, SayWhereTheTasksWouldGoAndAreKeptByASubmit) {
  PlanScene s;
  const auto asked = s.call("POST", "/api/v3/plan", s.of_job(3));
  EXPECT_EQ(s.question().count, 3U);
  EXPECT_EQ(s.question().descriptor->application_name, "app");
  s.answer(Answer::of(packed(PlanTold{
      s.cell.last, {s.place(), s.place()}, R"({"taskId":"00000000-0000-0000-0000-000000000000"})"})));
  ASSERT_EQ(asked->response.status, 200);
  EXPECT_THAT(asked->response.body,
              HasSubstr(R"("tasks":3,"waiting":1,"placements":[{"slot":0,"host":"h1")"));
  EXPECT_THAT(asked->response.body, HasSubstr(R"("why":{"taskId":"00000000-0000-0000-0000-000000000000"}})"));
  const auto done = s.submit(PlanScene::text_of(asked), R"(,"job":)" + job_body("app", 3));
  ASSERT_EQ(done->response.status, 202) << done->response.body;
  const auto id = parse_uuid<JobId>(*done->json().find("id")->text()).value();
  EXPECT_EQ(done->header("location"), "/api/v3/jobs/" + to_text(id));
  EXPECT_EQ(s.cell.counts(id).in(TaskState::launched), 2U);
  EXPECT_EQ(s.cell.reads().host(s.host)->tasks.size(), 2U);
}

TEST(GatewayPlans, AreRefusedWithTheDifferenceWhenTheyDoNotHold) {
  PlanScene s;
  const std::string text = PlanScene::text_of(s.plan(s.of_job(2), {s.place(), s.place()}));
  s.cell.running(s.cell.submit(batch_of(1)), 0, s.host);
  const auto done = s.submit(text, R"(,"job":)" + job_body("app", 2));
  EXPECT_EQ(done->response.status, 409);
  EXPECT_THAT(done->response.body, HasSubstr("slot 1 on host h1: the host is full"));
  EXPECT_EQ(s.cell.reads().cell().live_jobs, 1U);
}

TEST(GatewayPlans, AreKeptOnlyIfTheSchedulerAllowsIt) {
  PlanScene s;
  const std::string text = PlanScene::text_of(s.plan(s.of_job(2), {s.place(), s.place()}));
  const std::string job = R"(,"job":)" + job_body("app", 2);
  const auto refused = s.submit(text, job, {"slot 1 on host h1: uniqueHost: one is there"});
  EXPECT_EQ(refused->response.status, 409);
  EXPECT_THAT(refused->response.body,
              HasSubstr("does not hold any more: slot 1 on host h1: uniqueHost: one is there; make a new"));
  EXPECT_EQ(s.cell.reads().cell().live_jobs, 0U);
  const auto unasked = s.call("POST", "/api/v3/plan/submit", R"({"plan":")" + text + '"' + job + "}");
  ASSERT_EQ(s.asked.size(), 1U);
  EXPECT_EQ(s.question().count, 2U);
  ASSERT_EQ(s.question().places.size(), 2U);
  EXPECT_EQ(s.question().places[1].host, s.host);
  s.answer(Answer::of(packed(PlanTold{})));
  EXPECT_EQ(unasked->response.status, 500) << "an answer to another question allows nothing";
  EXPECT_EQ(s.cell.reads().cell().live_jobs, 0U);
}

TEST(GatewayPlans, AreAnsweredAsBeforeWhenTheyAreSentAgain) {
  PlanScene s;
  const std::string text = PlanScene::text_of(s.plan(s.of_job(1), {s.place()}));
  const std::string job = R"(,"job":)" + job_body("app", 1);
  const auto first = s.submit(text, job, {}, {{"idempotency-key", "r1"}});
  ASSERT_EQ(first->response.status, 202) << first->response.body;
  const auto again = s.submit(text, job, {"slot 0 on host h1: cpu: none"}, {{"idempotency-key", "r1"}});
  EXPECT_EQ(again->response.status, 202) << "its own task is what stands there now";
  EXPECT_EQ(again->response.body, first->response.body);
  EXPECT_EQ(s.cell.reads().cell().live_jobs, 1U);
}

TEST(GatewayPlans, OfAResizeAreRefusedWhenTheJobHasAnotherSizeByNow) {
  PlanScene s;
  const JobId job = s.cell.submit(service_of(0, 0, 9));
  const std::string body = R"({"resize":{"jobId":")" + to_text(job) + R"(","desired":2}})";
  const std::string placed = PlanScene::text_of(s.plan(body, {s.place(), s.place()}));
  const std::string waiting = PlanScene::text_of(s.plan(body, {}));
  ASSERT_TRUE(s.cell.apply(ResizeJob{job, {}, 5, {}}).taken());
  for (const std::string& text : {placed, waiting}) {
    const auto seen = s.submit(text);
    EXPECT_EQ(seen->response.status, 409);
    EXPECT_THAT(seen->response.body, HasSubstr("the job has 5 tasks by now, it had 0"));
  }
  EXPECT_EQ(s.cell.job(job).capacity.desired, 5U);
}

TEST(GatewayPlans, TellWhomTheyWouldEnd) {
  PlanScene s;
  const JobId low = s.cell.submit(batch_of(2));
  const TaskId victim = s.cell.running(low, 0, s.host);
  s.cell.running(low, 1, s.host);
  const std::string job = [] {
    std::string body = job_body("urgent", 1);
    return body.insert(1, R"("attributes":{"troupe.priority":"9"},)");
  }();
  const auto seen = s.plan(R"({"job":)" + job + "}", {s.place({{s.cell.victim(victim), low}}, true)});
  EXPECT_THAT(seen->response.body, HasSubstr(R"("waits":true,"preempted":[{"taskId":")" + to_text(victim)));
  ASSERT_EQ(s.submit(PlanScene::text_of(seen), R"(,"job":)" + job)->response.status, 202);
  EXPECT_EQ(s.cell.task(victim).state, TaskState::kill_initiated);
}

TEST(GatewayPlans, OfAResizeNeedNoBodyToBeKept) {
  PlanScene s;
  const JobId job = s.cell.submit(service_of(0, 0, 9));
  const std::string id = to_text(job);
  const auto seen =
      s.plan(R"({"resize":{"jobId":")" + id + R"(","desired":2}})", {s.place(), s.place({}, true)});
  ASSERT_EQ(seen->response.status, 200) << seen->response.body;
  ASSERT_EQ(s.submit(PlanScene::text_of(seen))->response.status, 202);
  EXPECT_EQ(s.cell.job(job).capacity.desired, 2U);
  EXPECT_EQ(s.cell.counts(job).in(TaskState::launched), 1U) << "the other one is the scheduler's to place";
  const auto plan_of = [&](const std::string& whose, int desired) {
    return s.call("POST", "/api/v3/plan",
                  R"({"resize":{"jobId":")" + whose + R"(","desired":)" + std::to_string(desired) + "}}");
  };
  EXPECT_EQ(plan_of(id, 10)->response.status, 400) << "more than its max";
  EXPECT_EQ(plan_of(to_text(s.cell.random.uuid<JobId>()), 1)->response.status, 404);
  EXPECT_EQ(plan_of(to_text(s.cell.submit(batch_of(1))), 1)->response.status, 400);
  EXPECT_TRUE(s.asked.empty());
}

TEST(GatewayPlans, RefuseWhatIsNoPlan) {
  PlanScene s;
  const auto status = [&](const std::string& body, std::string_view path = "/api/v3/plan") {
    return s.call("POST", path, body)->response.status;
  };
  EXPECT_EQ(status("{}"), 400);
  EXPECT_EQ(status(R"({"job":)" + job_body() + R"(,"resize":{"jobId":"x","desired":1}})"), 400);
  const auto wrong = s.call("POST", "/api/v3/plan", R"({"job":{"applicationName":"a"}})");
  EXPECT_EQ(wrong->response.status, 400);
  EXPECT_THAT(wrong->response.body, HasSubstr("job.owner"));
  EXPECT_EQ(status(R"({"plan":"???"})", "/api/v3/plan/submit"), 400);
  EXPECT_EQ(status("{}", "/api/v3/plan/submit"), 400);
  const std::string text = PlanScene::text_of(s.plan(s.of_job(1), {s.place()}));
  EXPECT_EQ(s.submit(text)->response.status, 400) << "the job is missing";
  EXPECT_EQ(s.submit(text, R"(,"job":)" + job_body("other", 1))->response.status, 400);
  EXPECT_EQ(s.submit(text.substr(0, text.size() / 2), R"(,"job":)" + job_body("app", 1))->response.status,
            400);
  const auto unanswered = s.call("POST", "/api/v3/plan", s.of_job(1));
  s.answer(Answer::of(Error{ErrorCode::not_leader, "not here"}));
  EXPECT_EQ(unanswered->response.status, 503);
}

}  // namespace
}  // namespace troupe
