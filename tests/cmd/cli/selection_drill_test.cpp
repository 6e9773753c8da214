// A fault drill with the real command line at a whole cell in this process: a host group goes bad, is found
// by a query, quarantined after a dry run, drained and released; the audit shows it from first to last.

#include "drill.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t tasks_bad = 4;  // two on each of two hosts

constexpr const char* service = R"({"owner": {"teamEmail": "dev@example.com"}, "applicationName": "drill",
  "attributes": {"troupe.sim": "run=forever; group flex-1: hang"},
  "container": {"resources": {"cpu": 2, "memoryMB": 512, "diskMB": 100}, "command": ["true"]},
  "service": {"capacity": {"min": 8, "desired": 8, "max": 8}}})";

TEST_F(Drill, M21_alpha_a_host_group_goes_bad_is_found_quarantined_drained_released_and_audited) {
  const std::string bad = "status.state in (Launched, StartInitiated)";
  const std::string group = "hostGroup = flex-1";
  said({"job", "submit", "--quiet", "-"}, service);
  ASSERT_TRUE(await([&] { return items({"task", "ls", "--where", "status.state = Started"}).size() == 4; }));
  ASSERT_TRUE(await([&] { return items({"task", "ls", "--where", bad}).size() == tasks_bad; }));

  // Found: which tasks do not start, where, and what these hosts have in common.
  const auto hosts = told({"console", "-c", "task where " + bad + " order by taskContext.agent.host"},
                          "taskContext/agent.host");
  EXPECT_THAT(hosts, ElementsAre("host-3", "host-3", "host-4", "host-4"));
  EXPECT_THAT(told({"host", "ls", "--where", "name in (host-3, host-4)"}, "hostGroup"), Each("flex-1"));

  // Rehearsed, then quarantined.
  EXPECT_THAT(said({"host", "quarantine", "--where", group, "--dry-run"}),
              HasSubstr("quarantine: 2 hosts to become Quarantined, with 4 live tasks\n"));
  EXPECT_THAT(told({"host", "ls"}, "phase"), Each("Active"));
  said({"host", "quarantine", "--where", group, "--at-most", "2", "--reason", "INC-7: tasks hang"});
  EXPECT_THAT(told({"host", "ls", "--where", "phase = Quarantined"}, "name"),
              testing::UnorderedElementsAre("host-3", "host-4"));

  // Drained: what hangs is ended, and nothing new comes.
  said({"task", "kill", "--where", bad, "--at-most", "4", "--reason", "INC-7"});
  EXPECT_THAT(told({"audit", "ls", "--command", "kill_tasks"}, "callReason"),
              AllOf(Each("INC-7"), testing::SizeIs(tasks_bad)));
  hurry();
  EXPECT_THAT(
      said({"console", "-c",
            "host drain --where '" + group + "' --watch --timeout 30s --reason 'INC-7: out for repair'"}),
      HasSubstr("0 tasks left on 0 hosts\n"));
  EXPECT_THAT(told({"host", "ls", "--where", group}, "taskCount"), Each("0"));

  // Released: it takes tasks again.
  said({"host", "undrain", "host-3", "host-4", "--reason", "INC-7: repaired"});
  ASSERT_TRUE(await([&] {
    return told({"host", "ls", "--where", group + " and taskCount > 0"}, "name").size() == 2;
  }));

  // Every node tells of its actors, which are awake for moments only.
  for (const auto& where : {"entity is set", "kind = host and mailbox < 1000"})
    EXPECT_THAT(told({"actor", "ls", "--all", "--where", where}, "node"),
                Each(testing::AnyOf("1", "2", "3")));
  EXPECT_THAT(told({"actor", "ls", "--node", "3", "--where", "mailbox > 100000"}, "node"),
              testing::IsEmpty());
  EXPECT_EQ(line->run({"actor", "ls", "--all", "--where", "mailbx > 1"}), exit_refused);
  EXPECT_THAT(line->err.str(), HasSubstr("did you mean mailbox?"));

  // Audited from first to last, with who and why; the rehearsal changed nothing.
  const std::vector<std::string> audit{"audit", "ls", "--command", "set_host_phase"};
  EXPECT_THAT(told(audit, "callReason"),
              ElementsAre("INC-7: repaired", "INC-7: repaired", "INC-7: out for repair",
                          "INC-7: out for repair", "INC-7: tasks hang", "INC-7: tasks hang"));
  EXPECT_THAT(told(audit, "caller"), Each("tester"));
  EXPECT_THAT(told(audit, "outcome"), Each("done"));
}

}  // namespace
}  // namespace troupe::cli
