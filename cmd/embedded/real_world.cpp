#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <numeric>
#include <thread>

#include "cmd/embedded/history_book.hpp"
#include "cmd/embedded/real_cluster.hpp"
#include "cmd/embedded/settled.hpp"
#include "cmd/embedded/world.hpp"

namespace troupe::embedded {
namespace {

// What a condition asks for may change without an event of the cell, so it is looked at this often besides.
constexpr milliseconds look_at_book_every{20};
constexpr milliseconds listen_again_after{50};
constexpr milliseconds stream_silence_max{30'000};  // Three times the stream's own signs of life.

class TemporaryFolder {
 public:
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Result<std::string> make() {
    std::error_code failed;
    std::string pattern = (std::filesystem::temp_directory_path(failed) / "troupe-cell-XXXXXX").string();
    if (failed || ::mkdtemp(pattern.data()) == nullptr)
      return Error{ErrorCode::io, "cannot make a temporary folder: " + pattern};
    path_ = pattern;
    return path_;
  }
  bool is_used() const { return !path_.empty(); }

 private:
  std::string path_;
};

/// Listens to one node's events for as long as the cluster lives, whatever becomes of the node.
class Listener {
 public:
  Listener(std::uint32_t node, std::uint16_t port, HistoryBook& book)
      : node_(node), port_(port), book_(book), thread_([this] { run(); }) {}
  /// The nodes are down by then: that ends the stream.
  ~Listener() {
    ends_ = true;
    thread_.join();
  }

 private:
  void run() {
    while (!ends_) {
      http::ClientConfig config;
      config.port = port_;
      http::Client client(config);
      http::Headers headers{{"x-titus-callerid", "history"}};
      if (const std::string last = book_.begin_stream(node_); !last.empty()) headers["last-event-id"] = last;
      (void)client.stream(
          "/api/v3/events?consistency=stale", headers,
          [this](std::string_view chunk) {
            book_.hear(node_, chunk);
            return !ends_;
          },
          stream_silence_max);
      if (!ends_) book_.await_change(listen_again_after);
    }
  }

  const std::uint32_t node_;
  const std::uint16_t port_;
  HistoryBook& book_;
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

class RealWorld final : public World {
 public:
  RealWorld(ClusterOptions options, HistoryBook& book) : options_(std::move(options)), book_(book) {
    options_.count_hosts();
  }
  ~RealWorld() override {
    if (!cluster_) return;
    // What is thrown away need not be flushed; and a node that stops waits for its streams.
    for (std::uint32_t n = 1; n <= options_.nodes; ++n)
      if (is_up(n)) temporary_.is_used() ? cluster_->crash_node(n) : cluster_->stop_node(n);
    listeners_.clear();
    cluster_.reset();
  }

  Result<void> start(const RealWorldOptions& more) {
    RealOptions all;
    static_cast<ClusterOptions&>(all) = options_;
    all.driver = more.driver;
    all.data = more.folder;
    if (!more.shim.empty()) all.shim_command = {more.shim};
    if (all.data.empty()) {
      auto made = temporary_.make();
      if (!made.ok()) return made.error();
      all.data = made.value();
    }
    all.on_failure = [this](const std::string& who, const std::string& why) {
      book_.add_line("fault", now(), who + " gave up: " + why);
    };
    auto started = RealCluster::start(std::move(all));
    if (!started.ok()) return started.error();
    cluster_ = std::move(started).value();
    for (std::uint32_t n = 1; n <= options_.nodes; ++n)
      listeners_.push_back(std::make_unique<Listener>(n, cluster_->http_port(n), book_));
    return {};
  }

  bool is_simulated() const override { return false; }
  Instant now() const override { return clock_.wall(); }
  void run_for(milliseconds span) override {
    run_until([] { return false; }, span);
  }
  bool run_until(const std::function<bool()>& done, milliseconds at_most) override {
    const Moment end = clock_.steady() + at_most;
    while (!done()) {
      const auto left = std::chrono::ceil<milliseconds>(end - clock_.steady());
      if (left <= milliseconds(0)) return false;
      book_.await_change(std::min(left, look_at_book_every));
    }
    return true;
  }

  WorldAnswer call(std::uint32_t node, const WorldRequest& request) override {
    http::ClientConfig config;
    config.port = cluster_->http_port(node);
    config.timeout = request.patience;
    http::Client client(config);
    auto answer = client.call(request.method, request.target, request.body, request.headers);
    if (!answer.ok()) return {0, {}, answer.error().message};
    return {answer.value().status, std::move(answer.value().headers), std::move(answer.value().body)};
  }

  Result<void> strike(const FaultOrder& order) override;
  std::uint32_t leader() const override { return cluster_->leader(); }
  bool is_up(std::uint32_t node) const override { return cluster_->node(node) != nullptr; }
  std::string peer_address(std::uint32_t node) const override { return cluster_->peer_address(node); }
  bool agent_is_up(std::uint32_t host) const override { return cluster_->agent_is_up(host); }
  bool may_speak(std::uint32_t node) const override {
    if (!is_up(node)) return false;
    const NodeStatus& status = cluster_->node(node)->node().status();
    return status.leased.load() && status.leader.load() == leader();
  }
  std::string why_not_settled() const override {
    std::size_t agents = 0;
    for (std::uint32_t h = 1; h <= options_.hosts; ++h) agents += agent_is_up(h) ? 1 : 0;
    std::vector<std::uint32_t> nodes(options_.nodes);
    std::iota(nodes.begin(), nodes.end(), 1U);
    return embedded::why_not_settled(nodes, agents, [this](std::uint32_t n) -> NodeLook {
      if (!is_up(n)) return {};
      Node& node = cluster_->node(n)->node();
      return {{}, &node.status(), &node.reads()};
    });
  }
  std::vector<std::string> violations() const override { return {}; }
  std::uint64_t history_hash() const override { return 0; }

 private:
  ClusterOptions options_;
  HistoryBook& book_;
  SystemClock clock_;
  TemporaryFolder temporary_;
  std::unique_ptr<RealCluster> cluster_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

Result<void> RealWorld::strike(const FaultOrder& order) {
  switch (order.kind) {
    case FaultKind::crash_node:
      cluster_->crash_node(order.node);
      return {};
    case FaultKind::restart_node:
      return cluster_->restart_node(order.node);
    case FaultKind::freeze_node:
    case FaultKind::thaw_node:
      return Error{
          ErrorCode::invalid_argument,
          "real nodes share this process, which cannot stand still for one of them; isolate_node() is near"};
    case FaultKind::isolate_node:
      cluster_->isolate_node(order.node);
      return {};
    case FaultKind::cut_link:
      cluster_->cut(order.node, order.to);
      return {};
    case FaultKind::lose_disk:
      cluster_->lose_disk(order.node);
      return {};
    case FaultKind::fail_writes:
      cluster_->fail_writes(order.node);
      return {};
    case FaultKind::fail_syncs:
      cluster_->fail_syncs(order.node);
      return {};
    case FaultKind::leap_clock:
      cluster_->leap_clock(order.node, milliseconds(order.amount));
      return {};
    case FaultKind::drift_clock:
      cluster_->drift_clock(order.node, order.amount);
      return {};
    case FaultKind::crash_agent:
      cluster_->crash_agent(order.host);
      return {};
    case FaultKind::restart_agent:
      return cluster_->restart_agent(order.host);
    case FaultKind::kill_host:
      return cluster_->kill_host(order.host);
    case FaultKind::isolate_host:
      cluster_->isolate_host(order.host);
      return {};
    case FaultKind::freeze_agent:
    case FaultKind::slow_agent:
    case FaultKind::slow_link:
    case FaultKind::stray_agent:
      return Error{ErrorCode::invalid_argument, "only a simulated cluster can " + fault_text(order)};
    case FaultKind::fail_registry:
      return cluster_->fail_registry();
    case FaultKind::heal:
      cluster_->heal();
      return {};
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<World>> make_real_world(const ClusterOptions& options, const RealWorldOptions& more,
                                               HistoryBook& book) {
  auto world = std::make_unique<RealWorld>(options, book);
  if (auto started = world->start(more); !started.ok()) return started.error();
  return std::unique_ptr<World>(std::move(world));
}

}  // namespace troupe::embedded
