// What the driver looks after besides the core's work: its clock, its lease, the log's length, snapshots.

#include <algorithm>

#include "storage/replica/mutant.hpp"
#include "storage/replica/replica_driver.hpp"

namespace troupe {
namespace {

constexpr std::uint32_t lease_every_ticks = 5;   // How often the lease is looked at.
constexpr milliseconds strange_time_max{3'000};  // Longer than a leader with a wild clock leads.
constexpr milliseconds worst_window{5'000};      // The worst of one to two of these is told.
constexpr std::uint32_t care_every_ticks = 100;  // How often it is asked what of the state is flushed.

}  // namespace

ReplicaDriver::Tick ReplicaDriver::tick(Now now) {
  if (stopped_) return Tick::counted;
  if (notice_stall(now)) return Tick::again;
  reads_.expire(now.steady);
  look_at_disks();
  if (stopped_) return Tick::counted;
  const bool abstains = role() != raft::Role::leader && (is_mute() || clock_has_leapt(now));
  if (!abstains) core_.tick();  // Such a node does not stand for election.
  note_term(now);
  ++ticks_;
  greet_while_unknown();
  guard_clock(now);
  if (ticks_ % lease_every_ticks == 0) look_at_lease(now);
  if (ticks_ % care_every_ticks == 0)
    effects_.care = std::max(effects_.care, keeper_.care(cache_, applied_, now.steady));
  return Tick::counted;
}

// Whoever spoke while this process stood still is heard before the time counts: see Tick::again. However
// long it was, at most the one tick that follows counts, so a stall makes no peer look dead.
bool ReplicaDriver::notice_stall(Now now) {
  const auto before = std::exchange(ticked_, now.steady);
  if (mutated(replica::Mutant::stall_counts) && before)
    for (Moment at = *before + 2 * replica_tick; at <= now.steady; at = at + replica_tick) core_.tick();
  if (!before || now.steady - *before <= config_.stall) return false;
  ++counters_.stalls;
  effects_.stalled = std::chrono::duration_cast<milliseconds>(now.steady - *before);
  clocks_.remember(config_.self, now, core_.membership().voters);
  clocks_.forget();
  look_at_lease(now);
  return true;
}

bool ReplicaDriver::clock_has_leapt(Now now) const {
  if (mutated(replica::Mutant::stamp_any_time)) return false;
  return clocks_.has_leapt(config_.self, now, core_.membership().voters);
}

std::optional<milliseconds> ReplicaDriver::cell_time(Now now) {
  if (role() == raft::Role::leader) {
    const auto& voters = core_.membership().voters;
    cell_time_ = clock_has_leapt(now) ? clocks_.middle(config_.self, now, voters)
                                      : ClockGuard::offset(now.wall, now.steady);
  } else if (const auto leaders = clocks_.offset_of(leader(), now.steady)) {
    follow_time(*leaders, now);
  }
  return cell_time_;
}

// A leader whose clock leaps is soon none any more: its time is believed when it goes on leading, in one
// term: the same one may lead again and again. Who has just started has no time to compare with, so what most
// clocks say is taken for it, the leader's among them, which may be a voter that its log does not know yet;
// who joins knows no voters, and no clock but its own and the leader's.
void ReplicaDriver::follow_time(milliseconds leaders, Now now) {
  std::vector<NodeId> voters = core_.membership().voters;
  const bool knows_voters = std::ranges::find(voters, config_.self) != voters.end();
  if (std::ranges::find(voters, leader()) == voters.end()) voters.push_back(leader());
  if (!cell_time_) cell_time_ = knows_voters ? clocks_.middle(config_.self, now, voters) : leaders;
  const bool near = !clocks_.is_far(leaders, *cell_time_);
  if (!near && (!strange_ || strange_->term != core_.term()))
    strange_ = StrangeTime{core_.term(), now.steady};
  if (!near && now.steady - strange_->since < strange_time_max) return;
  strange_.reset();
  cell_time_ = leaders;
}

void ReplicaDriver::guard_clock(Now now) {
  clocks_.remember(config_.self, now, core_.membership().voters);
  const bool leapt = role() == raft::Role::leader && clock_has_leapt(now);
  if (leapt && !leapt_) {
    ++counters_.leaps_refused;
    effects_.clock_leapt = true;
    leapt_ticks_ = 0;
  }
  leapt_ = leapt;
  if (leapt) hand_over(now);
}

// To whoever has most of the log and a clock like most; if that does not come about, to anybody.
void ReplicaDriver::hand_over(Now now) {
  if (++leapt_ticks_ > 2 * config_.raft.election_ticks) return core_.resign();
  const auto& voters = core_.membership().voters;
  raft::PeerStatus best;
  for (const raft::PeerStatus& peer : core_.status().peers) {
    if (peer.learner || peer.match <= best.match) continue;
    if (!clocks_.differs(peer.id, config_.self, now, voters)) best = peer;
  }
  if (best.id != NodeId{}) (void)core_.transfer(best.id);  // Refused while the one before is under way.
}

void ReplicaDriver::look_at_lease(Now now) {
  if (role() == raft::Role::leader)
    if (const auto at = confirmed_by_quorum(now)) confirmed_ = std::max(confirmed_.value_or(*at), *at);
  set_lease(confirmed_ && now.steady - *confirmed_ < config_.lease);
}

// The moment that the least lately confirmed member of the best quorum stands for.
std::optional<Moment> ReplicaDriver::confirmed_by_quorum(Now now) const {
  const auto& voters = core_.membership().voters;
  std::vector<Moment> confirmed;
  for (const NodeId voter : voters) {
    const auto at = voter == config_.self ? now.steady : confirmations_.confirmed(voter);
    if (at) confirmed.push_back(*at);
  }
  const std::size_t quorum = voters.size() / 2 + 1;
  if (confirmed.size() < quorum) return std::nullopt;
  std::sort(confirmed.begin(), confirmed.end(), std::greater<>());
  return confirmed[quorum - 1];
}

void ReplicaDriver::set_lease(bool held) {
  if (held != leased_) effects_.lease = leased_ = held;
}

void ReplicaDriver::cut_log() {
  const auto edge = keeper_.edge(cache_, applied_);
  if (!edge) return;
  LogWrite write;
  write.compact = LogEdge{*edge, cache_.term(*edge)};
  write.membership = keeper_.cut(*edge);
  write.ticket = last_writing_;  // Behind that one in the queue; nobody waits for this one.
  cache_.compact(*write.compact);
  unsubmitted_.push_back(std::move(write));
  freeing_ = *edge;
  ++counters_.cuts;
}

// The oldest of what one answer covers has waited longest.
void ReplicaDriver::measure_sync(Now now) {
  if (submitted_.empty() || submitted_.front().first > written_) return;
  const auto took = now.steady - submitted_.front().second;
  while (!submitted_.empty() && submitted_.front().first <= written_) submitted_.pop_front();
  ++counters_.syncs;
  counters_.sync_time += took;
  if (now.steady - worst_since_ >= worst_window) {
    counters_.sync_worst = worst_now_;
    worst_now_ = {};
    worst_since_ = now.steady;
  }
  worst_now_ = std::max(worst_now_, took);
  counters_.sync_worst = std::max(counters_.sync_worst, worst_now_);
}

void ReplicaDriver::tell_membership() {
  if (core_.membership() == told_) return;
  told_ = core_.membership();
  effects_.membership = told_;
  const auto left = [&](const auto& of) { return !told_.contains(of.first); };
  std::erase_if(levels_, left);
  std::erase_if(of_other_terms_, left);
}

std::map<NodeId, std::uint32_t> ReplicaDriver::levels() const {
  std::map<NodeId, std::uint32_t> levels = levels_;
  levels[config_.self] = config_.level_known;
  std::erase_if(levels, [&](const auto& of) { return !core_.membership().contains(of.first); });
  return levels;
}

void ReplicaDriver::snapshot_started(NodeId receiver, Index index) {
  if (!stopped_) keeper_.pin(receiver, index);
}

void ReplicaDriver::snapshot_sent(NodeId receiver, Index index) {
  if (stopped_) return;
  keeper_.unpin(receiver);
  core_.snapshot_sent(receiver, index);
}

ReplicaDriver::Arrival ReplicaDriver::snapshot_arrived(const raft::SnapshotMeta& meta) {
  if (stopped_) return Arrival::waits;  // It may be the one that is being installed.
  if (!core_.wants_snapshot(meta) && !mutated(replica::Mutant::install_stale)) return Arrival::unwanted;
  // In an earlier term a leader may live who does not know that this is committed, and after a crash only
  // the term on disk counts. We shall hear of the later one.
  const Term known =
      mutated(replica::Mutant::install_in_unsynced_term) ? core_.term() : log_.head().hard.term;
  if (known < meta.known_in && !mutated(replica::Mutant::install_in_any_term)) return Arrival::waits;
  end();
  effects_.install = true;
  return Arrival::installs;
}

}  // namespace troupe
