// Lists that are narrowed by a condition.

#include "actors/gateway/where.hpp"

#include <gmock/gmock.h>

#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The scene's requests are decoded already.
std::string where(std::string_view text) { return "?where=" + std::string(text); }

/// The member of that name of each item, in order.
std::vector<std::string> told(const SeenPtr& seen, std::string_view name) {
  std::vector<std::string> all;
  EXPECT_EQ(seen->response.status, 200) << seen->response.body;
  const json::Value body = seen->json();
  for (const json::Value& item : *body.find("items")->array()) all.push_back(*item.find(name)->text());
  return all;
}

TEST(GatewayWhere, HostsByWhatTheyHaveAndWhatIsOnThem) {
  Scene scene;
  const HostId busy = scene.cell.host("busy");
  scene.cell.host("idle", {8'000, 8'000, 80'000, 1'000, 0});
  scene.cell.host("small", {1'000, 8'000, 80'000, 1'000, 0});
  scene.cell.running(scene.cell.submit(batch_of(1)), 0, busy);
  EXPECT_THAT(told(scene.get("/api/v3/hosts" + where("taskCount > 0")), "name"), ElementsAre("busy"));
  EXPECT_THAT(told(scene.get("/api/v3/hosts" + where("taskCount = 0 and resources.cpu > 1")), "name"),
              ElementsAre("idle"));
  EXPECT_THAT(told(scene.get("/api/v3/hosts" + where("name in (idle,small) and connected")), "name"),
              ElementsAre("idle", "small"));
  EXPECT_THAT(told(scene.get("/api/v3/hosts" + where("not connected")), "name"), IsEmpty());
  const auto all = scene.get("/api/v3/hosts")->json();
  EXPECT_EQ(*all.find("items")->array()->front().find("taskCount")->integer(), 1);
}

TEST(GatewayWhere, PagesAndCountsOnlyWhatHolds) {
  Scene scene;
  for (int n = 1; n <= 20; ++n)
    scene.cell.host("h" + std::to_string(n), {n * 1'000, 8'000, 80'000, 1'000, 0});
  const std::string path = "/api/v3/hosts" + where("resources.cpu > 10") + "&pageSize=4";
  const auto first = scene.get(path);
  EXPECT_THAT(told(first, "name"), ElementsAre("h11", "h12", "h13", "h14"));
  const auto pagination = *first->json().find("pagination");
  EXPECT_EQ(*pagination.find("totalItems")->integer(), 10);
  EXPECT_THAT(told(scene.get(path + "&cursor=" + *pagination.find("cursor")->text()), "name"),
              ElementsAre("h15", "h16", "h17", "h18"));
}

TEST(GatewayWhere, JobsBesideTheirOtherCriteria) {
  Scene scene;
  const std::string batch = to_text(scene.cell.submit(batch_of(3)));
  scene.cell.now.ms += 10;
  const std::string service = to_text(scene.cell.submit(service_of(0, 1, 2)));
  EXPECT_THAT(told(scene.get("/api/v3/jobs" + where("jobDescriptor.batch.size > 2")), "id"),
              ElementsAre(batch));
  EXPECT_THAT(told(scene.get("/api/v3/jobs" + where("status.state = Accepted") + "&jobType=service"), "id"),
              ElementsAre(service));
  EXPECT_THAT(told(scene.get("/api/v3/jobs" + where("summary.tasks.started > 0")), "id"), IsEmpty());
}

TEST(GatewayWhere, TasksByTheirHostAliveAndEnded) {
  Scene scene;
  const HostId one = scene.cell.host("one");
  const HostId two = scene.cell.host("two");
  const JobId job = scene.cell.submit(batch_of(3));
  const TaskId ended = scene.cell.running(job, 0, one);
  const TaskId here = scene.cell.running(job, 1, one);
  const TaskId there = scene.cell.running(job, 2, two);
  ASSERT_TRUE(scene.cell.ended(one, ended, Reason::failed, 3).taken());
  const std::string on_one = where("taskContext.agent.host = one");
  EXPECT_THAT(told(scene.get("/api/v3/tasks" + on_one), "id"), ElementsAre(to_text(here)));
  EXPECT_THAT(told(scene.get("/api/v3/tasks" + on_one + "&taskStates=any&jobIds=" + to_text(job)), "id"),
              testing::UnorderedElementsAre(to_text(ended), to_text(here)));
  EXPECT_THAT(told(scene.get("/api/v3/tasks" + where("status.exitCode = 3") +
                             "&taskStates=any&jobIds=" + to_text(job)),
                   "id"),
              ElementsAre(to_text(ended)));
  EXPECT_THAT(told(scene.get("/api/v3/tasks" + where("taskContext.agent.host != one")), "id"),
              ElementsAre(to_text(there)));
}

TEST(GatewayOrder, PutsJobsTasksAndHostsInTheOrderOfAField) {
  Scene scene;
  const HostId one = scene.cell.host("one", {1'000, 8'000, 80'000, 1'000, 0});
  const HostId two = scene.cell.host("two", {3'000, 8'000, 80'000, 1'000, 0});
  const HostId three = scene.cell.host("three", {2'000, 8'000, 80'000, 1'000, 0});
  EXPECT_THAT(told(scene.get("/api/v3/hosts?orderBy=resources.cpu desc"), "name"),
              ElementsAre("two", "three", "one"));
  EXPECT_THAT(told(scene.get("/api/v3/hosts?orderBy=name&pageSize=2&page=1"), "name"), ElementsAre("two"));
  const JobId few = scene.cell.submit(batch_of(2));
  const JobId many = scene.cell.submit(batch_of(7));
  EXPECT_THAT(told(scene.get("/api/v3/jobs?orderBy=jobDescriptor.batch.size desc"), "id"),
              ElementsAre(to_text(many), to_text(few)));
  const TaskId a = scene.cell.running(few, 0, two);
  const TaskId b = scene.cell.running(many, 0, one);
  const TaskId c = scene.cell.running(many, 1, three);
  const std::string by_host = "/api/v3/tasks?orderBy=taskContext.agent.host";
  EXPECT_THAT(told(scene.get(by_host), "id"), ElementsAre(to_text(b), to_text(c), to_text(a)));
  ASSERT_TRUE(scene.cell.ended(one, b, Reason::failed, 3).taken());
  EXPECT_THAT(
      told(scene.get("/api/v3/tasks?orderBy=status.exitCode&taskStates=any&jobIds=" + to_text(many)), "id"),
      ElementsAre(to_text(b), to_text(c)));
}

TEST(GatewayOrder, GoesWithPagesAndNotTooFar) {
  Scene scene;
  const auto refused = [&](const std::string& query) {
    const auto seen = scene.get("/api/v3/tasks?" + query);
    EXPECT_EQ(seen->response.status, 400) << query;
    return seen->response.body;
  };
  EXPECT_THAT(refused("orderBy=id&cursor=" + api::encode_cursor({})),
              testing::HasSubstr("not with a cursor"));
  EXPECT_THAT(refused("orderBy=id&pageSize=5000&page=20"), testing::HasSubstr("the first 100000"));
  EXPECT_THAT(refused("orderBy=id&orderBy=jobId"), testing::HasSubstr("is there twice"));
  EXPECT_THAT(refused("orderBy=idd"), testing::HasSubstr("did you mean id?"));
}

TEST(GatewayWhere, TasksOfSomeJobsOrByTheirIdsAreFoundWithoutLookingAtTheOthers) {
  Scene scene;
  const HostId host = scene.cell.host("one");
  const JobId job = scene.cell.submit(batch_of(3)), other = scene.cell.submit(batch_of(2));
  const TaskId first = scene.cell.running(job, 0, host);
  const TaskId second = scene.cell.running(job, 1, host);
  const TaskId elsewhere = scene.cell.running(other, 0, host);
  const std::string of_job = "/api/v3/tasks?jobIds=" + to_text(job);
  EXPECT_THAT(told(scene.get(of_job), "id"), testing::UnorderedElementsAre(to_text(first), to_text(second)));
  EXPECT_THAT(told(scene.get(of_job + "&taskIds=" + to_text(second) + "," + to_text(elsewhere)), "id"),
              ElementsAre(to_text(second)));
  EXPECT_THAT(told(scene.get("/api/v3/tasks?taskIds=" + to_text(elsewhere)), "id"),
              ElementsAre(to_text(elsewhere)));
  EXPECT_THAT(told(scene.get("/api/v3/tasks?pageSize=2&page=1"), "id").size(), 1U);
}

TEST(GatewayWhere, WhatIsWrongIsSaidWithItsPosition) {
  Scene scene;
  const auto seen = scene.get("/api/v3/hosts" + where("connected and host_group = a"));
  EXPECT_EQ(seen->response.status, 400);
  const auto body = seen->json();
  const auto& violation = body.find("violations")->array()->front();
  EXPECT_EQ(*violation.find("path")->text(), "where");
  EXPECT_EQ(*violation.find("column")->integer(), 15);
  EXPECT_EQ(*violation.find("message")->text(),
            "there is no field 'host_group' of a host; did you mean hostGroup?");
  EXPECT_EQ(scene.get("/api/v3/jobs?where=")->response.status, 400);
  EXPECT_EQ(scene.get("/api/v3/tasks?where=\x1b[31m")->response.status, 400);
}

TEST(GatewayWhere, ItsWorkIsBounded) {
  api::Query query;
  query.where = api::Condition::parse(api::SelectionKind::host, "name = a or name = b").value();
  gateway::Where where(query, {});
  HostRecord record;
  record.name = "a";
  const Resources used;
  const std::size_t at_most = gateway::Where::work_max / query.where->cost();
  for (std::size_t n = 0; n < at_most; ++n) ASSERT_TRUE(where.holds(api::HostSubject{record, used, 0}));
  EXPECT_FALSE(where.is_spent());
  EXPECT_FALSE(where.holds(api::HostSubject{record, used, 0}));
  EXPECT_TRUE(where.is_spent());
}

}  // namespace
}  // namespace troupe
