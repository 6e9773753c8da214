#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include "fake_cell.hpp"
#include "net/api/descriptor.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A cell in which one job runs: what its events and its end are.
struct JobRuns : testing::Test {
  void ends(const std::string& frames, const std::string& last_job,
            const std::vector<std::string>& last_tasks) {
    cell.on("POST /api/v3/jobs", R"({"id":")" + job_id + "\"}", 202);
    cell.in_turn("GET " + job_path(), {{200, {}, job_text("Accepted")}, {200, {}, last_job}});
    cell.in_turn("GET /api/v3/tasks", {{200, {}, page_of({})}, {200, {}, page_of(last_tasks)}});
    cell.events(job_path() + "/events", frames);
  }
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(JobRuns, OutputIsShownAndZeroAnswered) {
  ends(task_frame("Accepted") + task_frame("Started") + task_frame("Finished") + job_frame("Finished"),
       job_text("Finished", "normal"), {text_of({.state = "Finished", .reason = "normal"})});
  cell.on("GET " + task_path() + "/logs", logs_of("hello\nworld", "careful\n"));
  EXPECT_EQ(line.run({"job", "run", "--", "echo", "hello"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "hello\nworld");
  EXPECT_EQ(line.err.str(), "job " + job_id + "\ncareful\n");
}

TEST_F(JobRuns, TheBodyIsADescriptorThatTheApiAccepts) {
  ends(job_frame("Finished"), job_text("Finished", "normal"), {});
  EXPECT_EQ(line.run({"job",
                      "run",
                      "--name",
                      "encode",
                      "--cpu",
                      "0.5",
                      "--memory",
                      "256",
                      "--image",
                      "registry:5000/film/encode:v1",
                      "--env",
                      "A=1",
                      "--env",
                      "B=x=y",
                      "--attribute",
                      "show=42",
                      "--constraint",
                      "uniqueHost=true",
                      "--size",
                      "3",
                      "--retries",
                      "2",
                      "--runtime-limit",
                      "90s",
                      "--team-email",
                      "film@example.com",
                      "--quiet",
                      "--",
                      "sh",
                      "-c",
                      "echo --size 7",
                      ""}),
            exit_ok)
      << line.err.str();
  const auto posted = cell.asked("POST /api/v3/jobs");
  ASSERT_EQ(posted.size(), 1u);
  EXPECT_EQ(posted[0].header("x-titus-callerid"), "tester");
  EXPECT_FALSE(posted[0].header("idempotency-key").empty());
  const auto job = api::parse_job_descriptor(posted[0].body);
  ASSERT_TRUE(job.ok()) << job.error().message << posted[0].body;
  EXPECT_EQ(job.value().application_name, "encode");
  EXPECT_EQ(job.value().team_email, "film@example.com");
  EXPECT_EQ(job.value().resources.cpu_milli, 500);
  EXPECT_EQ(job.value().resources.memory_mb, 256);
  EXPECT_EQ(job.value().resources.disk_mb, api::DescriptorLimits{}.fallback.disk_mb);
  EXPECT_EQ(job.value().env, (StringMap{{"A", "1"}, {"B", "x=y"}}));
  EXPECT_EQ(job.value().image, (Image{"registry:5000/film/encode", "v1", ""}));
  EXPECT_EQ(job.value().attributes, (StringMap{{"show", "42"}}));
  EXPECT_EQ(job.value().hard_constraints, (StringMap{{"uniqueHost", "true"}}));
  EXPECT_EQ(job.value().command, (std::vector<std::string>{"sh", "-c", "echo --size 7", ""}));
  EXPECT_EQ(job.value().batch()->size, 3u);
  EXPECT_EQ(job.value().batch()->retry.retries, 2u);
  EXPECT_EQ(job.value().batch()->runtime_limit, milliseconds(90'000));
}

TEST_F(JobRuns, AFailureAnswersTheTasksCodeAndItsLastLines) {
  ends(task_frame("Started") + task_frame("Finished") + job_frame("Finished"), job_text("Finished", "failed"),
       {text_of({.state = "Finished", .reason = "failed", .exit_code = 3})});
  std::string errors;
  for (int i = 1; i <= 12; ++i) errors += "line " + std::to_string(i) + "\n";
  cell.on("GET " + task_path() + "/logs", logs_of("", errors));
  EXPECT_EQ(line.run({"job", "run", "--", "false"}), 3);
  EXPECT_THAT(line.err.str(),
              AllOf(HasSubstr("failed: failed"), HasSubstr("task " + task_id + " of slot 0: failed"),
                    HasSubstr("    line 3\n    line 4\n"), HasSubstr("    line 12\n"),
                    Not(HasSubstr("    line 2\n"))));
}

TEST_F(JobRuns, ADeathBySignalIsToldAsShellsDo) {
  ends(job_frame("Finished"), job_text("Finished", "failed"),
       {text_of({.state = "Finished", .reason = "failed", .signal = 9})});
  EXPECT_EQ(line.run({"job", "run", "--", "x"}), 137);
}

TEST_F(JobRuns, OfASlotItsLastTaskCounts) {
  ends(job_frame("Finished"), job_text("Finished", "failed", 2),
       {text_of(
            {.id = other_task_id, .state = "Finished", .reason = "failed", .exit_code = 5, .resubmits = 1}),
        text_of({.state = "Finished", .reason = "failed", .exit_code = 4}),
        text_of({.id = "a", .slot = 1, .state = "Finished", .reason = "normal"})});
  EXPECT_EQ(line.run({"job", "run", "--", "x"}), 5);
}

TEST_F(JobRuns, AJobThatWasKilledHasFailed) {
  ends(job_frame("Finished"), job_text("Finished", "killed"), {});
  EXPECT_EQ(line.run({"job", "run", "--", "x"}), exit_failed);
}

TEST_F(JobRuns, LinesOfSeveralSlotsSayWhose) {
  ends(task_frame("Started") + task_frame("Started", other_task_id, 1) + task_frame("Finished") +
           task_frame("Finished", other_task_id, 1) + job_frame("Finished"),
       job_text("Finished", "normal", 2), {});
  cell.on("GET " + task_path() + "/logs", logs_of("a\nb", ""));
  cell.on("GET " + task_path(other_task_id) + "/logs", logs_of("c\n", "d\n"));
  EXPECT_EQ(line.run({"job", "run", "--size", "2", "-q", "--", "x"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr("[0] a\n"), HasSubstr("[0] b\n"), HasSubstr("[1] c\n")));
  EXPECT_EQ(line.err.str(), "[1] d\n");
}

TEST_F(JobRuns, WhatIsNotPlacedInTimeIsEndedAndExplained) {
  ends(task_frame("Accepted"), job_text("Accepted"), {text_of({.state = "Accepted"})});
  cell.on("GET /api/v3/scheduler/results/" + task_id,
          R"({"failures":{"failures":[{"reason":"not enough memory","failureCount":3}]}})");
  cell.on("DELETE " + job_path(), "");
  EXPECT_EQ(line.run({"job", "run", "--place-timeout", "400ms", "--", "x"}), exit_try_again);
  EXPECT_THAT(line.err.str(), AllOf(HasSubstr("was not placed within 400ms"),
                                    HasSubstr("3 hosts: not enough memory"), HasSubstr("the job was ended")));
  EXPECT_EQ(cell.asked("DELETE " + job_path()).size(), 1u);
}

TEST_F(JobRuns, AnOpenStreamIsLeftWhenThePlaceTimeoutPasses) {
  ends("", job_text("Accepted"), {text_of({.state = "Accepted"})});
  OpenEvents events(cell, task_frame("Accepted"));
  cell.on("DELETE " + job_path(), "");
  EXPECT_EQ(line.run({"job", "run", "--place-timeout", "100ms", "--", "x"}), exit_try_again);
}

TEST_F(JobRuns, APlacedJobIsNotHeldToThePlaceTimeout) {
  ends(task_frame("Launched"), job_text("Finished", "normal"), {});
  EXPECT_EQ(line.run({"job", "run", "--place-timeout", "0s", "--", "x"}), exit_try_again);
  cell.in_turn("GET " + job_path(),
               {{200, {}, job_text("Accepted")}, {200, {}, job_text("Finished", "normal")}});
  cell.on("GET /api/v3/tasks", page_of({text_of({.state = "Launched"})}));
  EXPECT_EQ(line.run({"job", "run", "--place-timeout", "0s", "--", "x"}), exit_ok) << line.err.str();
}

TEST_F(JobRuns, ABrokenStreamIsMended) {
  ends("", job_text("Accepted"), {});
  cell.in_turn("GET " + job_path(), {{200, {}, job_text("Accepted")},
                                     {503, {}, R"({"code":"unavailable","message":"m"})"},
                                     {200, {}, job_text("Accepted")},
                                     {200, {}, job_text("Finished", "normal")}});
  EXPECT_EQ(line.run({"job", "run", "--", "x"}), exit_ok) << line.err.str();
  EXPECT_EQ(cell.asked("GET " + job_path() + "/events").size(), 2u);
  EXPECT_FALSE(line.pauses.empty());
}

TEST_F(JobRuns, OutputGoesOnWhereABrokenStreamStood) {
  ends("", job_text("Finished", "normal"), {});
  OpenEvents events(cell, task_frame("Started"));
  cell.on("GET " + task_path() + "/logs", [&](const http::Request& request) {
    if (request.parameter("stream") == "stderr") return http::Response{};
    const auto offset = request.parameter("offset");
    if (offset == "12") events.end_with(task_frame("Finished") + job_frame("Finished"));
    return http::Response{200, {}, offset == "0" ? "first " : offset == "6" ? "second" : ""};
  });
  EXPECT_EQ(line.run({"job", "run", "-q", "--", "x"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "first second");
}

TEST_F(JobRuns, WhatATaskWritesLastIsNotLost) {
  ends("", job_text("Finished", "normal"), {});
  OpenEvents events(cell, task_frame("Started"));
  cell.on("GET " + task_path() + "/logs", [&](const http::Request& request) {
    if (request.parameter("stream") == "stderr") return http::Response{};
    // A followed stream that ends too early, as when its node stops: only the read after the end has all.
    if (request.parameter("follow").empty())
      return http::Response{200, {}, request.parameter("offset") == "6" ? "last words" : ""};
    if (request.parameter("offset") == "6") events.end_with(task_frame("Finished") + job_frame("Finished"));
    return http::Response{200, {}, request.parameter("offset") == "0" ? "first " : ""};
  });
  EXPECT_EQ(line.run({"job", "run", "-q", "--", "x"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "first last words");
}

TEST_F(JobRuns, WhatIsRefusedIsSaidWithItsPlace) {
  cell.on("POST /api/v3/jobs",
          R"({"code":"invalid_argument","message":"bad","violations":[{"path":"container.resources.cpu",)"
          R"("message":"must be from 0.1 to 96.0","line":1,"column":2}]})",
          400);
  EXPECT_EQ(line.run({"job", "run", "--cpu", "0", "--", "x"}), exit_refused);
  EXPECT_THAT(line.err.str(),
              HasSubstr("container.resources.cpu (line 1, column 2): must be from 0.1 to 96.0"));
}

TEST_F(JobRuns, OptionsThatAreWrongAreUsage) {
  EXPECT_EQ(line.run({"job", "run", "--image", "registry:5000/app", "--", "x"}), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("--image: must be NAME:TAG or NAME@DIGEST, is registry:5000/app"));
  EXPECT_EQ(line.run({"job", "run", "--env", "A", "--", "x"}), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("--env: must be NAME=VALUE, is A"));
  EXPECT_EQ(line.run({"job", "run", "--cpu", "much", "--", "x"}), exit_usage);
  EXPECT_EQ(line.run({"job", "run", "--place-timeout", "soon", "--", "x"}), exit_usage);
  EXPECT_EQ(line.run({"job", "run", "--runtime-limit", "1d", "--", "x"}), exit_usage);
  EXPECT_EQ(line.run({"job", "run", "--size", "0", "--", "x"}), exit_usage);
  EXPECT_EQ(line.run({"job", "run"}), exit_usage);
  EXPECT_TRUE(cell.asked("POST /api/v3/jobs").empty());
}

TEST(JobRun, AnInterruptEndsTheJob) {
  leave_interrupts_to_the_command_line();
  FakeCell guarded;
  CommandLine handling(guarded.address(), Signals::handle);
  guarded.on("POST /api/v3/jobs", R"({"id":")" + job_id + "\"}", 202);
  guarded.in_turn("GET " + job_path(),
                  {{200, {}, job_text("Accepted")}, {200, {}, job_text("Finished", "killed")}});
  guarded.on("GET /api/v3/tasks", page_of({text_of({.state = "Started"})}));
  guarded.on("GET " + task_path() + "/logs", "");
  OpenEvents events(guarded, task_frame("Started"), [] { kill(getpid(), SIGINT); });
  guarded.on("DELETE " + job_path(), [&](const http::Request&) {
    events.end_with(task_frame("Finished") + job_frame("Finished"));
    return http::Response{};
  });
  EXPECT_EQ(handling.run({"job", "run", "--", "x"}), exit_interrupted) << handling.err.str();
  EXPECT_EQ(guarded.asked("DELETE " + job_path()).size(), 1u);
  EXPECT_THAT(handling.err.str(), HasSubstr("ending job " + job_id));
}

}  // namespace
}  // namespace troupe::cli
