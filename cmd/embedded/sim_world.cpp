#include <set>

#include "cmd/embedded/history_book.hpp"
#include "cmd/embedded/sim_cluster.hpp"
#include "cmd/embedded/world.hpp"
#include "cmd/judges/watch.hpp"

namespace troupe::embedded {
namespace {

constexpr milliseconds listen_every{1'000};  ///< a node that took a snapshot is listened to again after this
constexpr milliseconds judge_every{1'000};
constexpr std::size_t complaints_max = 20;       ///< the first ones say what happened
constexpr milliseconds look_at_cell_every{100};  ///< at what is awaited, where the cell tells of no change

class SimWorld final : public World {
 public:
  SimWorld(SimOptions options, HistoryBook& book)
      : ledger_([this](const std::string& what) { complain(what); }),
        options_(std::move(options)),
        book_(book),
        cluster_(observed(options_)) {
    options_.count_hosts();
    listen();
  }

  bool is_simulated() const override { return true; }
  Instant now() const override { return cluster_.now(); }

  void run_for(milliseconds span) override {
    for (const Instant end = now() + span; now() < end;) {
      cluster_.run_for(std::min(listen_every, end - now()));
      after_running();
    }
  }

  bool run_until(const std::function<bool()>& done, milliseconds at_most) override {
    const Instant end = now() + at_most;
    while (!done()) {
      if (now() >= end) return false;
      cluster_.run_until([this, seen = book_.changes()] { return book_.changes() != seen; },
                         std::min(look_at_cell_every, end - now()));
      after_running();
    }
    return true;
  }

  WorldAnswer call(std::uint32_t node, const WorldRequest& request) override {
    http::Response answer = cluster_.call(node, std::string(request.method), std::string(request.target),
                                          std::string(request.body), request.headers, request.patience);
    after_running();
    return {answer.status, std::move(answer.headers), std::move(answer.body)};
  }

  Result<void> strike(const FaultOrder& order) override {
    apply(order);
    after_running();
    return {};
  }

  std::uint32_t leader() const override { return cluster_.leader(); }
  bool is_up(std::uint32_t node) const override { return cluster_.is_up(node); }
  std::string peer_address(std::uint32_t node) const override { return "sim:" + std::to_string(node); }
  bool agent_is_up(std::uint32_t host) const override { return cluster_.agent_is_up(host); }
  bool may_speak(std::uint32_t node) const override {
    return is_up(node) && !frozen_.contains(node) && cluster_.failure(node).empty() &&
           cluster_.status(node)->leased.load() && cluster_.status(node)->leader.load() == leader();
  }
  std::string why_not_settled() const override {
    std::size_t agents = 0;
    for (std::uint32_t h = 1; h <= options_.hosts; ++h) agents += agent_is_up(h) ? 1 : 0;
    return cluster_.why_not_settled(agents);
  }
  std::vector<std::string> violations() const override {
    std::vector<std::string> all = cluster_.violations();
    all.insert(all.end(), complaints_.begin(), complaints_.end());
    return all;
  }
  std::uint64_t history_hash() const override { return cluster_.history_hash(); }

 private:
  SimOptions observed(SimOptions options) {
    options.observer = &ledger_;
    return options;
  }
  void complain(const std::string& what) {
    if (complaints_.size() < complaints_max) complaints_.push_back(what);
  }
  /// The tables of a node that stands where the ledger does.
  void judge() {
    if (now() - judged_ < judge_every) return;
    judged_ = now();
    for (const std::uint32_t n : cluster_.nodes()) {
      if (!is_up(n) || cluster_.status(n)->applied.load() != ledger_.last().value) continue;
      const Reads& reads = *cluster_.reads(n);
      if (reads.shard_count() == 0) return;
      for (const std::string& wrong : judges::wrong_in(reads, ledger_, reads.cell_record().now))
        complain("node " + std::to_string(n) + ": " + wrong);
      return;
    }
  }

  void apply(const FaultOrder& order) {
    switch (order.kind) {
      case FaultKind::crash_node:
        frozen_.erase(order.node);
        return cluster_.crash_node(order.node);
      case FaultKind::restart_node:
        given_up_.erase(order.node);
        return cluster_.restart_node(order.node);
      case FaultKind::freeze_node:
        frozen_.insert(order.node);
        return cluster_.freeze_node(order.node);
      case FaultKind::thaw_node:
        frozen_.erase(order.node);
        return cluster_.thaw_node(order.node);
      case FaultKind::isolate_node:
        return cluster_.isolate_node(order.node);
      case FaultKind::cut_link:
        return cluster_.cut(order.node, order.to);
      case FaultKind::lose_disk:
        frozen_.erase(order.node);
        return cluster_.lose_disk(order.node);
      case FaultKind::fail_writes:
        return cluster_.fail_writes(order.node);
      case FaultKind::fail_syncs:
        return cluster_.fail_syncs(order.node);
      case FaultKind::leap_clock:
        return cluster_.leap_clock(order.node, milliseconds(order.amount));
      case FaultKind::drift_clock:
        return cluster_.drift_clock(order.node, order.amount);
      case FaultKind::crash_agent:
        return cluster_.crash_agent(order.host);
      case FaultKind::restart_agent:
        return cluster_.restart_agent(order.host);
      case FaultKind::kill_host:
        return cluster_.kill_host(order.host);
      case FaultKind::isolate_host:
        return cluster_.isolate_host(order.host);
      case FaultKind::freeze_agent:
        return cluster_.freeze_agent(order.host);
      case FaultKind::slow_agent:
        return cluster_.slow_agent(order.host, milliseconds(order.amount));
      case FaultKind::slow_link:
        return cluster_.slow_links(order.node, order.to, milliseconds(order.amount));
      case FaultKind::stray_agent:
        return cluster_.start_stray_agent();
      case FaultKind::fail_registry:
        return cluster_.fail_registry();
      case FaultKind::heal:
        frozen_.clear();
        return cluster_.heal();
    }
  }

  void after_running() {
    for (std::uint32_t n = 1; n <= options_.nodes; ++n)
      if (const std::string why = cluster_.failure(n); !why.empty() && given_up_.insert(n).second)
        book_.add_line("fault", now(), "node " + std::to_string(n) + " gave up: " + why);
    judge();
    listen();
  }

  /// A stream ends with its node's life; the book knows where to go on.
  void listen() {
    for (std::uint32_t n = 1; n <= options_.nodes; ++n) {
      if (!is_up(n) || frozen_.contains(n) || !cluster_.failure(n).empty() || !listening_.insert(n).second)
        continue;
      http::Headers headers{{"x-titus-callerid", "history"}};
      if (const std::string last = book_.begin_stream(n); !last.empty()) headers["last-event-id"] = last;
      (void)cluster_.ask(
          n, "GET", "/api/v3/events?consistency=stale", {}, std::move(headers),
          {[this, n](std::string_view chunk) { book_.hear(n, chunk); }, [this, n] { listening_.erase(n); }});
    }
  }

  judges::Ledger ledger_;  // First: outlives the cluster that tells it.
  std::vector<std::string> complaints_;
  Instant judged_;
  SimOptions options_;
  HistoryBook& book_;
  std::set<std::uint32_t> listening_, frozen_, given_up_;
  SimCluster cluster_;  // Last: its streams end with it, and tell.
};

}  // namespace

std::unique_ptr<World> make_sim_world(const ClusterOptions& options, const SimWorldOptions& more,
                                      HistoryBook& book) {
  SimOptions all;
  static_cast<ClusterOptions&>(all) = options;
  all.seed = more.seed;
  all.resets = more.resets_ppm;
  return std::make_unique<SimWorld>(std::move(all), book);
}

}  // namespace troupe::embedded
