#include "cmd/simulation/troubles.hpp"

#include <algorithm>

namespace troupe::simulation {
namespace {

constexpr std::uint32_t newest_build = feature_level_known + 1;

bool is_of_host(StepKind kind) {
  switch (kind) {
    case StepKind::crash_agent:
    case StepKind::restart_agent:
    case StepKind::kill_host:
    case StepKind::isolate_host:
    case StepKind::freeze_agent:
    case StepKind::slow_agent:
    case StepKind::stray_agent:
    case StepKind::resize_host:
      return true;
    default:
      return false;
  }
}

/// The next one behind it.
std::uint32_t after(std::uint32_t node, const std::vector<std::uint32_t>& nodes) {
  const auto next = std::upper_bound(nodes.begin(), nodes.end(), node);
  return next == nodes.end() ? nodes.front() : *next;
}

}  // namespace

Troubles::Troubles(embedded::SimCluster& cluster, const Plan& plan, Note note)
    : cluster_(cluster), plan_(plan), note_(std::move(note)), members_(cluster, plan.scope.nodes, note_) {}

void Troubles::poll() {
  members_.poll();
  for (const std::uint32_t node : cluster_.nodes())
    if (cluster_.is_up(node)) term_seen_ = std::max(term_seen_, cluster_.status(node)->term.load());
}

void Troubles::strike(StepKind kind, Random& random) {
  const std::vector<std::uint32_t> nodes = cluster_.nodes();
  const std::uint32_t node = nodes[random.below(nodes.size())];
  const auto host = static_cast<std::uint32_t>(random.between(1, plan_.scope.hosts));
  note_(std::string(kind_text(kind)) + " " + std::to_string(is_of_host(kind) ? host : node));
  if (is_of_host(kind)) return strike_host(kind, host, random);
  strike_node(kind, node, random);
}

void Troubles::strike_node(StepKind kind, std::uint32_t node, Random& random) {
  const std::uint32_t other = after(node, cluster_.nodes());
  switch (kind) {
    case StepKind::transfer_leader:
      return transfer(node);
    case StepKind::crash_node:
      return crash(node);
    case StepKind::crash_all_nodes:
      return crash_all();
    case StepKind::restart_node:
      return restart_those_down(node, random);
    case StepKind::isolate_node:
      return cluster_.isolate_node(node);
    case StepKind::freeze_node:
      return freeze(node);
    case StepKind::cut_nodes:
      return cluster_.cut(node, other);
    case StepKind::slow_link:
      return cluster_.slow_links(node, other, milliseconds(random.between(5, 400)));
    case StepKind::heal:
      return heal();
    case StepKind::leap_clock:
      return leap(node, random);
    case StepKind::drift_clock:
      return drift(node, random);
    case StepKind::break_disk:
      return break_disk(node, random);
    case StepKind::damage_log:
      return damage_log(node, random);
    case StepKind::lose_disk:
      return lose_disk(node);
    case StepKind::add_node:
      return members_.add();
    case StepKind::remove_node:
      return members_.remove(node);
    case StepKind::fail_registry:
      return cluster_.fail_registry();
    case StepKind::other_build:
      return change_build(node, random);
    default:
      return;
  }
}

void Troubles::strike_host(StepKind kind, std::uint32_t host, Random& random) {
  switch (kind) {
    case StepKind::crash_agent:
      return cluster_.crash_agent(host);
    case StepKind::restart_agent:
      return restart_agents();
    case StepKind::kill_host:
      return cluster_.kill_host(host);
    case StepKind::isolate_host:
      return cluster_.isolate_host(host);
    case StepKind::freeze_agent:
      return cluster_.freeze_agent(host);
    case StepKind::slow_agent:
      return slow(host, random);
    case StepKind::stray_agent:
      return cluster_.start_stray_agent();
    case StepKind::resize_host:
      return resize(host, random);
    default:
      return;
  }
}

void Troubles::transfer(std::uint32_t to) {
  const std::uint32_t leader = cluster_.leader();
  if (leader == 0 || leader == to || !cluster_.is_up(to) || frozen_.contains(leader)) return;
  (void)cluster_.transfer_leadership(leader, to);
}

void Troubles::crash(std::uint32_t node) {
  frozen_.erase(node);
  if (cluster_.is_up(node)) cluster_.crash_node(node);
}

void Troubles::crash_all() {
  for (const std::uint32_t node : cluster_.nodes()) crash(node);
}

void Troubles::restart(std::uint32_t node) {
  const std::string why = cluster_.failure(node);
  if (cluster_.is_up(node) && !why.empty()) crash(node);
  if (why.ends_with("upgrade this node")) cluster_.install_build(node, newest_build);
  if (!cluster_.is_up(node)) cluster_.restart_node(node);
}

/// The one named and, half of the time, all.
void Troubles::restart_those_down(std::uint32_t node, Random& random) {
  restart(node);
  if (random.chance(50))
    for (const std::uint32_t other : cluster_.nodes()) restart(other);
}

void Troubles::restart_agents() {
  for (std::uint32_t host = 1; host <= plan_.scope.hosts; ++host) cluster_.restart_agent(host);
}

void Troubles::freeze(std::uint32_t node) {
  if (!cluster_.is_up(node)) return;
  cluster_.freeze_node(node);
  frozen_.insert(node);
}

void Troubles::heal() {
  cluster_.heal();
  frozen_.clear();
  wild_clock_ = 0;
}

/// One clock at a time: against a majority of wild ones there is no right time.
bool Troubles::may_go_wild(std::uint32_t node) {
  if (wild_clock_ != 0 && wild_clock_ != node) return false;
  wild_clock_ = node;
  return true;
}

void Troubles::leap(std::uint32_t node, Random& random) {
  constexpr std::int64_t leaps[] = {3'600'000, -3'600'000, 315'360'000'000};
  const milliseconds by(leaps[random.below(3)]);
  if (!may_go_wild(node)) return;
  note_("  its clock leaps by " + std::to_string(by.count()) + " ms");
  cluster_.leap_clock(node, by);
}

void Troubles::drift(std::uint32_t node, Random& random) {
  if (may_go_wild(node)) cluster_.drift_clock(node, random.between(-50'000, 50'000));
}

void Troubles::break_disk(std::uint32_t node, Random& random) {
  if (!cluster_.is_up(node)) return;
  broken_.insert(node);
  if (random.chance(50))
    cluster_.fail_writes(node);
  else
    cluster_.fail_syncs(node);
}

/// The newer one knows a level that no build of today does. Who knows too little for the cell does not start,
/// and is upgraded by the next restart.
void Troubles::change_build(std::uint32_t node, Random& random) {
  const auto level = static_cast<std::uint32_t>(random.between(feature_level_known - 1, newest_build));
  note_("  by one that knows level " + std::to_string(level));
  crash(node);
  cluster_.install_build(node, level);
  restart(node);
}

/// One at a time: what was acknowledged may be held by this node and one other alone.
bool Troubles::may_lose(std::uint32_t node) {
  if (plan_.scope.nodes < 3 || !members_.is_idle()) return false;
  const std::vector<std::uint32_t> nodes = cluster_.nodes();
  if (std::find(nodes.begin(), nodes.end(), damaged_) != nodes.end()) {
    const std::uint32_t leader = cluster_.leader();
    if (leader == 0 || !cluster_.is_up(damaged_) || !cluster_.failure(damaged_).empty()) return false;
    const auto& status = *cluster_.status(damaged_);
    if (status.leader.load() != leader || status.applied.load() < cluster_.status(leader)->commit.load())
      return false;
    // Until then it votes for nobody, and one loss more would leave no majority for ever.
    if (status.term.load() <= damaged_in_term_) return false;
  }
  damaged_ = node;
  damaged_in_term_ = term_seen_;
  return true;
}

void Troubles::damage_log(std::uint32_t node, Random& random) {
  const bool tail = random.chance(50);
  if (!may_lose(node)) return;
  crash(node);
  const bool done = tail ? cluster_.lose_log_tail(node) : cluster_.flip_log_bit(node);
  note_(std::string("  its log ") + (done ? tail ? "lost its end" : "has a wrong bit" : "was empty"));
}

void Troubles::lose_disk(std::uint32_t node) {
  if (!members_.may_go(node) || !may_lose(node)) return;
  note_("  it is replaced");
  frozen_.erase(node);
  broken_.erase(node);
  cluster_.lose_disk(node);
  members_.replace(node);
  damaged_ = cluster_.nodes().back();
}

/// The slowest confirm an order when it has been repeated already.
void Troubles::slow(std::uint32_t host, Random& random) {
  const milliseconds by(random.chance(40) ? random.between(3'000, 8'000) : random.between(20, 1'000));
  note_("  by " + std::to_string(by.count()) + " ms");
  if (random.chance(50))
    cluster_.slow_agent(host, by);
  else
    cluster_.slow_host_links(host, by);
}

void Troubles::resize(std::uint32_t host, Random& random) {
  embedded::ClusterOptions usual;
  Resources size = usual.host_resources;
  size.cpu_milli = plan_.tunables.host_cpu_milli * random.between(1, 4) / 4;
  resized_.insert(host);
  note_("  has " + std::to_string(size.cpu_milli) + " thousandths of a cpu");
  cluster_.resize_host(host, size);
  cluster_.crash_agent(host);
  cluster_.restart_agent(host);
}

void Troubles::mend_all() {
  heal();
  for (const std::uint32_t node : broken_) crash(node);
  for (const std::uint32_t node : cluster_.nodes()) {
    cluster_.install_build(node, newest_build);
    restart(node);
  }
  embedded::ClusterOptions usual;
  usual.host_resources.cpu_milli = plan_.tunables.host_cpu_milli;
  for (const std::uint32_t host : resized_) {
    cluster_.resize_host(host, usual.host_resources);
    cluster_.crash_agent(host);
  }
  restart_agents();
}

std::string Troubles::not_mended() {
  // Whoever joined since, or heard only now what the cell's level is.
  for (const std::uint32_t node : cluster_.nodes())
    if (cluster_.failure(node).ends_with("upgrade this node")) restart(node);
  if (!members_.restore()) return "the members are being changed";
  return cluster_.why_not_whole();
}

}  // namespace troupe::simulation
