// What an operator looks through and sets going, with the real command line at a whole cell.

#include <fstream>

#include "drill.hpp"

namespace troupe::cli {
namespace {

using testing::Each;
using testing::HasSubstr;

std::string body_of(std::string_view script, int size) {
  return R"({"owner": {"teamEmail": "dev@example.com"}, "applicationName": "watched",
    "attributes": {"troupe.sim": ")" +
         std::string(script) + R"("},
    "container": {"resources": {"cpu": 1, "memoryMB": 64, "diskMB": 10}, "command": ["true"]},
    "batch": {"size": )" +
         std::to_string(size) + "}}";
}

TEST_F(Drill, ATraceShowsTheRoadOfAKillAcrossTheNodes) {
  std::string job = said({"job", "submit", "--quiet", "-"}, body_of("run=forever", 2));
  job.pop_back();
  ASSERT_TRUE(await([&] { return items({"task", "ls", "--where", "status.state = Started"}).size() == 2; }));
  const auto started = json::parse(said({"trace", "start", "job/" + job, "--json"}));
  const std::string trace = text_at(started.value(), "id");
  // At a node that may not lead, so that the command travels.
  const std::uint32_t other = cluster->leader() % 3 + 1;
  CommandLine elsewhere("127.0.0.1:" + std::to_string(cluster->http_port(other)));
  EXPECT_EQ(elsewhere.run({"job", "kill", job, "--reason", "INC-9"}), exit_ok) << elsewhere.err.str();
  ASSERT_TRUE(await([&] { return items({"task", "ls", "--job", job, "--state", "Finished"}).size() == 2; }));
  const auto notes = items({"trace", "stop", trace});
  std::map<std::string, std::size_t> first;
  for (std::size_t n = 0; n < notes.size(); ++n)
    first.emplace(text_at(notes[n], "kind") + ' ' + text_at(notes[n], "what"), n);
  const std::vector<std::string> road{"proposed kill_job",    "forwarded kill_job",  "taken kill_job",
                                      "applied job_changed",  "proposed kill_tasks", "applied task_changed",
                                      "ordered kill",         "reported tasks",      "proposed report_tasks",
                                      "applied task_archived"};
  for (std::size_t n = 0; n < road.size(); ++n) {
    ASSERT_TRUE(first.contains(road[n])) << road[n];
    if (n > 0) {
      EXPECT_LT(first[road[n - 1]], first[road[n]]) << road[n];
    }
  }
  const json::Value& change = notes[first["applied job_changed"]];
  EXPECT_EQ(items_of(*change.find("nodes")).size(), 3U) << "once for all nodes";
}

TEST_F(Drill, InATraceAMessageStandsBeforeTheOrdersThatItCauses) {
  const auto begun = json::parse(said({"trace", "start", "host/host-1", "--json"}));
  said({"job", "submit", "--quiet", "-"}, body_of("run=forever", 14));  // More than three hosts can take.
  ASSERT_TRUE(await([&] { return items({"task", "ls", "--where", "status.state = Started"}).size() == 14; }));
  std::map<std::string, std::size_t> first;
  const auto notes = items({"trace", "stop", text_at(begun.value(), "id")});
  for (std::size_t n = 0; n < notes.size(); ++n) first.emplace(text_at(notes[n], "kind"), n);
  ASSERT_TRUE(first.contains("handled") && first.contains("ordered"));
  EXPECT_LT(first["handled"], first["ordered"]);
}

TEST_F(Drill, ATraceOfABusyEntityStopsAtItsBudget) {
  said({"job", "submit", "--quiet", "-"}, body_of("run=10ms", 60));
  const auto host = json::parse(said({"trace", "start", "host/host-1", "--messages", "20", "--json"}));
  const std::string trace = text_at(host.value(), "id");
  hurry();
  said({"job", "submit", "--quiet", "-"}, body_of("run=10ms", 60));
  const auto is_over = [&] {
    const auto seen = json::parse(said({"trace", "show", trace, "--json"}));
    for (const auto& node : items_of(*seen.value().find("nodes")))
      if (text_at(node, "why") == "its messages are used up") return integer_at(node, "messages") == 20;
    return false;
  };
  EXPECT_TRUE(await(is_over));
}

TEST_F(Drill, AProcedureGoesOverAHostGroupAndIsAudited) {
  hurry();
  // As the one that is built in, but the agents stay connected.
  std::ofstream(folder.file("replace.yaml"))
      << "procedure: replace-hosts\nover: host\nsteps:\n  - do: drain\n  - await: taskCount = 0\n"
         "  - command: '{command}'\n  - await: connected\n  - check: phase = Draining\n  - do: undrain\n"
         "  - check: connected and phase = Active\n";
  const std::string out = said({"run", folder.file("replace.yaml"), "--command", "true {name}", "--where",
                                "hostGroup = flex-1", "--at-once", "2", "--reason", "INC-7"});
  EXPECT_THAT(out, HasSubstr("host-4: check connected and phase = Active: done (step 7 of 7)"));
  EXPECT_THAT(told({"host", "ls"}, "phase"), Each("Active"));
  EXPECT_THAT(told({"audit", "ls", "--command", "set_host_phase"}, "callReason"),
              testing::AllOf(Each("INC-7 (run replace-hosts)"), testing::SizeIs(4)));
  // One host has a task that does not end: its drain is not waited for longer than was said.
  said({"job", "submit", "--quiet", "-"}, body_of("run=forever", 4));
  ASSERT_TRUE(await([&] { return items({"task", "ls", "--where", "status.state = Started"}).size() == 4; }));
  const auto busy = told({"host", "ls", "--where", "taskCount > 0"}, "name");
  ASSERT_FALSE(busy.empty());
  std::ofstream(folder.file("empty.yaml")) << "procedure: empty\nover: host\nsteps:\n  - do: drain\n"
                                              "  - await: taskCount = 0\n    within: 300ms\n";
  EXPECT_EQ(
      line->run({"run", folder.file("empty.yaml"), "--where", "name = " + busy.front(), "--reason", "INC-8"}),
      exit_failed);
  EXPECT_THAT(line->err.str(), HasSubstr(busy.front() + " stays before step 2: await taskCount = 0"));
}

}  // namespace
}  // namespace troupe::cli
