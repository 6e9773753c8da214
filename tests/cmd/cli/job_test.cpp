#include <gmock/gmock.h>

#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Jobs : testing::Test {
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(Jobs, AreListedInAlignedColumns) {
  cell.on("GET /api/v3/jobs", page_of({job_text("Accepted", "jobSubmitted", 3)}));
  EXPECT_EQ(line.run({"job", "ls", "--state", "Accepted", "--app", "a b"}), exit_ok);
  EXPECT_EQ(line.out.str(),
            "ID                                    APPLICATION  TYPE   STATE     REASON        RUNNING  AGE  "
            "OWNER\n" +
                job_id + "  app          batch  Accepted  jobSubmitted  1/3      60s  a@b\n");
  const auto asked = cell.asked("GET /api/v3/jobs").at(0);
  EXPECT_EQ(asked.parameter("jobState"), "Accepted");
  EXPECT_EQ(asked.parameter("applicationName"), "a b");
  EXPECT_EQ(asked.parameter("pageSize"), "100");
}

TEST_F(Jobs, AreListedPageByPage) {
  cell.on("GET /api/v3/jobs", [](const http::Request& request) {
    const auto cursor = request.parameter("cursor");
    return http::Response{
        200,
        {},
        cursor.empty() ? page_of({job_text("Accepted")}, "c=1") : page_of({job_text("KillInitiated")})};
  });
  EXPECT_EQ(line.run({"job", "ls"}), exit_ok);
  EXPECT_THAT(line.out.str(), Not(HasSubstr("KillInitiated")));
  EXPECT_THAT(line.err.str(), HasSubstr("--all-pages"));
  EXPECT_EQ(line.run({"job", "ls", "--all-pages"}), exit_ok);
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr("Accepted"), HasSubstr("KillInitiated")));
  EXPECT_EQ(cell.asked("GET /api/v3/jobs").back().parameter("cursor"), "c=1");
}

TEST_F(Jobs, AreListedAsTheApiAnswersWithJson) {
  const auto page = page_of({job_text("Accepted")});
  cell.on("GET /api/v3/jobs", page);
  EXPECT_EQ(line.run({"job", "ls", "--json"}), exit_ok);
  EXPECT_EQ(line.out.str(), page + "\n");
}

TEST_F(Jobs, AreShownWithTheirTasks) {
  cell.on("GET " + job_path(), job_text("Accepted"));
  cell.on("GET /api/v3/tasks", page_of({text_of({})}));
  EXPECT_EQ(line.run({"job", "show", job_id}), exit_ok);
  EXPECT_THAT(line.out.str(),
              AllOf(HasSubstr("application: app\n"), HasSubstr("state:       Accepted\n"),
                    HasSubstr(task_id + "  0     0          Started  -       -     h1    60s")));
  EXPECT_EQ(cell.asked("GET /api/v3/tasks").at(0).parameter("jobIds"), job_id);
  EXPECT_EQ(cell.asked("GET /api/v3/tasks").at(0).parameter("taskStates"), "any");
}

TEST_F(Jobs, ThatOnlyFailAreShownToBeThrottledAndWhy) {
  std::string job = job_text("Accepted", "jobSubmitted", 3);
  job.insert(1, R"("throttled":{"since":"1000","reason":"its tasks keep failing"},)");
  cell.on("GET /api/v3/jobs", page_of({job}));
  cell.on("GET " + job_path(), job);
  cell.on("GET /api/v3/tasks", page_of({}));
  EXPECT_EQ(line.run({"job", "ls"}), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("Accepted  throttled"));
  EXPECT_EQ(line.run({"job", "show", job_id}), exit_ok);
  EXPECT_THAT(line.out.str(),
              HasSubstr("throttled:   since 1970-01-01T00:00:01.000Z: its tasks keep failing\n"));
}

TEST_F(Jobs, AreFoundByTheBeginningOfTheirId) {
  cell.on("GET /api/v3/jobs",
          page_of({R"({"id":")" + job_id + "\"}", R"({"id":"6f2c0000-0000-4000-8000-000000000001"})"}));
  cell.on("DELETE " + job_path(), "");
  EXPECT_EQ(line.run({"job", "kill", "6f1c"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "ending job " + job_id + "\n");
  EXPECT_EQ(line.run({"job", "kill", "7777"}), exit_not_found);
  EXPECT_EQ(line.run({"job", "kill", "6f"}), exit_refused);
  EXPECT_EQ(line.run({"job", "kill", "../x"}), exit_refused);
  cell.on("GET /api/v3/jobs", page_of({R"({"id":"6f1c1"})", R"({"id":"6f1c2"})"}));
  EXPECT_EQ(line.run({"job", "kill", "6f1c"}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("several ids begin with 6f1c"));
}

TEST_F(Jobs, ThatEndAlreadyRefuseToBeKilled) {
  cell.on("DELETE " + job_path(), R"({"code":"job_terminating","message":"it is ending"})", 409);
  EXPECT_EQ(line.run({"job", "kill", job_id}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("job_terminating: it is ending"));
}

TEST_F(Jobs, AreScaledAndWhatIsNotGivenStays) {
  cell.on("GET " + job_path(), R"({"jobDescriptor":{"service":{"capacity":{"min":1,"desired":2,"max":3}}}})");
  cell.on("PUT " + job_path() + "/instances", "");
  EXPECT_EQ(line.run({"job", "scale", job_id, "--desired", "5", "--max", "9"}), exit_ok) << line.err.str();
  EXPECT_EQ(cell.asked("PUT " + job_path() + "/instances").at(0).body, R"({"min":1,"desired":5,"max":9})");
  EXPECT_EQ(line.run({"job", "scale", job_id}), exit_usage);
  cell.on("GET " + job_path(), job_text("Accepted"));
  EXPECT_EQ(line.run({"job", "scale", job_id, "--desired", "5"}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("only services can be scaled"));
}

TEST_F(Jobs, AreWaitedFor) {
  cell.in_turn("GET " + job_path(),
               {{200, {}, job_text("Accepted")}, {200, {}, job_text("Finished", "normal")}});
  cell.on("GET /api/v3/tasks", page_of({}));
  cell.events(job_path() + "/events", ": keep-alive\n\n" + job_frame("Finished"));
  EXPECT_EQ(line.run({"job", "wait", job_id}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "job " + job_id + " finished: normal\n");
  cell.on("GET " + job_path(), job_text("Finished", "failed"));
  EXPECT_EQ(line.run({"job", "wait", job_id}), exit_failed);
}

TEST_F(Jobs, AreNotWaitedForLongerThanAsked) {
  cell.on("GET " + job_path(), job_text("Accepted"));
  cell.on("GET /api/v3/tasks", page_of({}));
  OpenEvents events(cell, "");
  EXPECT_EQ(line.run({"job", "wait", job_id, "--timeout", "50ms"}), exit_timeout);
  EXPECT_EQ(line.run({"job", "wait", job_id, "--timeout", "soon"}), exit_usage);
}

TEST_F(Jobs, ThatDoNotExistAreNotWaitedFor) {
  EXPECT_EQ(line.run({"job", "wait", job_id}), exit_not_found);
  EXPECT_EQ(line.run({"job", "show", job_id}), exit_not_found);
}

TEST_F(Jobs, AreNotWaitedForWhenTheCellKeepsFailing) {
  cell.on("GET " + job_path(), R"({"code":"unavailable","message":"no leader"})", 503);
  EXPECT_EQ(line.run({"job", "wait", job_id}), exit_unavailable);
  EXPECT_EQ(line.pauses.size(), 20u);
}

}  // namespace
}  // namespace troupe::cli
