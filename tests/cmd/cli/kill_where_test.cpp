// Ending what a condition selects: said before, asked about, paced, stopped, and gone on with elsewhere.

#include <gmock/gmock.h>

#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string nth_task(int number) {
  const std::string n = std::to_string(number);
  return "81d00000-0000-4000-8000-" + std::string(12 - n.size(), '0') + n;
}

std::string listed(const std::vector<std::string>& items, std::size_t total) {
  std::string all;
  for (const auto& item : items) all += (all.empty() ? "" : ",") + item;
  return R"({"items":[)" + all + R"(],"pagination":{"hasMore":false,"cursor":"end","totalItems":)" +
         std::to_string(total) + "}}";
}

/// Selects tasks 1 to `count` of `total`; the last one is ending already.
void have_tasks(FakeCell& cell, int count, std::size_t total) {
  std::vector<std::string> tasks;
  for (int n = 1; n <= count; ++n) {
    tasks.push_back(text_of(TaskText{.id = nth_task(n), .state = n == count ? "KillInitiated" : "Started"}));
    cell.on("DELETE /api/v3/tasks/" + nth_task(n), "{}");
  }
  cell.on("GET /api/v3/tasks", [tasks, total](const http::Request& request) {
    const bool counts_all = request.parameter("where").empty();
    return http::Response{200, {}, listed(tasks, counts_all ? total : tasks.size())};
  });
}

std::vector<http::Request> kills(FakeCell& cell, int task) {
  return cell.asked("DELETE /api/v3/tasks/" + nth_task(task));
}
std::size_t all_kills(FakeCell& cell) {
  std::size_t sum = 0;
  for (int n = 1; n <= 20; ++n) sum += kills(cell, n).size();
  return sum;
}

struct KillWhere : testing::Test {
  int run(std::vector<std::string> more, const std::string& input = {}) {
    more.insert(more.begin(), {"task", "kill", "--where", where});
    return line.run(more, input);
  }
  FakeCell cell;
  CommandLine line{cell.address()};
  const std::string where = "taskContext.agent.host = h1";
};

TEST_F(KillWhere, ADryRunSaysHowManyAndTheFirstFew) {
  have_tasks(cell, 4, 10);
  EXPECT_EQ(run({"--dry-run"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr("kill: 3 tasks to end; 1 task already ending\n"),
                                    HasSubstr(nth_task(3) + "  " + job_id + "  Started  h1\n")));
  EXPECT_EQ(cell.asked("GET /api/v3/tasks").at(0).parameter("where"), where);
  EXPECT_EQ(run({"--dry-run", "--json"}), exit_ok);
  EXPECT_EQ(line.out.str(), R"({"verb":"kill","dryRun":true,"selected":4,"changed":[],"left":[")" +
                                nth_task(1) + R"(",")" + nth_task(2) + R"(",")" + nth_task(3) + "\"]}\n");
  have_tasks(cell, 20, 40);
  EXPECT_EQ(run({"--dry-run"}), exit_ok);
  EXPECT_EQ(all_kills(cell), 0U);
}

TEST_F(KillWhere, EachIsOneAuditedRequestAtABoundedRate) {
  have_tasks(cell, 4, 10);
  EXPECT_EQ(run({"--reason", "INC-7", "--per-second", "20"}), exit_ok) << line.err.str();
  ASSERT_EQ(kills(cell, 1).size(), 1U);
  EXPECT_EQ(kills(cell, 1)[0].header("x-titus-callerid"), "tester");
  EXPECT_EQ(kills(cell, 1)[0].header("x-titus-callreason"), "INC-7");
  EXPECT_FALSE(kills(cell, 1)[0].header("idempotency-key").empty());
  EXPECT_NE(kills(cell, 1)[0].header("idempotency-key"), kills(cell, 2).at(0).header("idempotency-key"));
  EXPECT_EQ(kills(cell, 4).size(), 0U) << "it is ending already";
  EXPECT_THAT(line.out.str(), HasSubstr(nth_task(3) + " is ending (3 of 3)\n"));
  EXPECT_EQ(line.pauses, (std::vector<milliseconds>{milliseconds(50), milliseconds(50)}));
  EXPECT_EQ(run({"--reason", "INC-7", "--shrink", "--keep-min"}), exit_ok);
  EXPECT_EQ(kills(cell, 1).at(1).parameter("shrink"), "true");
  EXPECT_EQ(kills(cell, 1).at(1).parameter("preventMinSizeUpdate"), "true");
}

TEST_F(KillWhere, WhatIsNotSaidIsRefused) {
  have_tasks(cell, 3, 10);
  EXPECT_EQ(run({}), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("--reason TEXT"));
  EXPECT_EQ(run({"--reason", " "}), exit_usage);
  EXPECT_EQ(run({nth_task(1), "--reason", "r"}), exit_usage);
  for (const char* kind : {"task", "job"}) {
    EXPECT_EQ(line.run({kind, "kill", "--reason", "r"}), exit_usage);
    EXPECT_EQ(line.run({kind, "kill", "--where", "", "--reason", "r"}), exit_usage);
    EXPECT_EQ(line.run({kind, "kill", nth_task(1), "--dry-run"}), exit_usage) << "a dry run that kills";
  }
  EXPECT_EQ(run({"--reason", "r", "--per-second", "0"}), exit_usage);
  EXPECT_EQ(run({"--reason", "r", "--at-most", "1"}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("more than --at-most 1: nothing was changed"));
  EXPECT_EQ(all_kills(cell), 0U);
}

TEST_F(KillWhere, WhereTheConditionIsWrongIsShown) {
  cell.on("GET /api/v3/tasks",
          R"({"code":"invalid_argument","message":"where: no","violations":[{"path":"where",)"
          R"("message":"there is no field 'host' of a task; did you mean taskContext.agent.host?","line":1,)"
          R"("column":1}]})",
          400);
  EXPECT_EQ(run({"--reason", "r"}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("where (line 1, column 1): there is no field 'host' of a task; did"));
}

TEST_F(KillWhere, ManyAndAllAreAskedAbout) {
  have_tasks(cell, 9, 20);
  EXPECT_EQ(run({"--reason", "r"}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("these are more than 5 tasks, and nobody is here to be asked"));
  have_tasks(cell, 3, 3);
  EXPECT_EQ(run({"--reason", "r", "--yes"}), exit_refused);
  EXPECT_THAT(line.err.str(),
              HasSubstr("this is every task of the cell, and nobody is here to be asked: say --all (and "
                        "--yes) if every task is meant"));
  line.sit_down();
  EXPECT_EQ(run({"--reason", "r", "--yes"}, "yes\n"), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("nothing was changed\n"));
  EXPECT_EQ(all_kills(cell), 0U);
  EXPECT_EQ(run({"--reason", "r"}, "all\n"), exit_ok);
  EXPECT_EQ(all_kills(cell), 2U);
}

TEST_F(KillWhere, WhatHasEndedMeanwhileCountsAsDone) {
  have_tasks(cell, 5, 10);
  cell.on("DELETE /api/v3/tasks/" + nth_task(1), R"({"code":"not_found","message":"no such task"})", 404);
  cell.on("DELETE /api/v3/tasks/" + nth_task(2), R"({"code":"task_terminating","message":"ends"})", 409);
  EXPECT_EQ(run({"--reason", "r"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr(nth_task(1) + " has ended already (1 of 4)\n"),
                                    HasSubstr(nth_task(2) + " has ended already (2 of 4)\n"),
                                    HasSubstr(nth_task(4) + " is ending (4 of 4)\n")));
}

TEST_F(KillWhere, TheFirstFailureStopsItAndSaysWhatWasDone) {
  have_tasks(cell, 5, 10);
  cell.on("DELETE /api/v3/tasks/" + nth_task(2), R"({"code":"internal","message":"it broke"})", 500);
  EXPECT_EQ(run({"--reason", "r", "--json"}), exit_internal);
  EXPECT_THAT(line.err.str(),
              AllOf(HasSubstr("stopped after 1 of 4 tasks, before " + nth_task(2)), HasSubstr("it broke")));
  EXPECT_THAT(line.out.str(), HasSubstr(R"("changed":[")" + nth_task(1) + R"("],"left":[")" + nth_task(2)));
  EXPECT_EQ(kills(cell, 3).size(), 0U);
}

TEST_F(KillWhere, NothingSelectedIsSaid) {
  cell.on("GET /api/v3/tasks", listed({}, 4));
  EXPECT_EQ(run({"--reason", "r"}), exit_not_found);
  EXPECT_THAT(line.err.str(), HasSubstr("the condition holds of no task"));
}

TEST(KillWhereInterrupted, StopsBetweenTwoTasks) {
  leave_interrupts_to_the_command_line();
  FakeCell guarded;
  CommandLine handling(guarded.address(), Signals::handle);
  have_tasks(guarded, 100, 200);
  handling.interrupt_once();
  EXPECT_EQ(handling.run({"task", "kill", "--where", "jobId is set", "--reason", "r", "--yes"}),
            exit_interrupted);
  EXPECT_THAT(handling.err.str(), AllOf(HasSubstr("interrupted after "), HasSubstr(" of 99 tasks, before ")));
  EXPECT_EQ(kills(guarded, 99).size(), 0U);
}

// ---- jobs ----

struct JobsWhere : testing::Test {
  std::string job(int number, bool is_enabled, const std::string& state = "Accepted") {
    return R"({"id":")" + nth_task(number) +
           R"(","jobDescriptor":{"applicationName":"app","service":{"enabled":)" +
           (is_enabled ? "true" : "false") + R"(}},"status":{"state":")" + state + "\"}}";
  }
  void have(const std::vector<std::string>& jobs, std::size_t total) {
    cell.on("GET /api/v3/jobs", [jobs, total](const http::Request& request) {
      return http::Response{200, {}, listed(jobs, request.parameter("where").empty() ? total : jobs.size())};
    });
  }
  std::size_t asked(const std::string& what) { return cell.asked(what).size(); }
  int run(const std::string& verb) {
    return line.run({"job", verb, "--where", "jobDescriptor.applicationName = app", "--reason", "r"});
  }
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(JobsWhere, AreEnded) {
  have({job(1, true), job(2, true, "KillInitiated")}, 9);
  cell.on("DELETE /api/v3/jobs/" + nth_task(1), "{}");
  EXPECT_EQ(run("kill"), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr("kill: 1 job to end, with their tasks; 1 job already ending\n"),
                                    HasSubstr(nth_task(1) + " is ending (1 of 1)\n")));
}

TEST_F(JobsWhere, AreEnabledAndDisabled) {
  have({job(1, true), job(2, false)}, 9);
  cell.on("POST /api/v3/jobs/" + nth_task(1) + "/disable", "{}");
  cell.on("POST /api/v3/jobs/" + nth_task(2) + "/enable", "{}");
  EXPECT_EQ(run("disable"), exit_ok) << line.err.str();
  EXPECT_EQ(run("enable"), exit_ok) << line.err.str();
  EXPECT_EQ(asked("POST /api/v3/jobs/" + nth_task(1) + "/disable"), 1U);
  EXPECT_EQ(asked("POST /api/v3/jobs/" + nth_task(2) + "/enable"), 1U);
  EXPECT_THAT(line.out.str(), HasSubstr("enable: 1 job to be in service; 1 job already in service"));
}

TEST_F(JobsWhere, AreTriedAgainWhereSomethingWaits) {
  const auto waits = [](int number, int slots, const std::string& more = {}) {
    return R"({"id":")" + nth_task(number) +
           R"(","status":{"state":"Accepted"},"summary":{"slots":{"waiting":)" + std::to_string(slots) +
           "}}" + more + "}";
  };
  const std::string held = R"(,"throttled":{"since":"1800000000000","reason":"it fails"})";
  have({waits(1, 2), waits(2, 0), waits(3, 0, held)}, 9);
  cell.on("POST /api/v3/jobs/" + nth_task(1) + "/retry", "{}");
  cell.on("POST /api/v3/jobs/" + nth_task(3) + "/retry", "{}");
  EXPECT_EQ(run("retry"), exit_ok) << line.err.str();
  EXPECT_THAT(
      line.out.str(),
      AllOf(HasSubstr("retry: 2 jobs to be tried again; 1 job already with nothing that waits, or ending"),
            HasSubstr(nth_task(3) + " is tried again (2 of 2)\n")));
}

TEST_F(JobsWhere, BatchJobsAreNotPutOutOfService) {
  have({job(1, true), job_text("Accepted")}, 9);
  cell.on("POST /api/v3/jobs/" + nth_task(1) + "/disable", "{}");
  EXPECT_EQ(run("disable"), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("job " + job_id + " is no service"));
  EXPECT_EQ(asked("POST /api/v3/jobs/" + nth_task(1) + "/disable"), 0U) << "before anything is done";
}

// ---- in the console, and at other nodes ----

struct TwoNodes : testing::Test {
  TwoNodes() {
    const std::string nodes = R"({"node":1,"nodes":[{"node":1,"http":")" + first.address() +
                              R"("},{"node":2,"http":")" + second.address() + R"("}]})";
    for (FakeCell* cell : {&first, &second}) {
      have_tasks(*cell, 5, 10);
      cell->on("GET /api/v3/cell", R"({"name":"home"})");
      cell->on("GET /api/v3/console", nodes);
    }
  }
  /// It takes the kill of task 2, answers nothing, and is not heard of again.
  void first_dies_under_the_second_kill() {
    first.stream("DELETE /api/v3/tasks/" + nth_task(2), [this](const http::Request&, http::ReplyPtr reply) {
      for (const char* what : {"GET /api/v3/cell", "GET /api/v3/tasks", "GET /api/v3/console"})
        first.on(what, R"({"code":"unavailable","message":"it is going"})", 503);
      reply->open(200, {}, [] {});
    });
  }
  FakeCell first, second;
  CommandLine line{first.address()};
};

TEST_F(TwoNodes, WhatTheFirstLeftUnknownIsRepeatedAtTheSecondUnderItsRequestId) {
  first_dies_under_the_second_kill();
  EXPECT_EQ(line.run({"console"},
                     "task kill --where 'jobId is set' --reason 'INC-7: hung'\ntask where jobId is set\n"),
            exit_ok)
      << line.err.str();
  EXPECT_THAT(line.err.str(), HasSubstr("does not answer; attached to " + second.address()));
  EXPECT_EQ(kills(first, 1).size(), 1U);
  EXPECT_EQ(kills(second, 1).size(), 0U) << "what is done is done";
  ASSERT_GE(kills(first, 2).size(), 1U);
  ASSERT_EQ(kills(second, 2).size(), 1U);
  EXPECT_EQ(kills(second, 2)[0].header("idempotency-key"), kills(first, 2)[0].header("idempotency-key"));
  EXPECT_EQ(kills(second, 2)[0].header("x-titus-callreason"), "INC-7: hung");
  EXPECT_EQ(kills(second, 4).size(), 1U);
  EXPECT_THAT(line.out.str(), HasSubstr(nth_task(4) + " is ending (4 of 4)\n"));
  EXPECT_EQ(second.asked("GET /api/v3/tasks").size(), 1U) << "the console stays where it went";
}

TEST_F(TwoNodes, WhereTheLeaderIsAwayIsWaitedForAtTheSameNode) {
  std::vector<http::Response> answers(8, {503, {}, R"({"code":"unavailable","message":"no leader"})"});
  answers.push_back({200, {}, "{}"});
  first.in_turn("DELETE /api/v3/tasks/" + nth_task(2), answers);
  EXPECT_EQ(line.run({"task", "kill", "--where", "jobId is set", "--reason", "r"}), exit_ok)
      << line.err.str();
  EXPECT_EQ(kills(first, 2).size(), 9U);
  EXPECT_EQ(kills(first, 2)[0].header("idempotency-key"), kills(first, 2)[8].header("idempotency-key"));
  EXPECT_EQ(all_kills(second), 0U);
}

TEST_F(TwoNodes, PatienceIsBounded) {
  first.on("DELETE /api/v3/tasks/" + nth_task(2), R"({"code":"unavailable","message":"no leader"})", 503);
  EXPECT_EQ(line.run({"task", "kill", "--where", "jobId is set", "--reason", "r"}), exit_unavailable);
  EXPECT_THAT(line.err.str(), HasSubstr("stopped after 1 of 4 tasks, before " + nth_task(2)));
  EXPECT_EQ(kills(first, 2).size(), 60U);
}

TEST_F(TwoNodes, TheConsoleKillsOneByItsIdAndSaysWhatItLacks) {
  EXPECT_EQ(line.run({"console", "-c", "task kill " + nth_task(1)}), exit_ok) << line.err.str();
  EXPECT_EQ(kills(first, 1).size(), 1U);
  EXPECT_EQ(line.run({"console", "-c", "task kill --where 'jobId is set'"}), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("say why"));
  EXPECT_EQ(line.run({"console", "-c", "job kill"}), exit_usage);
  EXPECT_EQ(line.run({"console", "-c", "task drain x"}), exit_usage);
  EXPECT_EQ(all_kills(first), 1U);
}

}  // namespace
}  // namespace troupe::cli
