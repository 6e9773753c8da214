// What strikes, and how machines come back.

#include <algorithm>

#include "tests/storage/replica/life/life.hpp"

namespace troupe {
namespace {

constexpr std::size_t voters_min = 3, hosts_max = 8;
constexpr std::int64_t hour_ms = 3'600'000, ten_years_ms = 315'360'000'000;
constexpr std::int64_t remembered_ns =
    5'000'000'000;  ///< two windows of the clock guard, and messages on their way

}  // namespace

std::string text_of(const Fault& fault) {
  return std::string(fault_names[static_cast<std::size_t>(fault.kind)]) + "@" +
         std::to_string(fault.at.count());
}

std::vector<Fault> faults_of(std::uint64_t seed, milliseconds length) {
  Random random(seed ^ 0x6661756c7473u);
  const auto length_ms = static_cast<std::uint64_t>(length.count());
  std::vector<Fault> faults(random.below(2 + length_ms / (15 + random.below(300))));
  constexpr FaultKind often[] = {FaultKind::crash, FaultKind::cut, FaultKind::heal, FaultKind::change};
  for (Fault& fault : faults) {
    const milliseconds at(static_cast<std::int64_t>(random.below(length_ms)));
    const auto kind = random.chance(40) ? often[random.below(std::size(often))]
                                        : static_cast<FaultKind>(random.below(fault_kinds));
    fault = {at, kind, random.next()};
  }
  std::ranges::sort(faults, {}, &Fault::at);
  return faults;
}

void Life::strike(const Fault& fault) {
  Random random(fault.seed);
  Host& host = any(random);
  tell(host, text_of(fault));
  ++counts_.faults[static_cast<std::size_t>(fault.kind)];
  switch (fault.kind) {
    case FaultKind::cut:
      return cut(host, random);
    case FaultKind::heal:
      return cuts_.clear();
    case FaultKind::links:
      return links(host, random);
    case FaultKind::drift:
      return set_rate(host, random.between(800, 1200));
    case FaultKind::leap:
      return leap(host, random);
    case FaultKind::stall:
      stand_still(host);
      return later(static_cast<std::int64_t>(random.below(random.chance(70) ? 400'000 : 3'000'000)),
                   [this, id = host.id()] {
                     if (!healed_) go_on(this->host(id));
                   });
    case FaultKind::transfer:
      if (Host* leads = leader(); leads != nullptr && leads->acts()) {
        guarded(*leads, [&](Host& at) { (void)at.driver().transfer(host.id()).ok(); });
        if (leads->up()) flush_soon(*leads);
      }
      return;
    case FaultKind::change:
      return change(random);
    case FaultKind::other_build:
      host.machine.options_.level_known = 1 - host.machine.options_.level_known;
      if (host.up()) crash(host, &random);
      return;
    case FaultKind::crash:
    case FaultKind::crash_hard:
    case FaultKind::fail_sync:
    case FaultKind::fail_write:
    case FaultKind::fail_flush:
    case FaultKind::disk_full:
    case FaultKind::slow_disk:
    case FaultKind::flip_bit:
    case FaultKind::tear_record:
    case FaultKind::lose_record:
      if (!host.damaged) strike_disk(fault, host, random);
      return;
  }
}

void Life::strike_disk(const Fault& fault, Host& host, Random& random) {
  SimDisk& disk = host.machine.disk_;
  switch (fault.kind) {
    case FaultKind::crash:
      if (host.up()) crash(host, &random);
      return;
    case FaultKind::crash_hard:
      if (host.up()) crash(host, nullptr);
      return;
    case FaultKind::slow_disk:
      for (auto& [id, other] : hosts_) other->slow = other.get() == &host;
      return;
    case FaultKind::fail_sync:
      disk.fail_syncs("log");
      break;
    case FaultKind::fail_write:
      disk.fail_writes("log");
      break;
    case FaultKind::fail_flush:
      disk.fail_syncs("state");
      break;
    case FaultKind::disk_full:
      disk.limit_bytes(disk.used_bytes() + random.below(500));
      break;
    default:
      return damage(fault.kind, host, random);
  }
  host.hurt = true;
}

// At most one machine's log is damaged in a life, and only while the others are enough to go on without it.
void Life::damage(FaultKind kind, Host& host, Random& random) {
  const bool other = std::ranges::any_of(hosts_, [](const auto& at) { return at.second->struck; });
  Host* leads = leader();
  if (other || leads == nullptr || leads == &host) return;
  if (leads->driver().status().membership.voters.size() < voters_min) return;
  const bool alive = kind == FaultKind::flip_bit && host.up() && random.chance(50);
  if (host.up() && !alive) crash(host, &random);
  const Table table =
      kind == FaultKind::flip_bit && random.chance(30) ? LogStore::meta_table : LogStore::entries_table;
  SimDisk& disk = host.machine.disk_;
  if (kind == FaultKind::flip_bit) host.struck = disk.flip_bit("log", table, random);
  if (kind == FaultKind::tear_record) host.struck = disk.tear_tail("log", table, random);
  if (kind == FaultKind::lose_record) host.struck = disk.lose_key("log", table, random);
  if (alive) {
    host.hurt = host.hurt || host.struck;
    return;
  }
  restart(host);
  const bool was_read =
      host.machine.unusable_code_ != ErrorCode::unavailable;  // Else its build refused before.
  if (host.struck && was_read && !host.damaged) judge_.fail("damage_unnoticed " + text_of({{}, kind, 0}));
}

void Life::crash(Host& host, Random* random) {
  tell(host, "crash");
  ++counts_.crashes;
  counts_.cuts += host.driver().counters().cuts;
  counts_.leaps_refused += host.driver().counters().leaps_refused;
  host.machine.crash(random);
  host.hurt = false;
  host.flush_pending = host.applying = host.stands_still = host.tick_waits = false;
  host.to_apply.clear();
  host.backlog.clear();
  judge_.reads_die({host.reads.begin(), host.reads.end()});
  host.reads.clear();
  if (random_.chance(50)) host.arrived.reset();
  for (auto& [id, other] : hosts_)
    if (other.get() != &host && random_.chance(60)) tell_link(*other, host.id(), false);
  restart_soon(host);
}

// As whoever runs a node does when it says that it cannot go on.
void Life::die(Host& host, const std::string& why) {
  tell(host, "stops: " + why);
  ++counts_.stops;
  const bool by_level = why.find("feature level") != std::string::npos;
  if (!host.hurt && !by_level) judge_.fail("stopped_without_cause node=" + to_text(host.id()) + " " + why);
  crash(host, random_.chance(50) ? &random_ : nullptr);
}

void Life::restart_soon(Host& host) {
  if (host.damaged || std::exchange(host.restarts, true)) return;
  later(random_.between(5'000, random_.chance(80) ? 300'000 : 2'000'000), [this, id = host.id()] {
    Host& again = this->host(id);
    again.restarts = false;
    if (!again.up() && !again.damaged) restart(again);
  });
}

void Life::restart(Host& host) {
  host.machine.disk_.limit_bytes(UINT64_MAX);
  host.slow = false;
  bool started = false;
#ifdef TROUPE_RAFT_MUTANTS
  try {
    started = host.machine.start();
  } catch (const raft::Stopped&) {
    ++counts_.broken_checks;
  } catch (const CheckBroken&) {
    ++counts_.broken_checks;
  }
#else
  started = host.machine.start();
#endif
  tell(host, started ? "started" : "unusable: " + host.machine.unusable_);
  if (started) {
    ++counts_.restarts;
    judge_.restarts(host.id());
    for (auto& [id, other] : hosts_)
      if (other.get() != &host && random_.chance(60)) tell_link(*other, host.id(), true);
    return tick_later(host);
  }
  host.machine.crash();
  if (host.machine.unusable_code_ == ErrorCode::unavailable) {
    ++counts_.refused;
    if (random_.chance(30))
      host.machine.options_.level_known = 1;  // Its operator reads the log, and upgrades it.
  } else if (host.machine.unusable_code_ == ErrorCode::corrupt) {
    if (!host.struck)
      judge_.fail("unusable_by_itself node=" + to_text(host.id()) + " " + host.machine.unusable_);
    host.damaged = true;
    ++counts_.damaged;
    judge_.silence(host.id());
  }
  restart_soon(host);
}

void Life::cut(Host& host, Random& random) {
  for (auto& [id, other] : hosts_) {
    if (id == host.id() || random.chance(40)) continue;
    const std::uint64_t kind = random.below(3);
    if (kind != 0) cuts_.insert({host.id(), id});
    if (kind != 1) cuts_.insert({id, host.id()});
    if (random.chance(30)) tell_link(*other, host.id(), false);
    if (random.chance(30)) tell_link(host, id, false);
  }
}

void Life::links(Host& host, Random& random) {
  for (auto& [id, other] : hosts_)
    if (id != host.id()) tell_link(*other, host.id(), random.chance(50));
}

void Life::set_rate(Host& host, std::int64_t permille) {
  host.steady_ns = now_of(host).steady.ns;
  host.since_ns = truth_ns_;
  host.rate_permille = permille;
}

// Of any number of clocks one is wrong at a time, as an operator may expect; and for a while after it was set
// right the others still remember how it was.
void Life::leap(Host& host, Random& random) {
  bool remembered = false;
  for (auto& [id, other] : hosts_) {
    if (other.get() == &host) continue;
    if (std::exchange(other->wild, false)) {
      other->wall_off = milliseconds(random.between(-50, 50));
      other->wild_until_ns = truth_ns_;
    }
    remembered =
        remembered || (other->wild_until_ns != 0 && truth_ns_ - other->wild_until_ns < remembered_ns);
  }
  if (remembered || random.chance(25)) return;
  constexpr std::int64_t leaps[] = {hour_ms, -hour_ms, ten_years_ms};
  host.wall_off += milliseconds(leaps[random.below(3)]);
  host.wild = true;
}

void Life::stand_still(Host& host) {
  if (host.up()) host.stands_still = true;
}

// Its timers and what waited for it are told in either order.
void Life::go_on(Host& host) {
  if (!host.up() || !std::exchange(host.stands_still, false)) return;
  const Act timer = [this, &host] { guarded(host, [this](Host& at) { tick(at); }); };
  if (std::exchange(host.tick_waits, false)) {
    if (random_.chance(50))
      host.backlog.push_front(timer);
    else
      host.backlog.push_back(timer);
  }
  while (host.up() && !host.backlog.empty()) {
    const Act next = std::move(host.backlog.front());
    host.backlog.pop_front();
    next();
  }
}

void Life::change(Random& random) {
  Host* leads = leader();
  if (leads == nullptr || !leads->acts()) return;
  const raft::Membership membership = leads->driver().status().membership;
  raft::MemberChange change{static_cast<raft::MemberChangeKind>(random.below(3)), {}, "a", {}};
  const auto one_of = [&](const std::vector<NodeId>& nodes) { return nodes[random.below(nodes.size())]; };
  if (change.kind == raft::MemberChangeKind::add_learner) {
    if (hosts_.size() >= hosts_max) return;
    change.node = NodeId{newest_id_ + 1};
  } else if (change.kind == raft::MemberChangeKind::promote) {
    if (membership.learners.empty()) return;
    change.node = one_of(membership.learners);
  } else {
    if (membership.voters.size() <= voters_min) return;
    change.node = one_of(membership.voters);
  }
  bool taken = false;
  guarded(*leads, [&](Host& at) { taken = at.driver().change(change, now_of(at)).ok(); });
  if (leads->up()) flush_soon(*leads);
  if (taken && change.kind == raft::MemberChangeKind::add_learner) add_host(change.node, {});
}

std::vector<Fault> shrunk(std::uint64_t seed, std::vector<Fault> faults, milliseconds length) {
  for (std::size_t part = std::max<std::size_t>(faults.size() / 2, 1);; part /= 2) {
    for (std::size_t at = 0; at < faults.size();) {
      std::vector<Fault> fewer = faults;
      const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(part, faults.size() - at)));
      if (Life(seed, fewer, length).run())
        faults = std::move(fewer);
      else
        at += part;
    }
    if (part <= 1) return faults;
  }
}

}  // namespace troupe
