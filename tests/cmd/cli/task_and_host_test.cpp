#include <gmock/gmock.h>

#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Reads : testing::Test {
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(Reads, TasksOfAJob) {
  cell.on("GET /api/v3/tasks", page_of({text_of({.state = "Finished", .reason = "failed", .exit_code = 3}),
                                        text_of({.id = other_task_id, .state = "Finished", .signal = 9})}));
  EXPECT_EQ(line.run({"task", "ls", "--job", job_id, "--state", "any"}), exit_ok);
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr("Finished  failed  3 "), HasSubstr("signal 9")));
  const auto asked = cell.asked("GET /api/v3/tasks").at(0);
  EXPECT_EQ(asked.parameter("jobIds"), job_id);
  EXPECT_EQ(asked.parameter("taskStates"), "any");
}

TEST_F(Reads, ATaskWithItsHistory) {
  cell.on("GET " + task_path(), text_of({.state = "Finished", .reason = "normal"}));
  EXPECT_EQ(line.run({"task", "show", task_id}), exit_ok);
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr("host:      h1\n"), HasSubstr("exit code: 0\n"),
                                    HasSubstr("1970-01-01T00:16:39.000Z  Accepted"),
                                    HasSubstr("1970-01-01T00:16:40.000Z  Finished  normal")));
  EXPECT_EQ(line.run({"task", "show", task_id, "--json"}), exit_ok);
  EXPECT_EQ(line.out.str(), text_of({.state = "Finished", .reason = "normal"}) + "\n");
}

TEST_F(Reads, ATaskIsKilled) {
  cell.on("GET /api/v3/tasks", page_of({R"({"id":")" + task_id + "\"}"}));
  cell.on("DELETE " + task_path(), "");
  EXPECT_EQ(line.run({"task", "kill", "81d0"}), exit_ok);
  EXPECT_EQ(cell.asked("DELETE " + task_path()).size(), 1u);
}

TEST_F(Reads, ATaskMovesToAnotherService) {
  const std::string target = "7e000000-0000-4000-8000-00000000000a";
  cell.on("GET " + task_path(), text_of({}));
  cell.on("POST /api/v3/tasks/move", "");
  EXPECT_EQ(line.run({"task", "move", task_id, target}), exit_ok) << line.err.str();
  const auto asked = cell.asked("POST /api/v3/tasks/move").at(0);
  EXPECT_EQ(asked.body, std::string(R"({"taskId":")") + task_id + R"(","sourceJobId":")" + job_id +
                            R"(","targetJobId":")" + target + "\"}");
  EXPECT_THAT(line.out.str(), HasSubstr("is of job " + target));
}

TEST_F(Reads, WhyATaskWaitsAndWhatWouldHelp) {
  cell.on("GET " + task_path() + "/explain",
          R"({"taskId":"x","failures":{"failures":[{"reason":"cpu","failureCount":3}]},)"
          R"("queue":{"standing":"waiting","position":2,"hosts":3,"fitting":0,"lastRefusal":""},)"
          R"("capacityGroup":{"name":"DEFAULT","tier":"Flex","isAtCeiling":false},)"
          R"("nearest":[{"host":"h1","lacks":[{"reason":"cpu","detail":"500 free"}]}],)"
          R"("changes":[{"kind":"resource","sentence":"ask for less"}]})");
  EXPECT_EQ(line.run({"task", "explain", task_id}), exit_ok);
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr("standing:       waiting\n"), HasSubstr("DEFAULT (Flex)\n"),
                                    HasSubstr("3      cpu\n"), HasSubstr("h1       cpu    500 free\n"),
                                    HasSubstr("the smallest first:\n  ask for less\n")));
  cell.on("GET " + task_path() + "/explain", R"({"success":{"message":"it is on h1"}})");
  EXPECT_EQ(line.run({"task", "explain", task_id}), exit_ok);
  EXPECT_EQ(line.out.str(), "it is on h1\n");
}

constexpr const char* host = R"({"id":1,"name":"h1","hostGroup":"g","phase":"Active","connected":true,)"
                             R"("resources":{"cpu":4.0,"memoryMB":8192},"used":{"cpu":0.5,"memoryMB":64},)"
                             R"("attributes":{"zone":"z"},"tasks":["a","b"]})";

TEST_F(Reads, Hosts) {
  cell.on("GET /api/v3/hosts", std::string("{\"items\":[") + host + "]}");
  EXPECT_EQ(line.run({"host", "ls"}), exit_ok);
  EXPECT_EQ(line.out.str(),
            "NAME  GROUP  PHASE   CONNECTED  CPU      MEMORY MB  TASKS\n"
            "h1    g      Active  yes        0.5/4.0  64/8192    2\n");
  cell.on("GET /api/v3/hosts", std::string("[") + host + "]");
  EXPECT_EQ(line.run({"host", "ls"}), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("h1 "));
}

TEST_F(Reads, EverythingAboutAHost) {
  cell.on("GET /api/v3/hosts/h 1", host);
  EXPECT_EQ(line.run({"host", "show", "h 1"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(),
              AllOf(HasSubstr("resources.cpu:      4.0\n"), HasSubstr("attributes.zone:    z\n"),
                    HasSubstr("tasks:              [\"a\",\"b\"]\n")));
  EXPECT_EQ(line.run({"host", "show", "other"}), exit_not_found);
}

TEST_F(Reads, TheCell) {
  cell.on("GET /api/v3/cell", R"({"name":"home","leader":2,"members":[1,2,3],"commit":"44"})");
  EXPECT_EQ(line.run({"cell", "status"}), exit_ok);
  EXPECT_EQ(line.out.str(), "name:    home\nleader:  2\nmembers: [1,2,3]\ncommit:  44\n");
  EXPECT_EQ(line.run({"--json", "cell", "status"}), exit_ok);
  EXPECT_EQ(line.out.str(), R"({"name":"home","leader":2,"members":[1,2,3],"commit":"44"})"
                            "\n");
}

}  // namespace
}  // namespace troupe::cli
