// `run` at a cell that answers what the test tells it to; commands are real.

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "fake_cell.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Two of three hosts are selected; conditions hold as the test says.
struct Procedures : testing::Test {
  FakeCell cell;
  CommandLine line{cell.address()};
  TempFolder folder;
  std::map<std::string, bool> holds;  ///< by a part of the condition
  std::string connected_at = "500";   ///< of h1
  std::string failing;                ///< a part of a condition that is answered with `failure`
  http::Response failure{503, {}, R"({"code":"unavailable","message":"no leader"})"};
  int failures = 0;  ///< still to come

  Procedures() {
    cell.on("GET /api/v3/hosts", [this](const http::Request& request) {
      const std::string where(request.parameter("where"));
      if (where.empty()) return http::Response{200, {}, R"({"items":[],"pagination":{"totalItems":3}})"};
      if (where == "hostGroup = bad")
        return http::Response{
            200,
            {},
            R"({"items":[{"id":"1","name":"h1","phase":"Active"},{"id":"2","name":"h2"}],"pagination":{}})"};
      if (failures > 0 && where.find(failing) != where.npos) {
        --failures;
        return failure;
      }
      if (where == "id = 1")
        return http::Response{200, {}, R"({"items":[{"id":"1","connectedAt":")" + connected_at + R"("}]})"};
      bool held = true;
      for (const auto& [part, does] : holds)
        if (where.find(part) != where.npos) held = does;
      return http::Response{200, {}, held ? R"({"items":[{"id":"1"}]})" : R"({"items":[]})"};
    });
    for (const char* host : {"h1", "h2"}) cell.on(std::string("PUT /api/v3/hosts/") + host + "/phase", "{}");
  }
  int run(std::vector<std::string> more) {
    more.insert(more.begin(), "run");
    return line.run(more);
  }
  std::string wrote(const std::string& name) const {
    std::ifstream file(folder.file(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> replace(const std::string& command) const {
    return {"replace-hosts", "--command", command, "--where", "hostGroup = bad", "--reason", "INC-7"};
  }
};

TEST_F(Procedures, HostsAreReplacedOneAfterTheOther) {
  EXPECT_EQ(run(replace("echo {name} >> " + folder.file("replaced"))), exit_ok) << line.err.str();
  EXPECT_EQ(wrote("replaced"), "h1\nh2\n");
  const auto asked = cell.asked("PUT /api/v3/hosts/h1/phase");
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].body, R"({"phase":"Draining"})");
  EXPECT_EQ(asked[0].header("x-titus-callreason"), "INC-7 (run replace-hosts)");
  EXPECT_EQ(asked[1].body, R"({"phase":"Active"})");
  EXPECT_THAT(line.out.str(), HasSubstr("run replace-hosts over 2 hosts, 1 at a time:\n  1. drain\n"));
  EXPECT_THAT(line.out.str(), HasSubstr("h2: undrain: done (step 6 of 7)\n"));
}

TEST_F(Procedures, TheFirstCheckThatFailsEndsIt) {
  holds["id = 1 and (phase = Draining)"] = false;
  EXPECT_EQ(run(replace("echo {name} >> " + folder.file("replaced"))), exit_failed);
  EXPECT_EQ(wrote("replaced"), "h1\n");
  EXPECT_TRUE(cell.asked("PUT /api/v3/hosts/h2/phase").empty());
  EXPECT_THAT(line.out.str(), HasSubstr("h1: check phase = Draining: failed: does not hold (step 5 of 7)\n"));
  EXPECT_THAT(line.err.str(), HasSubstr("stopped: 0 of 2 done, 1 not begun\n"));
  EXPECT_THAT(line.err.str(), HasSubstr("h1 stays before step 5: check phase = Draining\n"));
}

TEST_F(Procedures, ALinkThatWasNotCutYetIsNotTakenForTheOneAfterTheCommand) {
  const std::string anew = "id = 1 and (connected and connectedAt != 500)";
  const auto times_asked = [&] {
    std::size_t times = 0;
    for (const auto& request : cell.asked("GET /api/v3/hosts"))
      times += std::string(request.parameter("where")) == anew ? 1 : 0;
    return times;
  };
  holds[anew] = false;
  line.on_pause = [&] {
    if (times_asked() > 0) holds.clear();
  };
  EXPECT_EQ(
      run({"restart-agents", "--command", "true {name}", "--where", "hostGroup = bad", "--reason", "r"}),
      exit_ok)
      << line.err.str();
  EXPECT_EQ(times_asked(), 2U) << "it is waited for";
}

TEST_F(Procedures, TheCellsTroubleIsWaitedForAndEndsNothing) {
  for (const char* step : {"(phase = Draining)", "connectedAt != 500", "id = 2"}) {
    failing = step;
    failures = 20;
    EXPECT_EQ(run(replace("true {name}")), exit_ok) << step << '\n' << line.err.str();
    EXPECT_EQ(failures, 0) << step;
  }
}

TEST_F(Procedures, WhatTheCellRefusesForGoodIsNotWaitedFor) {
  failing = "connectedAt != 500";
  failure = {403, {}, R"({"code":"permission_denied","message":"not yours"})"};
  failures = 1;
  EXPECT_EQ(run(replace("true {name}")), exit_failed);
  EXPECT_THAT(line.out.str(), HasSubstr("h1: await reconnected: failed: not yours (step 4 of 7)\n"));
}

TEST_F(Procedures, ACommandThatFailsEndsItToo) {
  EXPECT_EQ(run(replace("exit 3")), exit_failed);
  EXPECT_THAT(line.out.str(), HasSubstr("failed: it ended with exit code 3 (step 3 of 7)"));
}

TEST_F(Procedures, ADryRunSaysWhatWouldBeDone) {
  auto arguments = replace("rm {name}");
  arguments.emplace_back("--dry-run");
  EXPECT_EQ(run(arguments), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("  3. command rm {name}\n"));
  EXPECT_THAT(line.out.str(), HasSubstr("h2"));
  EXPECT_TRUE(cell.asked("PUT /api/v3/hosts/h1/phase").empty());
}

TEST_F(Procedures, AFileOfOnesOwnAndJson) {
  std::ofstream(folder.file("p.yaml"))
      << "procedure: mine\nover: host\nsteps:\n  - check: connected\n  - do: "
         "quarantine\n";
  EXPECT_EQ(run({folder.file("p.yaml"), "--where", "hostGroup = bad", "--reason", "INC-7", "--json",
                 "--at-once", "2"}),
            exit_ok)
      << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr(R"({"name":"h1","step":"check connected","state":"done"})"));
  EXPECT_THAT(line.out.str(),
              HasSubstr(R"({"procedure":"mine","done":["h1","h2"],"failed":[],"underWay":[],"left":[]})"));
}

TEST_F(Procedures, DiagnosticsAreCollected) {
  cell.on("GET /api/v3/hosts/h1", R"({"name":"h1","phase":"Active"})");
  cell.on("GET /api/v3/hosts/h2", R"({"name":"h2"})");
  cell.on("GET /api/v3/tasks", R"({"items":[],"pagination":{"hasMore":true}})");
  EXPECT_EQ(run({"collect-diagnostics", "--into", folder.file("inc"), "--where", "hostGroup = bad",
                 "--reason", "r"}),
            exit_ok)
      << line.err.str();
  EXPECT_THAT(wrote("inc/h1.json"), HasSubstr(R"({"record":{"name":"h1","phase":"Active"},)"));
  EXPECT_THAT(wrote("inc/h1.json"), HasSubstr(R"("audit":{"missing":)"));
  EXPECT_THAT(wrote("inc/h2.json"), HasSubstr(R"("tasksLeftOut":"all but the first 1000")"));
  EXPECT_EQ(std::filesystem::status(folder.file("inc/h1.json")).permissions(), std::filesystem::perms(0600));
}

TEST_F(Procedures, DiagnosticsThatAreNotWholeOrThereAlreadyEndIt) {
  const std::vector<std::string> arguments{
      "collect-diagnostics", "--into", folder.file("inc"), "--where", "hostGroup = bad", "--reason", "r"};
  EXPECT_EQ(run(arguments), exit_failed) << "the cell says nothing of it";
  EXPECT_FALSE(std::filesystem::exists(folder.file("inc/h1.json")));
  cell.on("GET /api/v3/hosts/h1", R"({"name":"h1"})");
  cell.on("GET /api/v3/hosts/h2", R"({"name":"h2"})");
  std::filesystem::create_directories(folder.file("inc"));
  std::ofstream(folder.file("inc/h1.json")) << "of the first run";
  EXPECT_EQ(run(arguments), exit_failed);
  EXPECT_THAT(line.out.str(), HasSubstr("is there already"));
  EXPECT_EQ(wrote("inc/h1.json"), "of the first run");
}

TEST_F(Procedures, NamesThatDifferGoToFilesThatDiffer) {
  cell.on("GET /api/v3/hosts", [](const http::Request& request) {
    if (request.parameter("where").empty())
      return http::Response{200, {}, R"({"items":[],"pagination":{"totalItems":3}})"};
    return http::Response{
        200, {}, R"({"items":[{"id":"1","name":"a.b"},{"id":"2","name":"a_b"}],"pagination":{}})"};
  });
  for (const char* host : {"a.b", "a_b"}) cell.on(std::string("GET /api/v3/hosts/") + host, R"({"id":"1"})");
  EXPECT_EQ(run({"collect-diagnostics", "--into", folder.file("inc"), "--where", "hostGroup = bad",
                 "--reason", "r"}),
            exit_ok)
      << line.out.str();
  EXPECT_TRUE(std::filesystem::exists(folder.file("inc/a.b.json")));
  EXPECT_TRUE(std::filesystem::exists(folder.file("inc/a_b.json")));
}

TEST_F(Procedures, WhatIsMissingIsSaid) {
  EXPECT_EQ(run({"--list"}), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("replace-hosts"));
  EXPECT_EQ(run({"no-such"}), exit_not_found);
  EXPECT_EQ(run({"replace-hosts", "--where", "hostGroup = bad", "--reason", "r"}), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("--command"));
  EXPECT_EQ(run({"replace-hosts", "--command", "x", "--reason", "r"}), exit_usage);
  EXPECT_EQ(run({"replace-hosts", "--command", "x", "--where", "hostGroup = bad"}), exit_usage);
  EXPECT_THAT(line.err.str(), HasSubstr("--reason"));
  auto few = replace("true");
  few.insert(few.end(), {"--at-most", "1"});
  EXPECT_EQ(run(few), exit_refused);
  EXPECT_TRUE(cell.asked("PUT /api/v3/hosts/h1/phase").empty());
}

}  // namespace
}  // namespace troupe::cli
