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
    return integer_at(json::parse(said({"cell", "status", "--json"})).value(), "level") >= 3;
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

TEST_F(SchedulingDrill, M21_alpha_a_shard_moves_an_actor_is_restarted_and_what_waits_is_tried_again) {
  ASSERT_TRUE(await([&] {
    return integer_at(json::parse(said({"cell", "status", "--json"})).value(), "level") >= 4;
  }));
  // Every task fails at once, and waits for hours before it is tried again.
  std::string failing = body_of(2);
  failing.replace(failing.find("run=forever"), 11, "exit=1");
  failing.replace(failing.rfind("\"size\": 2"), 9,
                  "\"size\": 2, \"retryPolicy\": {\"delayed\": {\"delayMs\": 7200000, \"retries\": 9}}");
  const std::string job = submit(failing);
  const auto tasks = [&] { return items({"task", "ls", "--job", job, "--state", "any"}).size(); };
  const auto waiting = [&] {
    return integer_at(json::parse(said({"job", "show", job, "--json"})).value(), "summary/slots/waiting");
  };
  ASSERT_TRUE(await([&] { return tasks() == 2 && waiting() == 2; }));
  said({"job", "retry", job, "--reason", "INC-20"});
  ASSERT_TRUE(await([&] { return tasks() == 4 && waiting() == 2; }));
  const auto ended = told({"task", "ls", "--job", job, "--state", "any"}, "id");
  std::size_t tried = 0;
  for (const auto& task : ended)
    tried += line->run({"task", "retry", task, "--reason", "INC-20"}) == exit_ok ? 1 : 0;
  EXPECT_EQ(tried, 2U) << "of those that were the last of their places";
  ASSERT_TRUE(await([&] { return tasks() == 6; }));

  // A shard goes to another node, and stays there.
  const auto owner_of = [&](int shard) {
    const auto shards = json::parse(said({"console", "-c", "shards", "--json"}));
    return text_at((*value_at(shards.value(), "shards")->array())[static_cast<std::size_t>(shard)], "owner");
  };
  const std::string to = owner_of(17) == "2" ? "3" : "2";
  said({"cell", "move-shard", "17", to, "--reason", "INC-21"});
  ASSERT_TRUE(await([&] { return owner_of(17) == to; }));
  EXPECT_EQ(line->run({"cell", "move-shard", "17", to}), exit_refused) << "it is there";
  EXPECT_EQ(line->run({"cell", "move-shard", "640", "1"}), exit_not_found);
  EXPECT_EQ(line->run({"cell", "move-shard", "17", "9"}), exit_refused) << "no such node";
  EXPECT_THAT(told({"audit", "ls", "--command", "assign_shards"}, "callReason"), testing::Contains("INC-21"));

  // Actors: what runs, runs on.
  const std::string running = submit(body_of(3));
  ASSERT_TRUE(await([&] { return started(running) == 3; }));
  for (const std::string& entity :
       {"job/" + running, std::string("host/host-1"), std::string("group/DEFAULT")})
    EXPECT_THAT(said({"actor", "restart", entity, "--reason", "INC-22"}),
                HasSubstr("restarted the actor of"));
  ASSERT_TRUE(await([&] { return items({"host", "ls", "--where", "connected"}).size() == 4; }));
  EXPECT_EQ(started(running), 3U);
  said({"job", "kill", running, "--reason", "INC-22"});
  ASSERT_TRUE(await([&] { return started(running) == 0; })) << "the host's new actor takes orders";
  EXPECT_EQ(line->run({"actor", "restart", "host/nobody"}), exit_not_found);
  EXPECT_EQ(line->run({"actor", "restart", "host"}), exit_usage);
  EXPECT_EQ(line->run({"actor", "release", "job/" + job}), exit_refused) << "it is not set aside";
  EXPECT_THAT(told({"audit", "ls", "--about", "actor/restart/job/" + running}, "callReason"),
              ElementsAre("INC-22"));
}

TEST_F(SchedulingDrill, M2_alpha_tasks_are_given_ports_of_their_host_and_wait_when_there_are_none) {
  ASSERT_TRUE(await([&] {
    return integer_at(json::parse(said({"cell", "status", "--json"})).value(), "level") >= 3;
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
