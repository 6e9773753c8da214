// Pausing and resuming scheduling, and ports of hosts, with the real command line at a whole cell.

#include "drill.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string body_of(int size, const std::string& resources = "") {
  return R"({"owner": {"teamEmail": "dev@example.com"}, "applicationName": "paused",
    "attributes": {"troupe.sim": "run=forever"},
    "container": {"resources": {"cpu": 0.1, "memoryMB": 64, "diskMB": 10)" +
         resources + R"(}, "command": ["true"]}, "batch": {"size": )" + std::to_string(size) + "}}";
}

struct SchedulingDrill : Drill {
  std::string submit(const std::string& body) {
    std::string job = said({"job", "submit", "--quiet", "-"}, body);
    job.pop_back();
    return job;
  }
  std::size_t started(const std::string& job) {
    return items({"task", "ls", "--job", job, "--where", "status.state = Started"}).size();
  }
  std::string waiting_of(const std::string& job) {
    const std::vector<std::string> waiting{"task", "ls", "--job", job, "--where", "status.state = Accepted"};
    EXPECT_TRUE(await([&] { return !told(waiting, "id").empty(); }));
    return told(waiting, "id").at(0);
  }
};

TEST_F(SchedulingDrill, M21_alpha_scheduling_is_paused_and_resumed_for_the_cell_a_group_and_a_host) {
  ASSERT_TRUE(await([&] {
    return text_at(json::parse(said({"cell", "status", "--json"})).value(), "level") == "3";
  }));
  const std::string before = submit(body_of(1));
  ASSERT_TRUE(await([&] { return started(before) == 1; }));

  // The cell: rehearsed, asked about, done.
  EXPECT_THAT(said({"cell", "pause-scheduling", "--dry-run"}), HasSubstr("nothing of it is placed until"));
  EXPECT_EQ(line->run({"cell", "pause-scheduling", "--reason", "INC-12"}), exit_refused)
      << "nobody was asked";
  EXPECT_EQ(line->run({"cell", "pause-scheduling", "--yes"}), exit_usage) << "without a reason";
  said({"cell", "pause-scheduling", "--yes", "--reason", "INC-12: bad image"});
  EXPECT_THAT(said({"cell", "status"}), HasSubstr("INC-12: bad image"));
  const std::string job = submit(body_of(2));
  const std::string waiting = waiting_of(job);
  EXPECT_THAT(said({"task", "explain", waiting}),
              HasSubstr("scheduling of the cell is paused by tester since"));
  EXPECT_THAT(said({"job", "plan", "-"}, body_of(1)), HasSubstr("INC-12: bad image"));
  EXPECT_EQ(started(before), 1U) << "what runs, runs on";
  said({"job", "kill", before, "--reason", "INC-12"});
  ASSERT_TRUE(await([&] { return started(before) == 0; })) << "and can be ended";
  EXPECT_EQ(started(job), 0U);
  EXPECT_THAT(said({"cell", "pause-scheduling", "--yes", "--reason", "again"}), HasSubstr("paused already"));
  said({"cell", "resume-scheduling", "--reason", "INC-12: mended"});
  ASSERT_TRUE(await([&] { return started(job) == 2; }));
  EXPECT_THAT(said({"cell", "status"}), Not(HasSubstr("INC-12")));

  // A group.
  said({"capacity-group", "pause-scheduling", "DEFAULT", "--reason", "INC-13"});
  EXPECT_THAT(said({"capacity-group", "show", "DEFAULT"}), HasSubstr("INC-13"));
  const std::string held = submit(body_of(1));
  EXPECT_THAT(said({"task", "explain", waiting_of(held)}),
              HasSubstr("capacity group DEFAULT is paused by tester"));
  said({"capacity-group", "resume-scheduling", "DEFAULT", "--reason", "INC-13"});
  ASSERT_TRUE(await([&] { return started(held) == 1; }));
  EXPECT_EQ(line->run({"capacity-group", "pause-scheduling", "nobody", "--reason", "x"}), exit_not_found);

  // Hosts, by a condition; a phase is another matter.
  said({"host", "pause-scheduling", "--where", "hostGroup = solid", "--reason", "INC-14"});
  EXPECT_THAT(told({"host", "ls", "--where", "paused.reason = INC-14"}, "name"),
              testing::UnorderedElementsAre("host-1", "host-2"));
  EXPECT_THAT(told({"host", "ls"}, "phase"), Each("Active"));
  const std::string elsewhere = submit(body_of(8));
  ASSERT_TRUE(await([&] { return started(elsewhere) == 8; }));
  EXPECT_THAT(told({"task", "ls", "--job", elsewhere}, "taskContext/agent.host"),
              Each(testing::AnyOf("host-3", "host-4")));
  said({"console", "-c", "host resume-scheduling --where 'paused.by = tester' --reason INC-14"});
  EXPECT_THAT(told({"host", "ls", "--where", "paused.by is set"}, "name"), IsEmpty());

  EXPECT_THAT(told({"audit", "ls", "--command", "pause_scheduling", "--about", "cell"}, "callReason"),
              ElementsAre("INC-12: mended", "INC-12: bad image"));
  EXPECT_THAT(told({"audit", "ls", "--command", "pause_scheduling"}, "outcome"), Each("done"));
}

TEST_F(SchedulingDrill, M2_alpha_tasks_are_given_ports_of_their_host_and_wait_when_there_are_none) {
  ASSERT_TRUE(await([&] {
    return text_at(json::parse(said({"cell", "status", "--json"})).value(), "level") == "3";
  }));
  ASSERT_TRUE(await([&] { return items({"host", "ls", "--where", "resources.ports = 5"}).size() == 2; }));
  const std::string job = submit(body_of(5, R"(,"ports": 2)"));
  ASSERT_TRUE(await([&] { return started(job) == 4; })) << "two of two on each of two hosts";
  std::set<std::string> given;
  for (const auto& task : items({"task", "ls", "--job", job, "--where", "status.state = Started"})) {
    ASSERT_NE(task.find("ports"), nullptr);
    for (const auto& port : *task.find("ports")->array())
      given.insert(text_at(task, "taskContext/agent.host") + ':' + json::to_json(port));
  }
  EXPECT_EQ(given.size(), 8U) << "each port of a host is one task's";
  EXPECT_THAT(said({"task", "explain", waiting_of(job)}), HasSubstr("1 ports free, 2 asked for"));
  said({"job", "kill", job, "--reason", "done"});
  ASSERT_TRUE(await([&] { return items({"host", "ls", "--where", "used.ports > 0"}).empty(); }));
}

}  // namespace
}  // namespace troupe::cli
