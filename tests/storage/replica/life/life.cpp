#include "tests/storage/replica/life/life.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "storage/base/msgpack.hpp"

namespace troupe {
namespace {

constexpr std::int64_t ms_ns = 1'000'000, us_ns = 1'000;
constexpr std::int64_t wall_begin_ms = 1'700'000'000'000;
constexpr std::int64_t compare_logs_every_us = 100'000;
constexpr milliseconds wall_off_max{50};
constexpr std::size_t apply_batch_max = 16;

}  // namespace

Life::Life(std::uint64_t seed, std::vector<Fault> faults, milliseconds length)
    : random_(seed),
      tunables_(random_),
      loss_percent_(tunables_.loss_percent),
      duplicate_percent_(tunables_.duplicate_percent),
      delay_us_max_(tunables_.delay_us_max),
      sync_us_max_(tunables_.sync_us_max),
      apply_us_max_(tunables_.apply_us_max),
      lazy_us_max_(tunables_.lazy_us_max),
      faults_(std::move(faults)),
      length_ns_(length.count() * ms_ns),
      judge_(first_members(tunables_.voters),
             [this](NodeId node, Index index, Term term) {
               const auto at = hosts_.find(node);
               return at != hosts_.end() && (at->second->struck || at->second->machine.holds(index, term));
             }),
      clients_(4) {
  for (std::uint32_t id = 1; id <= tunables_.voters; ++id)
    add_host(NodeId{id}, first_members(tunables_.voters));
  for (const Fault& fault : faults_) later(fault.at.count() * 1'000, [this, fault] { strike(fault); });
  clients_act();
  operate();
}

std::optional<std::string> Life::run() {
  for (std::int64_t at = 0; at <= length_ns_ && !judge_.violation(); at += compare_logs_every_us * us_ns) {
    happen_until(std::min(at + compare_logs_every_us * us_ns, length_ns_));
    for (auto& [one, a] : hosts_)
      for (auto& [two, b] : hosts_)
        if (one < two && a->up() && b->up())
          judge_.compare_logs(one, a->driver().log(), two, b->driver().log());
  }
  if (!judge_.violation()) get_well();
  if (const auto violation = clients_.history().violation()) judge_.fail(*violation);
  for (auto& [id, host] : hosts_)
    if (host->up()) counts_.leaps_refused += host->driver().counters().leaps_refused;
  counts_.leaders = judge_.leaders();
  counts_.commits = judge_.committed();
  counts_.reads = judge_.reads();
  counts_.configs = judge_.configs();
  counts_.answers = clients_.history().answered();
  return judge_.violation();
}

void Life::later(std::int64_t delay_us, Act act) {
  events_.emplace(truth_ns_ + delay_us * us_ns, std::move(act));
}

// For this life of the machine alone; while it stands still it waits.
void Life::later_at(Host& host, std::int64_t delay_us, std::function<void(Host&)> act) {
  later(delay_us, [this, id = host.id(), life = host.machine.lives_, act = std::move(act)] {
    Host& again = this->host(id);
    if (!again.up() || again.machine.lives_ != life) return;
    if (!again.stands_still) return guarded(again, act);
    again.backlog.push_back([this, &again, act] { guarded(again, act); });
  });
}

void Life::guarded(Host& host, const std::function<void(Host&)>& act) {
  host.machine.now_ = now_of(host);
#ifdef TROUPE_RAFT_MUTANTS
  try {
    act(host);
  } catch (const raft::Stopped&) {
    ++counts_.broken_checks;
    crash(host, nullptr);
  } catch (const CheckBroken&) {
    ++counts_.broken_checks;
    crash(host, nullptr);
  }
#else
  act(host);
#endif
}

void Life::happen_until(std::int64_t end_ns) {
  while (!events_.empty() && events_.begin()->first <= end_ns && !judge_.violation()) {
    auto event = events_.extract(events_.begin());
    truth_ns_ = std::max(truth_ns_, event.key());
    ++counts_.events;
    event.mapped()();
  }
  truth_ns_ = std::max(truth_ns_, end_ns);
}

Now Life::now_of(const Host& host) const {
  const std::int64_t passed = (truth_ns_ - host.since_ns) * host.rate_permille / 1000;
  return {Moment{host.steady_ns + passed}, Instant{wall_begin_ms + truth_ns_ / ms_ns} + host.wall_off};
}

Life::Host& Life::any(Random& random) {
  return *std::next(hosts_.begin(), static_cast<std::ptrdiff_t>(random.below(hosts_.size())))->second;
}

Life::Host* Life::leader() {
  Host* found = nullptr;
  for (auto& [id, host] : hosts_) {
    if (!host->up() || host->driver().role() != raft::Role::leader) continue;
    if (found == nullptr || host->driver().term() > found->driver().term()) found = host.get();
  }
  return found;
}

Life::Host& Life::add_host(NodeId id, raft::Membership initial) {
  MachineOptions options = tunables_.machine;
  options.seed = random_.next();
  options.level_known = random_.chance(tunables_.new_builds_percent) ? 1 : 0;
  Host& host = *(hosts_[id] = std::make_unique<Host>(id, std::move(initial), options));
  newest_id_ = std::max(newest_id_, id.value);
  host.steady_ns = random_.between(1, 1'000'000) * ms_ns;
  host.since_ns = truth_ns_;
  host.wall_off = milliseconds(random_.between(-wall_off_max.count(), wall_off_max.count()));
  host.machine.on_apply_ = [this, &host](const MachineState& state) {
    judge_.applies(host.id(), state);
    const Instant latest =
        Instant{wall_begin_ms + truth_ns_ / ms_ns} + tunables_.machine.clock_leap + 4 * wall_off_max;
    if (state.now > latest) judge_.fail("stamp_from_the_future node=" + to_text(host.id()));
    clients_.committed(host.life(), {host.machine.applied_.back()});
  };
  tick_later(host);
  return host;
}

// LIFE_TRACE=1 tells a life's story.
void Life::tell(const Host& host, const std::string& what) const {
  static const bool traces = std::getenv("LIFE_TRACE") != nullptr;
  if (traces) std::cerr << truth_ns_ / us_ns << " us node=" << host.id().value << " " << what << "\n";
}

// ---- one node's shell ----

void Life::tick_later(Host& host) {
  const std::int64_t delay_us = std::chrono::microseconds(replica_tick).count() * 1000 / host.rate_permille;
  later(delay_us, [this, id = host.id(), life = host.machine.lives_] {
    Host& again = this->host(id);
    if (!again.up() || again.machine.lives_ != life) return;
    if (again.stands_still)
      again.tick_waits = true;
    else
      guarded(again, [this](Host& at) { tick(at); });
  });
}

void Life::tick(Host& host) {
  if (host.driver().tick(now_of(host)) == ReplicaDriver::Tick::again) {
    ++counts_.stalls;
    // Behind all that waits.
    if (!host.backlog.empty())
      return host.backlog.push_back([this, &host] { guarded(host, [this](Host& at) { tick(at); }); });
    (void)host.driver().tick(now_of(host));
  }
  look_at_leases(host);
  tick_later(host);
  flush_soon(host);
}

// Whom the newest leader has not heard for long enough may lose what it cares for: it must know.
void Life::look_at_leases(Host& host) {
  if (!host.driver().leased()) return;
  Host* leads = leader();
  if (leads == nullptr || leads == &host || leads->stands_still) return;
  const auto& options = tunables_.machine;
  const std::int64_t limit_ms = 2 * options.lease.count() +
                                6 * options.raft.election_ticks * replica_tick.count() +
                                4 * delay_us_max_ / 1000 + 500;
  for (const raft::PeerStatus& peer : leads->driver().status().peers)
    if (peer.id == host.id() && peer.silent_ticks * replica_tick.count() > limit_ms)
      judge_.fail("leased_though_not_heard node=" + to_text(host.id()));
}

void Life::flush_soon(Host& host) {
  if (std::exchange(host.flush_pending, true)) return;
  later_at(host, random_.between(0, lazy_us_max_), [this](Host& at) { take(at); });
}

void Life::take(Host& host) {
  host.flush_pending = false;
  ReplicaEffects effects = host.driver().take(now_of(host));
  judge_.commits(host.id(), host.driver());
  perform(host, std::move(effects));
}

void Life::perform(Host& host, ReplicaEffects effects) {
  for (const raft::RoleChange& role : effects.roles) {
    tell(host, "role=" + std::to_string(static_cast<int>(role.role)) + " term=" + to_text(role.term) +
                   " leader=" + to_text(role.leader));
    if (role.role == raft::Role::leader) leads(host, role.term);
  }
  if (effects.membership) judge_.stands(host.id(), *effects.membership);
  if (effects.clock_leapt) tell(host, "clock_leapt");
  for (const ReplicaMessage& message : effects.send) send(message);
  for (raft::Entry& entry : effects.apply) host.to_apply.push_back(std::move(entry));
  if (effects.lease) host.machine.leased_ = *effects.lease;
  for (const ReadAnswer& each : effects.reads) answer(host, each);
  if (effects.install) return install(host);
  if (effects.stop) return die(host, *effects.stop);
  if (effects.care != StateCare::none) care(host, effects.care);
  if (effects.free_log && !host.machine.log_->free_space().ok()) return die(host, "the log cannot be freed");
  for (const raft::SnapshotNeed& need : effects.snapshots)
    later_at(host, random_.between(0, 20'000),
             [this, peer = need.peer](Host& at) { send_snapshot(at, peer); });
  sync_soon(host);
  apply_soon(host);
}

// Who does not know yet that its removal is committed may still stand, and win, once.
void Life::leads(Host& host, Term term) {
  const auto votes_in = [&](const raft::Membership& membership) {
    return std::ranges::binary_search(membership.voters, host.id());
  };
  const MachineState& state = host.machine.state_;
  if (!votes_in(host.driver().status().membership) &&
      !votes_in(state.has_membership ? state.membership : host.machine.initial_))
    judge_.fail("stranger_leads node=" + to_text(host.id()));
  judge_.leads(host.id(), term, host.driver().log());
}

void Life::sync_soon(Host& host) {
  if (!host.machine.writer_->begin()) return;
  const std::int64_t delay = random_.between(0, sync_us_max_) * (host.slow ? 10 : 1);
  later_at(host, delay, [this](Host& at) {
    at.machine.writer_->finish();
    sync_soon(at);
    flush_soon(at);
  });
}

void Life::apply_soon(Host& host) {
  if (host.to_apply.empty() || std::exchange(host.applying, true)) return;
  later_at(host, random_.between(0, apply_us_max_), [this](Host& at) {
    at.applying = false;
    const std::size_t count = std::min<std::size_t>(1 + random_.below(apply_batch_max), at.to_apply.size());
    const auto end = at.to_apply.begin() + static_cast<std::ptrdiff_t>(count);
    const std::vector<raft::Entry> batch(at.to_apply.begin(), end);
    at.to_apply.erase(at.to_apply.begin(), end);
    const std::uint32_t level = at.machine.state_.level;
    if (!at.driver().is_stopped()) at.machine.apply(batch);
    if (at.machine.state_.level > level) ++counts_.raises;
    flush_soon(at);
    apply_soon(at);
  });
}

void Life::care(Host& host, StateCare care) {
  later_at(host, random_.between(0, 30'000), [this, care](Host& at) {
    if (care == StateCare::flush) {
      if (const auto done = at.machine.state_kv_->flush(); !done.ok()) {
        at.driver().flushed(done.error(), now_of(at));
        return flush_soon(at);
      }
    }
    at.driver().flushed(at.machine.flushed(), now_of(at));
    flush_soon(at);
  });
}

void Life::answer(Host& host, const ReadAnswer& answer) {
  if (host.reads.erase(answer.token) == 0)
    return judge_.fail("read_answered_twice node=" + to_text(host.id()));
  const MachineState& state = host.machine.state_;
  judge_.read_ends(answer.token, answer.applied, state.index);
  if (!answer.applied.ok()) return;
  if (healed_) answered_.insert(answer.token);
  clients_.granted(host.life(), {answer.token, answer.applied.value()});
  clients_.answer_reads(host.life(), state.index, [&](std::uint8_t key) {
    const auto at = state.values.find(key);
    return at == state.values.end() ? 0 : at->second;
  });
}

}  // namespace troupe
