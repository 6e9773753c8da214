#pragma once
// The real command line at a whole cell in this process: three nodes, four hosts in two groups, pretended
// tasks.

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

constexpr std::chrono::seconds drill_patience{30};

class Drill : public testing::Test {
 protected:
  void SetUp() override {
    logging::set_least(logging::Level::silent);
    embedded::RealOptions options;
    const Resources each{
        .cpu_milli = 4'000, .memory_mb = 8'192, .disk_mb = 50'000, .network_mbps = 1'000, .gpu = 0};
    options.host_groups = {{"solid", 2, each, {{"ports", "20000-20004"}}},
                           {"flex-1", 2, each, {{"zone", "b"}}}};
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

  /// The command's own pauses are short.
  void hurry() {
    line->on_pause = [this] {
      std::unique_lock lock(mutex);
      changed.wait_for(lock, milliseconds(20));
    };
  }

  const TempFolder folder;
  std::unique_ptr<embedded::RealCluster> cluster;
  std::unique_ptr<CommandLine> line;
  std::mutex mutex;
  std::condition_variable changed;
};

}  // namespace troupe::cli
