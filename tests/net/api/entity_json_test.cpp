#include "net/api/entity_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/api/example_records.hpp"

namespace troupe::api {
namespace {

template <class Write>
json::Value read(Write write) {
  json::Writer writer;
  write(writer);
  auto value = json::parse(writer.take());
  EXPECT_TRUE(value.ok());
  return std::move(value).value();
}

/// The value at a path whose parts are separated by slashes, as compact JSON.
std::string at(const json::Value& value, std::string_view path) {
  const json::Value* found = &value;
  while (found && !path.empty()) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    if (const auto* array = found->array()) {
      const auto index = static_cast<std::size_t>(part[0] - '0');
      found = index < array->size() ? &(*array)[index] : nullptr;
    } else {
      found = found->find(part);
    }
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return found ? json::to_json(*found) : "absent";
}

TEST(JobJson, IsTitusShaped) {
  auto job = example_job();
  JobCounts counts;
  counts.slots[static_cast<std::size_t>(SlotState::running)] = 2;
  counts.tasks[static_cast<std::size_t>(TaskState::started)] = 2;
  const auto value = read([&](auto& writer) { job_json(writer, job, &counts); });
  EXPECT_EQ(at(value, "id"), R"("00000000-0000-0000-0000-000000000001")");
  EXPECT_EQ(at(value, "jobDescriptor/owner/teamEmail"), R"("a@b")");
  EXPECT_EQ(at(value, "jobDescriptor/attributes/titus.createdBy"), R"("ann")");
  EXPECT_EQ(at(value, "jobDescriptor/attributes/titus.callReason"), R"("because")");
  EXPECT_EQ(at(value, "jobDescriptor/service/capacity"), R"({"min":1,"desired":3,"max":5})");
  EXPECT_EQ(at(value, "status"), R"({"state":"Accepted","reasonCode":"jobSubmitted","timestamp":"1000"})");
  EXPECT_EQ(at(value, "statusHistory"), "[]");
  EXPECT_EQ(at(value, "summary/slots/running"), "2");
  EXPECT_EQ(at(value, "summary/tasks/started"), "2");
  EXPECT_EQ(at(value, "version"), R"({"timestamp":"1000","index":"7"})");
}

TEST(JobJson, TellsItsHistory) {
  auto job = example_job();
  job.state = JobState::finished;
  job.reason = Reason::killed;
  job.message = "by ann";
  job.kill_initiated = {2000};
  job.finished = {3000};
  const auto value = read([&](auto& writer) { job_json(writer, job); });
  EXPECT_EQ(at(value, "status"),
            R"({"state":"Finished","reasonCode":"killed","reasonMessage":"by ann","timestamp":"3000"})");
  EXPECT_EQ(at(value, "statusHistory/0/state"), R"("Accepted")");
  EXPECT_EQ(at(value, "statusHistory/1"),
            R"({"state":"KillInitiated","reasonCode":"killed","timestamp":"2000"})");
  EXPECT_EQ(at(value, "summary"), "absent");
  job.kill_initiated = {};
  const auto unkilled = read([&](auto& writer) { job_json(writer, job); });
  EXPECT_EQ(at(unkilled, "statusHistory/1"), "absent");
}

TEST(TaskJson, TellsContextStatusAndHistory) {
  auto task = example_task(TaskState::finished);
  task.enter(TaskState::kill_initiated, {});
  task.enter(TaskState::start_initiated, {task.step(TaskState::start_initiated).at, Reason::filled_in});
  task.enter(TaskState::finished, {task.step(TaskState::finished).at, Reason::failed});
  task.exit_code = 3;
  task.message = "exit code 3";
  const auto value = read([&](auto& writer) {
    task_json(writer, task, {.host = "h1", .cell = "home", .zone = "z", .tier = "Flex"});
  });
  EXPECT_EQ(at(value, "taskContext/task.index"), R"("4")");
  EXPECT_EQ(at(value, "taskContext/task.resubmitNumber"), R"("1")");
  EXPECT_EQ(at(value, "taskContext/task.originalId"), R"("00000000-0000-0000-0000-000000000003")");
  EXPECT_EQ(at(value, "taskContext/task.resubmitOf"), R"("00000000-0000-0000-0000-000000000003")");
  EXPECT_EQ(at(value, "taskContext/agent.host"), R"("h1")");
  EXPECT_EQ(at(value, "taskContext/titus.cell"), R"("home")");
  EXPECT_EQ(at(value, "status"), R"({"state":"Finished","reasonCode":"failed","reasonMessage":"exit code 3",)"
                                 R"("timestamp":"2005","exitCode":3,"signal":0})");
  EXPECT_EQ(at(value, "statusHistory/2"),
            R"({"state":"StartInitiated","reasonCode":"filledIn","timestamp":"2002"})");
  EXPECT_EQ(at(value, "statusHistory/3/state"), R"("Started")");
  EXPECT_EQ(at(value, "statusHistory/4"), "absent");
  EXPECT_EQ(at(value, "logLocation/ui/url"), R"("/api/v3/tasks/00000000-0000-0000-0000-000000000002/logs")");
}

TEST(TaskJson, AFirstTaskThatIsNotPlacedSaysSo) {
  auto task = example_task(TaskState::accepted);
  task.resubmit_of = {};
  const auto value = read([&](auto& writer) { task_json(writer, task); });
  EXPECT_EQ(at(value, "taskContext/task.resubmitOf"), "absent");
  EXPECT_EQ(at(value, "taskContext/agent.host"), "absent");
  EXPECT_EQ(at(value, "taskContext/agent.instanceId"), "absent");
  EXPECT_EQ(at(value, "status/exitCode"), "absent");
  EXPECT_EQ(at(value, "statusHistory"), "[]");
}

TEST(HostJson, TellsWhatItHasAndWhatIsUsed) {
  HostView host;
  host.record.id = {5};
  host.record.name = "h1";
  host.record.resources = {4000, 8192, 100, 1000, 0};
  host.record.session = example_id<SessionId>(1);
  host.record.session_node = {2};
  host.record.registered = {10};
  host.record.drivers = {"process"};
  host.used = {500, 64, 0, 0, 0};
  host.tasks = {example_id<TaskId>(2)};
  const auto value = read([&](auto& writer) { host_json(writer, host); });
  EXPECT_EQ(at(value, "connected"), "true");
  EXPECT_EQ(at(value, "node"), "2");
  EXPECT_EQ(at(value, "resources/cpu"), "4.0");
  EXPECT_EQ(at(value, "used/cpu"), "0.5");
  EXPECT_EQ(at(value, "tasks/0"), R"("00000000-0000-0000-0000-000000000002")");
  EXPECT_EQ(at(value, "phase"), R"("Active")");
  EXPECT_EQ(at(value, "taskCount"), "1");
  host.record.session = {};
  const auto gone = read([&](auto& writer) { host_json(writer, host.record, host.used, 3, {}); });
  EXPECT_EQ(at(gone, "connected"), "false");
  EXPECT_EQ(at(gone, "node"), "absent");
  EXPECT_EQ(at(gone, "used/cpu"), "0.5");
  EXPECT_EQ(at(gone, "taskCount"), "3");
  EXPECT_EQ(at(gone, "tasks"), "absent");
}

TEST(CellJson, TellsWhoLeadsAndHowFarItIs) {
  CellRecord cell;
  cell.name = "home";
  CellStatus status;
  status.node = {1};
  status.leader = {2};
  status.commit = {44};
  status.is_ready = true;
  status.build = "0123456789abcdef";
  status.members = {{1}, {2}, {3}};
  const auto value = read([&](auto& writer) { cell_json(writer, cell, status); });
  EXPECT_EQ(at(value, "name"), R"("home")");
  EXPECT_EQ(at(value, "ready"), "true");
  EXPECT_EQ(at(value, "build"), R"("0123456789abcdef")");
  EXPECT_EQ(at(value, "leader"), "2");
  EXPECT_EQ(at(value, "members"), "[1,2,3]");
  EXPECT_EQ(at(value, "commit"), R"("44")");
  EXPECT_EQ(at(value, "policy/hostLostAfterMs"), "60000");
}

TEST(PlacementJson, CountsTheReasonsOfAnUnplacedTask) {
  const std::vector<PlacementRefusal> refusals{{"not enough memory", 3, {"h1", "h2"}}};
  const auto waiting =
      read([&](auto& writer) { placement_json(writer, example_task(TaskState::accepted), "", refusals); });
  EXPECT_EQ(at(waiting, "failures/failures/0"),
            R"({"reason":"not enough memory","failureCount":3,"agentIdSamples":["h1","h2"]})");
  EXPECT_EQ(at(waiting, "success"), "absent");
  const auto placed =
      read([&](auto& writer) { placement_json(writer, example_task(TaskState::launched), "h1", {}); });
  EXPECT_EQ(at(placed, "success/message"), R"("placed on h1")");
  EXPECT_EQ(at(placed, "failures"), "absent");
}

}  // namespace
}  // namespace troupe::api
