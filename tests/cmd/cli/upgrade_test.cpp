// `cell upgrade` at a cell that answers what the test tells it to; the hook is a real command.

#include <gmock/gmock.h>
#include <poll.h>

#include <array>
#include <fstream>

#include "cmd/troupe/cli_hook.hpp"
#include "fake_cell.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;

const std::string running_build = "00000000000000aa", wanted_build = "00000000000000bb";

/// Three nodes, each with a gateway of its own. The hook's file says which ones were replaced.
struct Upgrading : testing::Test {
  std::map<std::uint32_t, FakeCell> nodes;
  TempFolder folder;
  std::uint32_t leader = 1;
  std::map<std::uint32_t, int> shards{{1, 21}, {2, 21}, {3, 22}};
  std::uint32_t spared = 0;
  std::string spared_reason;
  CommandLine line{nodes[1].address()};

  Upgrading() {
    for (const std::uint32_t n : {1, 2, 3}) {
      FakeCell& cell = nodes[n];
      cell.on("GET /api/v3/cell", [this, n](const http::Request&) {
        return http::Response{200,
                              {},
                              R"({"ready":true,"level":1,"hostsConnected":5,"build":")" + build_of(n) +
                                  R"(","policy":{"levelMax":1000000}})"};
      });
      cell.on("GET /api/v3/cell/status", [this](const http::Request&) {
        return http::Response{200, {}, standing()};
      });
      cell.on("PUT /api/v3/cell/leader", [this](const http::Request& request) {
        leader = static_cast<std::uint32_t>(request.body.at(8) - '0');
        return http::Response{200, {}, "{}"};
      });
      cell.on("PUT /api/v3/cell/policy", "{}");
      for (const std::uint32_t m : {1, 2, 3}) {
        const std::string member = "POST /api/v3/cell/members/" + std::to_string(m);
        cell.on(member + "/handOver", [this, m](const http::Request& request) {
          shards[m] = 0;
          spared = m;
          spared_reason = request.header("x-titus-callreason");
          return http::Response{200, {}, "{}"};
        });
        cell.on(member + "/takeBack", [this](const http::Request&) {
          spared = 0;
          return http::Response{200, {}, "{}"};
        });
      }
    }
  }
  std::string replaced() const {
    std::ifstream file(folder.path() + "/replaced");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string build_of(std::uint32_t n) const {
    return replaced().find(std::to_string(n)) == std::string::npos ? running_build : wanted_build;
  }
  std::string standing() {
    std::string out = R"({"leader":)" + std::to_string(leader);
    if (spared != 0)
      out += R"(,"spared":{"node":)" + std::to_string(spared) + R"(,"by":"ann","reason":")" + spared_reason +
             R"("})";
    out += R"(,"items":[)";
    for (const std::uint32_t n : {1, 2, 3})
      out += (n == 1 ? "" : ",") + (R"({"node":)" + std::to_string(n)) + R"(,"role":")" +
             (n == leader ? "LEADER" : "VOTER") + R"(","reachable":true,"address":"p:1","http":")" +
             nodes[n].address() + R"(","lag":"0","shardsOwned":)" + std::to_string(shards[n]) + "}";
    return out + "]}";
  }
  std::string hook() const { return "printf '%s ' {node} >> " + folder.path() + "/replaced"; }
  int upgrade(std::vector<std::string> more) {
    more.insert(more.begin(), {"cell", "upgrade", "--build", wanted_build});
    return line.run(more);
  }
};

TEST_F(Upgrading, ReplacesAllTheLeaderLast) {
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "release 12"}), exit_ok) << line.err.str();
  EXPECT_EQ(replaced(), "2 3 1 ");
  EXPECT_NE(leader, 1U);
  EXPECT_THAT(line.out.str(), HasSubstr("node 2 hands over its shards\n"));
  EXPECT_THAT(line.out.str(), HasSubstr("node 2 is back with build " + wanted_build));
  EXPECT_THAT(line.out.str(), HasSubstr("every node has build " + wanted_build));
  const auto ordered = nodes[1].asked("POST /api/v3/cell/members/2/handOver");
  ASSERT_EQ(ordered.size(), 1U);
  EXPECT_EQ(ordered[0].header("x-titus-callerid"), "tester");
  EXPECT_THAT(std::string(ordered[0].header("x-titus-callreason")),
              testing::MatchesRegex("release 12 \\(upgrade [0-9a-f]{8}\\)"));
  EXPECT_EQ(nodes[1].asked("POST /api/v3/cell/members/2/takeBack").size(), 1U);
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "release 12"}), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("nothing to do"));
  EXPECT_EQ(replaced(), "2 3 1 ");
}

TEST_F(Upgrading, ADryRunMakesTheChecksAndChangesNothing) {
  EXPECT_EQ(upgrade({"--dry-run"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("3 of 3 nodes to build " + wanted_build));
  EXPECT_THAT(line.out.str(), HasSubstr("every check is passed; nothing was changed"));
  EXPECT_EQ(replaced(), "");
  nodes[3].on("GET /api/v3/cell", R"({"ready":false,"build":"00000000000000aa"})");
  EXPECT_EQ(upgrade({"--dry-run"}), exit_refused);
  EXPECT_THAT(line.out.str(), HasSubstr("would not begin: node 3: does not serve yet"));
}

TEST_F(Upgrading, StopsWhereTheHookFailsAndGoesOnFromThere) {
  const std::string bad = "test {node} != 3 && " + hook();
  EXPECT_EQ(upgrade({"--hook", bad, "--yes", "--reason", "release 12"}), exit_failed);
  EXPECT_EQ(replaced(), "2 ");
  EXPECT_THAT(line.err.str(), HasSubstr("stopped: node 3: the hook failed: it ended with exit code 1"));
  EXPECT_THAT(line.err.str(), HasSubstr("node 2: has the new build\n  node 3: has build " + running_build));
  EXPECT_EQ(nodes[1].asked("POST /api/v3/cell/members/3/takeBack").size(), 1U);
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "release 12", "--json"}), exit_ok)
      << line.err.str();
  EXPECT_EQ(replaced(), "2 3 1 ");
  EXPECT_THAT(line.out.str(), testing::StartsWith(R"({"step":"handOver","node":3,)"));
}

TEST_F(Upgrading, ABuildThatDoesNotKnowHowToHandOverIsReplacedAsItIs) {
  for (auto& [n, cell] : nodes)
    cell.on("POST /api/v3/cell/members/2/handOver", R"({"code":"not_found","message":"no such path"})", 404);
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "release 12"}), exit_ok) << line.err.str();
  EXPECT_EQ(replaced(), "2 3 1 ") << "node 2 with its shards";
  EXPECT_THAT(line.out.str(), HasSubstr("node 2 is replaced as it is; runs "));
  EXPECT_THAT(line.out.str(), HasSubstr("node 3 owns nothing; runs "));
}

TEST_F(Upgrading, ASecondRunBesideTheFirstIsRefusedAndLeavesItsSpare) {
  spared = 2;
  spared_reason = "release 12 (upgrade 0badcafe)";
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "release 12"}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("another upgrade is under way"));
  EXPECT_EQ(replaced(), "");
  EXPECT_EQ(spared, 2U);
  // Had both looked before either spared a node.
  spared = 0;
  for (auto& [n, cell] : nodes)
    cell.on("POST /api/v3/cell/members/2/handOver", [this](const http::Request&) {
      spared = 2;
      return http::Response{409, {}, R"({"code":"precondition_failed","message":"take it back first"})"};
    });
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "release 12"}), exit_failed);
  EXPECT_EQ(replaced(), "");
  EXPECT_EQ(spared, 2U) << "of the other run";
}

TEST_F(Upgrading, WhereARunWasKilledAnotherOneTakesOver) {
  spared = 2;
  spared_reason = "release 12 (upgrade 0badcafe)";
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "release 12", "--take-over"}), exit_ok)
      << line.err.str();
  EXPECT_EQ(replaced(), "2 3 1 ");
  EXPECT_EQ(spared, 0U);
  EXPECT_THAT(line.out.str(), HasSubstr("node 2 may own shards again: it still handed over for ann\n"));
}

TEST_F(Upgrading, AHandOverThatIsForgottenIsOrderedAgainAfterAPause) {
  int times = 0;
  for (auto& [n, cell] : nodes)
    cell.on("POST /api/v3/cell/members/2/handOver", [this, &times](const http::Request& request) {
      if (++times < 3) return http::Response{200, {}, "{}"};
      shards[2] = 0;
      spared = 2;
      spared_reason = request.header("x-titus-callreason");
      return http::Response{200, {}, "{}"};
    });
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "release 12"}), exit_ok) << line.err.str();
  EXPECT_EQ(times, 3);
  EXPECT_GE(line.pauses.size(), 2U);
}

TEST_F(Upgrading, TheFeatureLevelIsHeldAlsoIfTheFirstStepIsATransfer) {
  std::ofstream(folder.file("replaced")) << "2 3 ";
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "r", "--hold-level"}), exit_ok) << line.err.str();
  EXPECT_EQ(nodes[1].asked("PUT /api/v3/cell/policy").at(0).body, R"({"levelMax":1})");
}

TEST_F(Upgrading, TheFeatureLevelIsHeldAndRaisedOnlyWhenAsked) {
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "r"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("feature level 1, at most 1000000 by the policy"));
  std::size_t asked = 0;
  for (auto& [n, cell] : nodes) asked += cell.asked("PUT /api/v3/cell/policy").size();
  EXPECT_EQ(asked, 0U);
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "r", "--raise-level"}), exit_ok)
      << line.err.str();
  EXPECT_EQ(nodes[leader].asked("PUT /api/v3/cell/policy").at(0).body, R"({"levelMax":1000000})");
}

TEST_F(Upgrading, IsAskedForOrSaidInAdvance) {
  EXPECT_EQ(upgrade({"--hook", hook(), "--reason", "r"}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("say --yes"));
  EXPECT_EQ(upgrade({"--hook", "restart", "--yes", "--reason", "r"}), exit_usage);
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes"}), exit_usage);
  EXPECT_EQ(upgrade({"--hook", hook(), "--yes", "--reason", "r", "--hook-timeout", "soon"}), exit_usage);
  EXPECT_EQ(line.run({"cell", "upgrade", "--build", "new", "--dry-run"}), exit_usage);
  EXPECT_EQ(replaced(), "");
}

TEST(Hook, IsKilledWithItsChildrenWhenItsTimeIsOver) {
  std::array<int, 2> held{};  // By whoever of the hook's processes lives.
  ASSERT_EQ(pipe(held.data()), 0);
  const auto late = run_hook("sleep 300 & wait", milliseconds(50));
  close(held[1]);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::request_timeout);
  pollfd wait{held[0], POLLIN, 0};
  EXPECT_EQ(poll(&wait, 1, 60'000), 1) << "somebody lives";
  EXPECT_NE(wait.revents & POLLHUP, 0);
  close(held[0]);
  EXPECT_TRUE(run_hook("true", milliseconds(60'000)).ok());
  EXPECT_EQ(run_hook("kill -9 $$", milliseconds(60'000)).error().message, "it was ended by signal 9");
}

TEST(Hook, HasTheTimeThatWasSaidHoweverLong) {
  const milliseconds beyond_an_int{std::int64_t{1} << 32};
  EXPECT_TRUE(run_hook("n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done", beyond_an_int).ok());
}

TEST(Hook, WhatIsFilledInIsOneWordForTheShell) {
  EXPECT_EQ(filled_in("a {node} {x} {node}", {{"node", "it's; rm"}}), "a 'it'\\''s; rm' {x} 'it'\\''s; rm'");
}

}  // namespace
}  // namespace troupe::cli
