// What may change of a live job or task, and that the nodes agree on it and outlive their leader with it.

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

struct Changes : Stage {
  explicit Changes(std::uint64_t seed) : Stage(seed) {}
  JobStory service(std::uint32_t size, std::uint32_t size_min = 0) {
    return story.submit({.kind = JobSpec::Kind::service,
                         .size = size,
                         .size_min = size_min,
                         .size_max = 50,
                         .script = "run=forever"});
  }
  bool says(const std::string& target, const std::string& text) {
    return cluster.client().get(target).body.find(text) != std::string::npos;
  }
  void fail_over() {
    const std::uint32_t leader = cluster.leader();
    cluster.crash_node(leader);
    cluster.run_for(seconds(5));
    cluster.restart_node(leader);
    cluster.await_settled();
  }
};

TEST(JobChanges, AServiceIsTakenOutOfServiceAndBack) {
  Changes s(551);
  JobStory job = s.service(2);
  job.expect_running(2);
  const std::string path = "/api/v3/jobs/" + job.id();
  for (int n = 0; n < 2; ++n) EXPECT_EQ(s.cluster.client().post(path + "/disable", "").status, 200) << n;
  s.fail_over();
  EXPECT_TRUE(s.says(path, R"("enabled":false)"));
  EXPECT_EQ(s.cluster.client().post(path + "/enable", "").status, 200);
  EXPECT_TRUE(s.says(path, R"("enabled":true)"));
  job.expect_running(2).expect_tasks_made(2, minutes(1));
}

TEST(JobChanges, ProcessesHoldItsSizeInBothDirections) {
  Changes s(552);
  JobStory job = s.service(3);
  job.expect_running(3);
  const std::string path = "/api/v3/jobs/" + job.id();
  const auto desire = [&](int size) {
    return s.cluster.client()
        .put(path + "/capacityAttributes", R"({"desired":)" + std::to_string(size) + "}")
        .status;
  };
  EXPECT_EQ(s.cluster.client().put(path + "/jobprocesses", R"({"disableIncreaseDesired": true})").status,
            200);
  s.fail_over();
  EXPECT_EQ(desire(4) / 100, 4);
  EXPECT_EQ(desire(2), 200);
  EXPECT_EQ(
      s.cluster.client()
          .put(path + "/jobprocesses", R"({"disableIncreaseDesired": false, "disableDecreaseDesired": true})")
          .status,
      200);
  EXPECT_EQ(desire(1) / 100, 4);
  EXPECT_EQ(desire(4), 200);
  job.expect_running(4);
}

TEST(JobChanges, AttributesOfJobsAndTasksComeAndGo) {
  Changes s(553);
  JobStory job = s.service(1);
  job.expect_running(1);
  for (const std::string& path : {"/api/v3/jobs/" + job.id(), "/api/v3/tasks/" + job.task().id()}) {
    const auto put = [&](const std::string& body) {
      return s.cluster.client().put(path + "/attributes", body).status;
    };
    EXPECT_EQ(put(R"({"attributes": {"a": "1", "b": "2"}})"), 200);
    EXPECT_EQ(put(R"({"attributes": {"a": "3"}})"), 200);
    EXPECT_EQ(put(R"({"attributes": {"titus.x": "1"}})"), 400);
    s.fail_over();
    EXPECT_TRUE(s.says(path, R"("a":"3")"));
    EXPECT_TRUE(s.says(path, R"("b":"2")"));
    EXPECT_EQ(s.cluster.client().del(path + "/attributes").status, 400) << "no keys";
    EXPECT_EQ(s.cluster.client().del(path + "/attributes?keys=a,none").status, 200);
    EXPECT_FALSE(s.says(path, R"("a":"3")"));
    EXPECT_TRUE(s.says(path, R"("b":"2")"));
  }
  job.expect_tasks_made(1, minutes(1));
}

TEST(JobChanges, ATaskThatEndsMayMakeItsServiceSmallerButNotBelowItsMinimumIfThatIsAsked) {
  Changes s(554);
  JobStory job = s.service(2, 1);
  job.expect_running(2);
  const auto end = [&](const std::string& task, const std::string& how) {
    return s.cluster.client().del("/api/v3/tasks/" + task + "?shrink=true" + how).status;
  };
  EXPECT_EQ(end(job.task(1).id(), "&preventMinSizeUpdate=true"), 200);
  job.expect_running(1).expect_tasks_made(2, minutes(1));
  const std::string last = s.cluster.client().live_tasks(job.id()).at(0).id;
  EXPECT_EQ(end(last, "&preventMinSizeUpdate=true") / 100, 4) << "it would be below its minimum";
  job.expect_running(1);
  EXPECT_EQ(end(last, ""), 200) << "the minimum follows";
  job.expect_running(0).expect_tasks_made(2, minutes(1)).expect(JobState::accepted);
  EXPECT_TRUE(s.says("/api/v3/jobs/" + job.id(), R"("capacity":{"min":0,"desired":0)"));
}

TEST(JobChanges, ABudgetIsReplacedWhole) {
  Changes s(555);
  JobStory job = s.service(2);
  job.expect_running(2);
  const std::string path = "/api/v3/jobs/" + job.id();
  const auto put = [&](const std::string& body) {
    return s.cluster.client().put(path + "/disruptionBudget", body).status;
  };
  EXPECT_EQ(put(R"({"relocationLimit": {"limit": 2}, "rateUnlimited": {}})"), 200);
  EXPECT_EQ(
      put(R"({"availabilityPercentageLimit": {"percentageOfHealthyContainers": 80}, "rateUnlimited": {}})"),
      200);
  EXPECT_EQ(put(R"({"relocationLimit": {"limit": -1}})"), 400);
  s.fail_over();
  EXPECT_TRUE(s.says(path, "percentageOfHealthyContainers"));
  EXPECT_FALSE(s.says(path, "relocationLimit"));
}

TEST(JobChanges, ASubmitterAboveItsRateIsShedAndTheOthersAreServed) {
  Changes s(556);
  const Client client = s.cluster.client();
  ASSERT_EQ(
      client
          .put("/api/v3/cell/policy",
               R"({"rates": [{"name": "one", "endpoint": "POST /api/v3/jobs", "burst": 1, "perMinute": 1}]})")
          .status,
      200);
  const std::string body = to_json({.script = "run=forever"});
  const auto submit = [&](const char* caller) {
    return s.cluster.client(1).post("/api/v3/jobs", body, {{"x-titus-callerid", caller}}).status;
  };
  EXPECT_EQ(submit("greedy"), 202);
  EXPECT_EQ(submit("greedy"), 429);
  EXPECT_EQ(submit("other"), 202);
  s.cluster.run_for(minutes(1));
  EXPECT_EQ(submit("greedy"), 202);
}

TEST(JobChanges, AWriteAtOneNodeIsReadAtAnotherByItsIndex) {
  Changes s(557);
  JobStory job = s.service(1);
  job.expect_running(1);
  const std::string path = "/api/v3/jobs/" + job.id();
  for (std::uint32_t node = 1; node <= 3; ++node) {
    const std::string value = std::to_string(node);
    const Response written =
        s.cluster.client(node).put(path + "/attributes", R"({"attributes": {"n": ")" + value + "\"}}");
    ASSERT_EQ(written.status, 200);
    const std::string index = written.headers.at("x-troupe-index");
    const Response seen =
        s.cluster.client(node % 3 + 1).get(path + "?consistency=stale", {{"x-troupe-index", index}});
    EXPECT_EQ(seen.status, 200);
    EXPECT_NE(seen.body.find("\"n\":\"" + value + '"'), std::string::npos)
        << "not even a stale read is older";
  }
}

}  // namespace
}  // namespace troupe::embedded
