// Capacity groups and plans from the command line.

#include <gmock/gmock.h>

#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

struct GroupsAndPlans : testing::Test {
  const std::string groups = "/api/v2/management/applications";
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(GroupsAndPlans, AGroupIsMadeChangedAndDeleted) {
  cell.on("POST " + groups, "{}", 201);
  EXPECT_EQ(line.run({"capacity-group", "create", "pay", "--tier", "Critical", "--cpu", "0.5", "--memory",
                      "100", "--count", "3"}),
            exit_ok)
      << line.err.str();
  EXPECT_EQ(
      cell.asked("POST " + groups).at(0).body,
      R"({"appName":"pay","tier":"Critical","instanceCPU":0.5,"instanceMemoryMB":100,"instanceDiskMB":0,)"
      R"("instanceNetworkMbs":0,"instanceGPU":0,"instanceCount":3,"tasksMax":0,"jobsMax":0})");
  cell.on("GET " + groups + "/pay",
          R"({"appName":"pay","tier":"Critical","instanceCPU":0.5,"instanceMemoryMB":100,"instanceCount":3,)"
          R"("instancePorts":4,"launchBurst":5,"launchesPerMinute":60,"launchesMax":7})");
  cell.on("PUT " + groups + "/pay", "{}");
  EXPECT_EQ(line.run({"capacity-group", "update", "pay", "--count", "5"}), exit_ok) << line.err.str();
  EXPECT_THAT(cell.asked("PUT " + groups + "/pay").at(0).body,
              AllOf(HasSubstr(R"("tier":"Critical","instanceCPU":0.5)"), HasSubstr(R"("instanceCount":5)"),
                    HasSubstr(R"("instancePorts":4)"),
                    HasSubstr(R"("launchBurst":5,"launchesPerMinute":60,"launchesMax":7)")))
      << "what is not given stays";
  cell.on("DELETE " + groups + "/pay", "{}");
  EXPECT_EQ(line.run({"capacity-group", "delete", "pay"}), exit_ok);
  EXPECT_THAT(cell.asked("DELETE " + groups + "/pay"), SizeIs(1));
}

TEST_F(GroupsAndPlans, GroupsAreListedWithWhatTheyUse) {
  cell.on("GET /api/v3/groups",
          R"([{"name":"pay","tier":"Flex","used":{"cpu":2,"memoryMB":20,"gpu":0},)"
          R"("reservation":{"cpu":4,"memoryMB":40,"gpu":1},"tasks":7,"tasksWaiting":3,"jobs":1}])");
  EXPECT_EQ(line.run({"capacity-group", "ls"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(),
              AllOf(HasSubstr("pay"), HasSubstr("2/4"), HasSubstr("20/40"), HasSubstr("0/1")));
  EXPECT_NE(line.run({"capacity-group", "show", "none"}), exit_ok);
}

const std::string planned =
    R"({"index":"77","tasks":3,"waiting":1,"placements":[{"slot":0,"host":"h1","hostVersion":"2","waits":false,)"
    R"("preempted":[]},{"slot":1,"host":"h2","hostVersion":"2","waits":true,"preempted":[{"taskId":")" +
    task_id + R"(","taskVersion":"9","jobId":")" + job_id +
    R"("}]}],"plan":"TEXT","why":{"changes":[{"sentence":"ask for less"}]}})";

TEST_F(GroupsAndPlans, APlanIsShownAndKept) {
  cell.on("POST /api/v3/plan", planned);
  cell.on("POST /api/v3/plan/submit", R"({"id":")" + job_id + R"("})", 202);
  EXPECT_EQ(line.run({"job", "plan", "-"}, "a: 1"), exit_ok) << line.err.str();
  EXPECT_EQ(cell.asked("POST /api/v3/plan").at(0).body, R"({"job":{"a":1}})");
  EXPECT_THAT(line.out.str(),
              AllOf(HasSubstr("77"), HasSubstr("h2"), HasSubstr(task_id), HasSubstr("ask for less")));
  EXPECT_THAT(cell.asked("POST /api/v3/plan/submit"), SizeIs(0));
  EXPECT_EQ(line.run({"job", "plan", "-", "--submit", "--all"}, "a: 1"), exit_refused) << "one would wait";
  EXPECT_THAT(cell.asked("POST /api/v3/plan/submit"), SizeIs(0));
  EXPECT_EQ(line.run({"job", "plan", "-", "--submit"}, "a: 1"), exit_ok) << line.err.str();
  EXPECT_EQ(cell.asked("POST /api/v3/plan/submit").at(0).body, R"({"plan":"TEXT","job":{"a":1}})");
}

TEST_F(GroupsAndPlans, AResizeIsPlannedByItsSize) {
  cell.on("POST /api/v3/plan", planned);
  cell.on("POST /api/v3/plan/submit", "{}");
  EXPECT_EQ(line.run({"job", "plan", "--resize", job_id, "--desired", "20", "--submit"}), exit_ok)
      << line.err.str();
  EXPECT_EQ(cell.asked("POST /api/v3/plan").at(0).body,
            R"({"resize":{"jobId":")" + job_id + R"(","desired":20}})");
  EXPECT_EQ(cell.asked("POST /api/v3/plan/submit").at(0).body, R"({"plan":"TEXT"})");
  EXPECT_EQ(line.run({"job", "plan"}), exit_usage);
  EXPECT_EQ(line.run({"job", "plan", "--resize", job_id}), exit_usage);
}

}  // namespace
}  // namespace troupe::cli
