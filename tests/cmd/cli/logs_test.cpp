#include <gmock/gmock.h>

#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;

struct Logs : testing::Test {
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(Logs, OfATask) {
  cell.on("GET " + task_path() + "/logs", logs_of("out\n", "err\n"));
  EXPECT_EQ(line.run({"task", "logs", task_id}), exit_ok);
  EXPECT_EQ(line.out.str(), "out\n");
  EXPECT_EQ(line.run({"task", "logs", task_id, "--stderr", "--follow"}), exit_ok);
  EXPECT_EQ(line.out.str(), "err\n");
  EXPECT_EQ(cell.asked("GET " + task_path() + "/logs").back().parameter("follow"), "true");
  EXPECT_EQ(line.run({"task", "logs", other_task_id}), exit_not_found);
}

TEST_F(Logs, OfAJobOfOneSlotHaveNoPrefix) {
  cell.on("GET " + job_path(), job_text("Accepted"));
  cell.on("GET /api/v3/tasks", page_of({text_of({})}));
  cell.on("GET " + task_path() + "/logs", logs_of("out", ""));
  EXPECT_EQ(line.run({"job", "logs", job_id}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "out");
}

TEST_F(Logs, OfAJobOfSeveralSlots) {
  cell.on("GET " + job_path(), job_text("Accepted", "", 2));
  cell.on("GET /api/v3/tasks", page_of({text_of({}), text_of({.id = other_task_id, .slot = 1}),
                                        text_of({.id = "waits", .slot = 2, .state = "Accepted"})}));
  cell.on("GET " + task_path() + "/logs", logs_of("a\n", ""));
  cell.on("GET " + task_path(other_task_id) + "/logs", logs_of("b\nc\n", ""));
  EXPECT_EQ(line.run({"job", "logs", job_id}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), testing::AllOf(HasSubstr("[0] a\n"), HasSubstr("[1] b\n[1] c\n")));
  EXPECT_EQ(line.run({"job", "logs", job_id, "--slot", "1"}), exit_ok);
  EXPECT_EQ(line.out.str(), "b\nc\n");
  EXPECT_TRUE(cell.asked("GET " + task_path("waits") + "/logs").empty());
}

TEST_F(Logs, OfAJobAreFollowedToItsEnd) {
  cell.in_turn("GET " + job_path(), {{200, {}, job_text("Accepted")}, {200, {}, job_text("Accepted")}});
  cell.on("GET /api/v3/tasks", page_of({}));
  cell.events(job_path() + "/events", task_frame("Started") + task_frame("Finished") + job_frame("Finished"));
  cell.on("GET " + task_path() + "/logs", logs_of("", "err\n"));
  EXPECT_EQ(line.run({"job", "logs", job_id, "--follow", "--stderr"}), exit_ok);
  EXPECT_EQ(line.err.str(), "err\n");
}

TEST_F(Logs, ThatAreGoneEndQuietly) {
  cell.on("GET " + job_path(), job_text("Finished"));
  cell.on("GET /api/v3/tasks", page_of({text_of({.state = "Finished"})}));
  EXPECT_EQ(line.run({"job", "logs", job_id}), exit_ok);
  EXPECT_EQ(line.out.str(), "");
}

}  // namespace
}  // namespace troupe::cli
