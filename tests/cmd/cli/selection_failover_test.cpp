// Ending what a condition selects, with the real command line at a whole cell whose leader dies under it:
// every task is ended, and none twice.

#include <gmock/gmock.h>

#include <condition_variable>
#include <set>
#include <thread>

#include "actors/runtime/logging.hpp"
#include "cmd/embedded/real_cluster.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "fake_cell.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::chrono::seconds failover_patience{60};
constexpr std::size_t tasks_ended = 24;
constexpr int done_before_the_fault = 6;

enum class Attached : std::uint8_t { to_the_leader, to_a_follower };

class SelectionFailover : public testing::TestWithParam<Attached> {
 protected:
  void SetUp() override {
    logging::set_least(logging::Level::silent);
    embedded::RealOptions options;
    options.data = folder.path();
    auto started = embedded::RealCluster::start(std::move(options));
    ASSERT_TRUE(started.ok()) << started.error().message;
    cluster = std::move(started).value();
    ASSERT_TRUE(await([&] { return cluster->leader() != 0; }));
    attach(cluster->leader());
    ASSERT_TRUE(await([&] { return items({"host", "ls", "--where", "connected"}).size() == 3; }));
    ASSERT_EQ(line->run({"job", "submit", "--quiet", "-"}, batch), exit_ok) << line->err.str();
    ASSERT_TRUE(await([&] { return items(tasks_where("Started")).size() == tasks_ended; }));
  }

  void attach(std::uint32_t node) {
    line = std::make_unique<CommandLine>("127.0.0.1:" + std::to_string(cluster->http_port(node)));
  }
  /// The cell's own threads make it true; looked at every few milliseconds, for a bounded time.
  bool await(const std::function<bool()>& done) {
    const SystemClock clock;
    const Moment end = clock.steady() + failover_patience;
    while (!done()) {
      if (clock.steady() >= end) return false;
      rest();
    }
    return true;
  }
  void rest() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, milliseconds(20));
  }
  static std::vector<std::string> tasks_where(const std::string& state) {
    return {"task", "ls", "--page-size", "1000", "--where", "status.state = " + state};
  }
  std::vector<json::Value> items(std::vector<std::string> command) {
    command.emplace_back("--json");
    if (line->run(command) != exit_ok) return {};
    const auto answer = json::parse(line->out.str());
    return answer.ok() ? items_of(answer.value()) : std::vector<json::Value>{};
  }

  static constexpr const char* batch =
      R"({"owner": {"teamEmail": "dev@example.com"}, "applicationName": "failover",
      "attributes": {"troupe.sim": "run=forever"},
      "container": {"resources": {"cpu": 0.1, "memoryMB": 64, "diskMB": 100}, "command": ["true"]},
      "batch": {"size": 24, "retryPolicy": {"immediate": {"retries": 0}}}})";
  const TempFolder folder;
  std::unique_ptr<embedded::RealCluster> cluster;
  std::unique_ptr<CommandLine> line;
  std::mutex mutex;
  std::condition_variable changed;
};

TEST_P(SelectionFailover, EndsEachTaskOnceThoughTheLeaderDies) {
  const std::uint32_t leader = cluster->leader();
  const std::uint32_t other = leader % 3 + 1;
  attach(GetParam() == Attached::to_the_leader ? leader : other);
  // The leader goes while kills are under way, from a thread of its own: the command is not stopped for it.
  std::jthread fault;
  line->on_pause = [&, pauses = 0]() mutable {
    if (++pauses == done_before_the_fault) fault = std::jthread([&] { cluster->crash_node(leader); });
    rest();
  };
  const int code = line->run(
      {"console", "-c",
       "task kill --where 'status.state = Started' --per-second 100 --all --yes --reason 'INC-9: over'"});
  fault = {};
  EXPECT_EQ(code, exit_ok) << line->out.str() << line->err.str();
  if (GetParam() == Attached::to_the_leader) {
    EXPECT_THAT(line->err.str(), HasSubstr("does not answer; attached to "));
  }
  EXPECT_THAT(line->out.str(), HasSubstr("(24 of 24)\n"));
  EXPECT_THAT(line->out.str(), Not(HasSubstr("has ended already"))) << "an own kill was taken for another's";

  attach(other);
  line->on_pause = [&] { rest(); };
  const auto killed = [&] {
    return items({"audit", "ls", "--page-size", "1000", "--command", "kill_tasks"});
  };
  EXPECT_TRUE(await([&] { return killed().size() >= tasks_ended; })) << killed().size();
  std::set<std::string> subjects;
  for (const auto& entry : killed()) {
    EXPECT_EQ(text_at(entry, "callReason"), "INC-9: over");
    EXPECT_EQ(text_at(entry, "outcome"), "done");
    EXPECT_TRUE(subjects.insert(text_at(entry, "subject")).second) << text_at(entry, "subject");
  }
  EXPECT_EQ(subjects.size(), tasks_ended);
  EXPECT_TRUE(await([&] { return items({"task", "ls"}).empty(); }));
}

INSTANTIATE_TEST_SUITE_P(, SelectionFailover,
                         testing::Values(Attached::to_the_leader, Attached::to_a_follower),
                         [](const auto& about) {
                           return about.param == Attached::to_the_leader ? "AttachedToTheLeader"
                                                                         : "AttachedToAFollower";
                         });

}  // namespace
}  // namespace troupe::cli
