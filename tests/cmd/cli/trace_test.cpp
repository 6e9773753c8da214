#include <gmock/gmock.h>

#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;

const std::string trace_id = "0123456789abcdef";

std::string trace_text(const std::string& state) {
  return R"({"id":"0123456789abcdef","entity":"job/one","state":")" + state +
         R"(","nodes":[{"node":1,"state":")" + state +
         R"(","why":"its time is over","messages":2},{"node":2,"error":"no answer"}],"items":[)"
         R"({"nodes":[1],"kind":"proposed","entity":"job/one","what":"kill_job","detail":"by ann","index":"40","at":"1000"},)"
         R"({"nodes":[1,3],"kind":"applied","entity":"job/one","what":"job_changed","index":"41","at":"1012"}]})";
}

struct Tracing : testing::Test {
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(Tracing, IsStartedWithItsBudget) {
  cell.on("POST /api/v3/traces", trace_text("on"));
  EXPECT_EQ(line.run({"trace", "start", "job/one", "--messages", "50", "--for", "2m"}), exit_ok)
      << line.err.str();
  EXPECT_EQ(cell.asked("POST /api/v3/traces").at(0).body,
            R"({"entity":"job/one","messages":50,"seconds":120})");
  EXPECT_THAT(line.out.str(), HasSubstr("troupe trace show " + trace_id));
  EXPECT_THAT(line.err.str(), HasSubstr("node 2 takes no part: no answer"));
  EXPECT_EQ(line.run({"trace", "start", "job/one", "--for", "long"}), exit_usage);
  EXPECT_EQ(line.run({"trace", "start", "job/one", "--messages", "10001"}), exit_usage);
}

TEST_F(Tracing, IsShownInOrder) {
  cell.on("GET /api/v3/traces/" + trace_id, trace_text("over"));
  EXPECT_EQ(line.run({"trace", "show", trace_id}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(),
            "trace 0123456789abcdef of job/one, over\n"
            "  node 1: 2 messages, over: its time is over\n"
            "  node 2: no answer\n"
            "MS  NODES  LOG  KIND      ENTITY   WHAT         DETAIL\n"
            "0   1      40   proposed  job/one  kill_job     by ann\n"
            "12  1,3    41   applied   job/one  job_changed  -\n");
  EXPECT_EQ(line.run({"trace", "show", trace_id, "--json"}), exit_ok);
  EXPECT_EQ(line.out.str(), trace_text("over") + "\n");
  EXPECT_EQ(line.run({"trace", "show", "fedcba9876543210"}), exit_not_found);
}

TEST_F(Tracing, IsWaitedForUntilItIsOff) {
  cell.on("POST /api/v3/traces", trace_text("on"));
  cell.in_turn("GET /api/v3/traces/" + trace_id,
               {{200, {}, trace_text("on")}, {200, {}, trace_text("over")}});
  EXPECT_EQ(line.run({"trace", "start", "job/one", "--wait"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.pauses.size(), 1U);
  EXPECT_THAT(line.out.str(), HasSubstr("job_changed"));
}

TEST_F(Tracing, TheLongerItLastsTheLessOftenItIsLookedAt) {
  cell.on("POST /api/v3/traces", trace_text("on"));
  std::vector<http::Response> answers(6, {200, {}, trace_text("on")});
  answers.push_back({200, {}, trace_text("over")});
  cell.in_turn("GET /api/v3/traces/" + trace_id, answers);
  EXPECT_EQ(line.run({"trace", "start", "job/one", "--wait"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.pauses.size(), 1U + 2 + 4 + 8 + 8 + 8);
}

TEST(TracingInterrupted, IsTurnedOffAndShown) {
  leave_interrupts_to_the_command_line();
  FakeCell quiet;
  CommandLine interrupted{quiet.address(), Signals::handle};
  quiet.on("POST /api/v3/traces", trace_text("on"));
  quiet.on("GET /api/v3/traces/" + trace_id, trace_text("on"));
  quiet.on("DELETE /api/v3/traces/" + trace_id, trace_text("over"));
  interrupted.interrupt_once();
  EXPECT_EQ(interrupted.run({"trace", "start", "job/one", "--wait"}), exit_ok);
  EXPECT_THAT(interrupted.out.str(), HasSubstr("of job/one, over\n"));
}

TEST_F(Tracing, TheConsoleDoesTheSame) {
  cell.on("GET /api/v3/console", R"({"node":1,"nodes":[]})");
  cell.on("GET /api/v3/cell", R"({"name":"home"})");
  cell.on("POST /api/v3/traces", trace_text("on"));
  cell.on("GET /api/v3/traces/" + trace_id, trace_text("over"));
  EXPECT_EQ(line.run({"console", "-c", "trace start job/one 20 30"}), exit_ok) << line.err.str();
  EXPECT_EQ(cell.asked("POST /api/v3/traces").at(0).body,
            R"({"entity":"job/one","messages":20,"seconds":30})");
  EXPECT_EQ(line.run({"console", "-c", "trace show " + trace_id}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("kill_job"));
  for (const char* bad : {"trace", "trace start", "trace show", "trace start job/one x", "trace look a"})
    EXPECT_EQ(line.run({"console", "-c", bad}), exit_usage) << bad;
}

}  // namespace
}  // namespace troupe::cli
