#include "cmd/troupe/bench_log_node.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "cmd/troupe/bench_process.hpp"
#include "cmd/troupe/bench_support.hpp"
#include "net/link/web_socket_hub.hpp"
#include "storage/kv/rocks_store.hpp"
#include "storage/raft/ready.hpp"
#include "storage/state/keys.hpp"

namespace troupe::cli {
namespace {

Result<std::unique_ptr<KvStore>> open_store(const std::string& path, RocksConfig::Role role,
                                            std::vector<std::string> tables) {
  RocksConfig rocks;
  rocks.path = path;
  rocks.role = role;
  rocks.tables = std::move(tables);
  if (role == RocksConfig::Role::state) rocks.unread_tables = keys::unread_tables();
  rocks.lose_unflushed_on_close = true;
  return open_rocks(rocks);
}

class HereLogNode final : public LogBenchNode {
 public:
  explicit HereLogNode(LogNodeSpec spec) : spec_(std::move(spec)) {}

  Result<void> start() {
    std::error_code failed;
    std::filesystem::create_directories(spec_.data, failed);
    auto log = open_store(spec_.data + "/log", RocksConfig::Role::log, LogStore::tables());
    if (!log.ok()) return log.error();
    log_ = std::move(log).value();
    auto state = open_store(spec_.data + "/state", RocksConfig::Role::state, keys::table_names());
    if (!state.ok()) return state.error();
    state_ = std::move(state).value();
    NodeConfig config;
    config.self = NodeId{spec_.self};
    config.cell = "bench";
    for (std::uint32_t n = 0; n < spec_.peers.size(); ++n)
      config.nodes[NodeId{n + 1}] = {spec_.peers[n], spec_.peers[n]};
    Random random = Random::from_system();
    config.seed = random.next();
    config.life = random.next();
    config.threads = spec_.threads;
    auto node = bench::LogNode::start(config, seams(config));
    if (!node.ok()) return node.error();
    node_ = std::move(node).value();
    return {};
  }

  Result<LogAnswer> ask(const LogAsk& ask) override {
    LogAnswer answer;
    if (ask.load) {
      auto figures = node_->run(*ask.load);
      if (figures.ok())
        answer.load = figures.value();
      else
        answer.error = figures.error().message;
    }
    const NodeStatus& status = node_->status();
    answer.leads = status.role.load() == static_cast<std::uint8_t>(raft::Role::leader);
    answer.commit = status.commit.load();
    answer.applied = status.applied.load();
    const KvStore::Counters counters = log_->counters();
    answer.syncs = counters.syncs;
    answer.bytes_written = counters.bytes_written;
    answer.cpu_us = static_cast<std::uint64_t>(process_cpu().count()) / 1000;
    answer.hash = state_hash(node_->reads());
    return answer;
  }

 private:
  NodeSeams seams(const NodeConfig& config) {
    NodeSeams seams;
    seams.clock = &clock_;
    seams.log = log_.get();
    seams.state = state_.get();
    seams.open_hub =
        [this, seed = config.seed](net::LinkListener& listener) -> Result<std::unique_ptr<net::LinkHub>> {
      net::HubConfig hub;
      hub.self = peer_name(NodeId{spec_.self});
      hub.cell = "bench";
      hub.listen_address = spec_.peers.at(spec_.self - 1);
      hub.seed = seed;
      hub.backoff_max = milliseconds(250);
      auto opened = net::open_hub(hub, listener);
      if (!opened.ok()) return opened.error();
      return std::unique_ptr<net::LinkHub>(std::move(opened).value());
    };
    seams.make_log_writer = [](LogStore& log, LogWriter::Done done) {
      return std::make_unique<ThreadLogWriter>(log, std::move(done));
    };
    seams.on_failure = [](const std::string& why) { std::cerr << "troupe: node failed: " << why << '\n'; };
    return seams;
  }

  const LogNodeSpec spec_;
  SystemClock clock_;
  std::unique_ptr<KvStore> log_, state_;
  std::unique_ptr<bench::LogNode> node_;
};

class SpawnedLogNode final : public LogBenchNode {
 public:
  explicit SpawnedLogNode(std::unique_ptr<BenchProcess> process) : process_(std::move(process)) {}
  Result<LogAnswer> ask(const LogAsk& ask) override {
    if (auto asked = write_record(process_->in(), ask); !asked.ok()) return asked.error();
    return read_record<LogAnswer>(process_->out());
  }

 private:
  std::unique_ptr<BenchProcess> process_;
};

}  // namespace

std::string state_hash(const Reads& reads) {
  constexpr std::uint64_t prime = 0x100000001b3;  // FNV
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::uint16_t n = 0; n < reads.shard_count(); ++n)
    hash = (hash ^ reads.shard_hash(ShardId{n})) * prime;
  return fmt::format("{:016x}", hash);
}

Result<std::unique_ptr<LogBenchNode>> open_log_node(const LogNodeSpec& spec) {
  auto node = std::make_unique<HereLogNode>(spec);
  if (auto started = node->start(); !started.ok()) return started.error();
  return std::unique_ptr<LogBenchNode>(std::move(node));
}

Result<std::unique_ptr<LogBenchNode>> spawn_log_node(const LogNodeSpec& spec) {
  auto process = BenchProcess::start({"bench", "log-node"}, "");
  if (!process.ok()) return process.error();
  if (auto told = write_record(process.value()->in(), spec); !told.ok()) return told.error();
  return std::unique_ptr<LogBenchNode>(std::make_unique<SpawnedLogNode>(std::move(process).value()));
}

int serve_log_node() {
  auto spec = read_record<LogNodeSpec>(STDIN_FILENO);
  if (!spec.ok()) return 2;
  auto node = open_log_node(spec.value());
  while (true) {
    auto ask = read_record<LogAsk>(STDIN_FILENO);
    if (!ask.ok()) return 0;
    LogAnswer answer;
    if (node.ok()) {
      if (auto answered = node.value()->ask(ask.value()); answered.ok()) answer = std::move(answered).value();
    } else {
      answer.error = node.error().message;
    }
    if (!write_record(STDOUT_FILENO, answer).ok()) return 0;
  }
}

}  // namespace troupe::cli
