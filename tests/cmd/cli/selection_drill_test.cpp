// A fault drill with the real command line at a whole cell in this process: a host group goes bad, is found
// by a query, quarantined after a dry run, drained and released; the audit shows it from first to last.

#include <gmock/gmock.h>

#include <condition_variable>
#include <filesystem>

#include "actors/runtime/logging.hpp"
#include "cmd/embedded/real_cluster.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "fake_cell.hpp"
#include "tests/cmd/embedded/await.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::chrono::seconds drill_patience{30};
constexpr std::size_t tasks_bad = 4;  // two on each of two hosts

class Drill : public testing::Test {
 protected:
  void SetUp() override {
    logging::set_least(logging::Level::silent);
    embedded::RealOptions options;
    const Resources each{
        .cpu_milli = 4'000, .memory_mb = 8'192, .disk_mb = 50'000, .network_mbps = 1'000, .gpu = 0};
    options.host_groups = {{"solid", 2, each, {}}, {"flex-1", 2, each, {{"zone", "b"}}}};
    options.data = folder.path();
    auto started = embedded::RealCluster::start(std::move(options));
    ASSERT_TRUE(started.ok()) << started.error().message;
    cluster = std::move(started).value();
    ASSERT_TRUE(await([&] { return cluster->leader() != 0; }));
    line = std::make_unique<CommandLine>("127.0.0.1:" + std::to_string(cluster->http_port(1)));
    ASSERT_TRUE(await([&] { return items({"host", "ls", "--where", "connected"}).size() == 4; }));
  }

  static bool await(const std::function<bool()>& done) { return await_within(drill_patience, done); }
  /// Runs a command and shows what it said if it does not end well.
  std::string said(const std::vector<std::string>& command, const std::string& input = {}) {
    EXPECT_EQ(line->run(command, input), exit_ok) << testing::PrintToString(command) << '\n'
                                                  << line->err.str();
    return line->out.str();
  }
  std::vector<json::Value> items(std::vector<std::string> command) {
    command.emplace_back("--json");
    const auto answer = json::parse(said(command));
    return answer.ok() ? items_of(answer.value()) : std::vector<json::Value>{};
  }
  std::vector<std::string> told(const std::vector<std::string>& command, std::string_view path) {
    std::vector<std::string> all;
    for (const auto& item : items(command)) all.push_back(text_at(item, path));
    return all;
  }

  const TempFolder folder;
  std::unique_ptr<embedded::RealCluster> cluster;
  std::unique_ptr<CommandLine> line;
  std::mutex mutex;
  std::condition_variable changed;
};

constexpr const char* service = R"({"owner": {"teamEmail": "dev@example.com"}, "applicationName": "drill",
  "attributes": {"troupe.sim": "run=forever; group flex-1: hang"},
  "container": {"resources": {"cpu": 2, "memoryMB": 512, "diskMB": 100}, "command": ["true"]},
  "service": {"capacity": {"min": 8, "desired": 8, "max": 8}}})";

TEST_F(Drill, AHostGroupGoesBadAndIsQuarantinedDrainedAndReleased) {
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
  line->on_pause = [this] {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, milliseconds(20));
  };
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
