// Attributes, switches, budgets, and a task's end that makes its service smaller.

#include <gmock/gmock.h>

#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

struct GatewayChanges : testing::Test {
  Scene scene;
  JobId service = scene.cell.submit(service_of(1, 2, 5));
  JobId batch = scene.cell.submit(batch_of(1));
  std::string url(const JobId& id) { return "/api/v3/jobs/" + to_text(id); }
  json::Value descriptor(const JobId& id) { return *scene.get(url(id))->json().find("jobDescriptor"); }
  int status(std::string_view method, const std::string& target, std::string body = {}) {
    return scene.call(method, target, std::move(body))->response.status;
  }
};

TEST_F(GatewayChanges, AttributesArePutAndDeleted) {
  EXPECT_EQ(status("PUT", url(batch) + "/attributes", R"({"attributes":{"stage":"canary","x":"1"}})"), 200);
  EXPECT_EQ(status("PUT", url(batch) + "/attributes",
                   R"({"jobId":")" + to_text(batch) + R"(","attributes":{"x":"2"}})"),
            200);
  EXPECT_EQ(*descriptor(batch).find("attributes")->find("x")->text(), "2");
  EXPECT_EQ(status("DELETE", url(batch) + "/attributes?keys=x,never"), 200);
  EXPECT_EQ(descriptor(batch).find("attributes")->find("x"), nullptr);
  EXPECT_EQ(*descriptor(batch).find("attributes")->find("stage")->text(), "canary");
}

TEST_F(GatewayChanges, AttributesThatAreTheCellsOwnAreRefused) {
  for (const std::string body :
       {R"({"attributes":{"titus.createdBy":"me"}})", R"({"attributes":{"titusParameter.agent.x":"1"}})",
        R"({"attributes":{"":"1"}})", R"({"attributes":{}})", R"({})",
        R"({"jobId":"another","attributes":{"a":"1"}})"})
    EXPECT_EQ(scene.call("PUT", url(batch) + "/attributes", body)->code(), "invalid_argument") << body;
  EXPECT_EQ(status("DELETE", url(batch) + "/attributes?keys=titus.createdBy"), 400);
  EXPECT_EQ(status("DELETE", url(batch) + "/attributes?keys="), 400);
  EXPECT_EQ(status("DELETE", url(batch) + "/attributes"), 400);
}

TEST_F(GatewayChanges, AServiceIsEnabledAndDisabled) {
  EXPECT_EQ(status("POST", url(service) + "/disable"), 200);
  EXPECT_FALSE(*descriptor(service).find("service")->find("enabled")->boolean());
  EXPECT_EQ(status("POST", url(service) + "/disable"), 200) << "the same again changes nothing";
  EXPECT_EQ(status("POST", url(service) + "/enable"), 200);
  EXPECT_TRUE(*descriptor(service).find("service")->find("enabled")->boolean());
  EXPECT_EQ(status("POST", url(batch) + "/enable"), 400);
}

TEST_F(GatewayChanges, ProcessesHoldBackTheDesiredSize) {
  EXPECT_EQ(status("PUT", url(service) + "/jobprocesses", R"({"disableIncreaseDesired":true})"), 200);
  const auto job = descriptor(service);
  const auto* processes = job.find("service")->find("serviceJobProcesses");
  EXPECT_TRUE(*processes->find("disableIncreaseDesired")->boolean());
  EXPECT_FALSE(*processes->find("disableDecreaseDesired")->boolean());
  EXPECT_EQ(status("PUT", url(service) + "/instances", R"({"min":1,"desired":3,"max":5})"), 409);
  EXPECT_EQ(status("PUT", url(service) + "/capacityAttributes", R"({"max":9})"), 200);
  EXPECT_EQ(status("PUT", url(service) + "/jobprocesses", R"({"disableEverything":true})"), 400);
}

TEST_F(GatewayChanges, ABudgetIsCheckedAndKept) {
  const std::string budget =
      R"({"availabilityPercentageLimit":{"percentageOfHealthyContainers":95.5},)"
      R"("ratePerInterval":{"intervalMs":"60000","limitPerInterval":2},)"
      R"("timeWindows":[{"days":["Monday"],"hourlyTimeWindows":[{"startHour":8,"endHour":16}],"timeZone":"UTC"}],)"
      R"("containerHealthProviders":[{"name":"alwaysHealthy"}]})";
  EXPECT_EQ(status("PUT", url(service) + "/disruptionBudget", budget), 200);
  EXPECT_EQ(status("PUT", url(service) + "/disruptionBudget", R"({"disruptionBudget":)" + budget + "}"), 200);
  const auto job = descriptor(service);
  const auto* kept = job.find("disruptionBudget");
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(*kept->find("ratePerInterval")->find("intervalMs")->text(), "60000");
  for (const std::string wrong :
       {R"({})", R"({"selfManaged":{},"relocationLimit":{"limit":1}})",
        R"({"availabilityPercentageLimit":{"percentageOfHealthyContainers":101}})",
        R"({"unhealthyTasksLimit":{"limitOfUnhealthyContainers":0}})",
        R"({"selfManaged":{"relocationTimeMs":"1"},"rateUnlimited":{},"ratePercentagePerHour":{}})",
        R"({"selfManaged":{"relocationTimeMs":"1"},"timeWindows":[{"days":["Someday"]}]})",
        R"({"selfManaged":{"relocationTimeMs":"1"},"containerHealthProviders":[{"name":"eureka"}]})"})
    EXPECT_EQ(scene.call("PUT", url(service) + "/disruptionBudget", wrong)->code(), "invalid_argument")
        << wrong;
}

TEST_F(GatewayChanges, OfAJobThatEndsAreRefused) {
  scene.cell.apply(KillJob{service});
  EXPECT_EQ(scene.call("POST", url(service) + "/disable")->code(), "job_terminating");
  EXPECT_EQ(scene.call("PUT", url(service) + "/attributes", R"({"attributes":{"a":"1"}})")->code(),
            "job_terminating");
  EXPECT_EQ(scene.call("POST", url(scene.cell.random.uuid<JobId>()) + "/disable")->code(), "not_found");
  EXPECT_EQ(scene.call("POST", "/api/v3/jobs/nonsense/disable")->code(), "invalid_argument");
}

TEST_F(GatewayChanges, ATasksAttributesArePutAndDeleted) {
  const std::string task = "/api/v3/tasks/" + to_text(scene.cell.start(batch, 0));
  EXPECT_EQ(status("PUT", task + "/attributes", R"({"attributes":{"seen":"yes","x":"1"}})"), 200);
  EXPECT_EQ(status("DELETE", task + "/attributes?keys=x"), 200);
  const auto seen = scene.get(task)->json();
  EXPECT_EQ(*seen.find("attributes")->find("seen")->text(), "yes");
  EXPECT_EQ(seen.find("attributes")->find("x"), nullptr);
  EXPECT_EQ(status("PUT", task + "/attributes", R"({"taskId":"another","attributes":{"x":"1"}})"), 400);
}

TEST_F(GatewayChanges, ATaskMayEndAndItsServiceShrink) {
  const HostId host = scene.cell.host("h");
  const TaskId task = scene.cell.running(service, 0, host), other = scene.cell.running(service, 1, host);
  const std::string url = "/api/v3/tasks/" + to_text(task);
  EXPECT_EQ(status("DELETE", url + "?shrink=perhaps"), 400);
  EXPECT_EQ(status("DELETE", url + "?shrink=true&preventMinSizeUpdate=false"), 200);
  EXPECT_EQ(scene.cell.job(service).capacity.desired, 1U);
  EXPECT_EQ(scene.cell.task(task).step(TaskState::kill_initiated).reason, Reason::scaled_down);
  EXPECT_EQ(
      scene.call("DELETE", "/api/v3/tasks/" + to_text(other) + "?shrink=true&preventMinSizeUpdate=true")
          ->response.status,
      409);
  EXPECT_THAT(scene.cell.task(task).message.view(), HasSubstr("killed by"));
}

TEST_F(GatewayChanges, ARunningTaskMovesToAnotherService) {
  const HostId host = scene.cell.host("h");
  for (std::uint32_t level = 1; level <= level_of_moves; ++level)
    scene.cell.apply(RaiseLevel{level}, scene.cell.term_fence());
  const TaskId task = scene.cell.running(service, 0, host);
  const JobId target = scene.cell.submit(service_of(0, 0, 5));
  const auto body = [&](const JobId& from, const JobId& to) {
    return R"({"taskId":")" + to_text(task) + R"(","sourceJobId":")" + to_text(from) +
           R"(","targetJobId":")" + to_text(to) + "\"}";
  };
  const std::string url = "/api/v3/tasks/move";
  EXPECT_EQ(status("POST", url, "{}"), 400);
  EXPECT_EQ(status("POST", url, R"({"taskId":"x","sourceJobId":"y","targetJobId":"z"})"), 400);
  EXPECT_EQ(status("POST", url, body(service, service)), 400);
  EXPECT_EQ(status("POST", url, body(service, batch)), 400);
  EXPECT_EQ(status("POST", url, body(service, scene.cell.random.uuid<JobId>())), 404);
  EXPECT_EQ(status("POST", url, body(target, service)), 409);
  EXPECT_EQ(status("POST", url + "?really=true", body(service, target)), 400);
  ASSERT_EQ(status("POST", url, body(service, target)), 200);
  const auto moved = scene.get("/api/v3/tasks/" + to_text(task))->json();
  EXPECT_EQ(*moved.find("jobId")->text(), to_text(target));
  EXPECT_EQ(*moved.find("status")->find("state")->text(), "Started");
  EXPECT_EQ(*moved.find("taskContext")->find("task.movedFromJob")->text(), to_text(service));
  EXPECT_EQ(status("POST", url, body(service, target)), 409) << "it is the target's already";
}

TEST_F(GatewayChanges, WhatWaitsIsTriedAgainAtOnce) {
  const HostId host = scene.cell.host("h");
  for (std::uint32_t level = 1; level <= level_of_retries; ++level)
    scene.cell.apply(RaiseLevel{level}, scene.cell.term_fence());
  const Instant later = scene.cell.now + milliseconds(3'600'000);
  std::vector<TaskId> last;
  for (const std::uint32_t slot : {0, 1}) {
    last.push_back(scene.cell.running(service, slot, host));
    scene.cell.ended(host, last[slot], Reason::failed, 1);
    scene.cell.step_slot(service, slot, SlotState::waiting, later);
  }
  const std::string job = "/api/v3/jobs/" + to_text(service), task = "/api/v3/tasks/" + to_text(last[1]);
  EXPECT_EQ(status("POST", job + "/retry?now=yes"), 400);
  EXPECT_EQ(status("POST", "/api/v3/tasks/" + to_text(scene.cell.random.uuid<TaskId>()) + "/retry"), 404);
  ASSERT_EQ(status("POST", task + "/retry"), 200);
  EXPECT_EQ(scene.cell.slot(service, 0).retry_at, later);
  EXPECT_LE(scene.cell.slot(service, 1).retry_at, scene.cell.now);
  ASSERT_EQ(status("POST", job + "/retry"), 200);
  EXPECT_LE(scene.cell.slot(service, 0).retry_at, scene.cell.now);
  scene.cell.start(service, 1);
  EXPECT_EQ(status("POST", task + "/retry"), 409) << "it has a next one by now";
}

}  // namespace
}  // namespace troupe
