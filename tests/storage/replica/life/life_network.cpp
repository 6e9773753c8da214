// Messages, links and snapshots between machines.

#include <algorithm>

#include "tests/storage/replica/life/life.hpp"

namespace troupe {
namespace {

constexpr std::size_t on_the_way_max = 2'000;  // Beyond it messages are lost.
constexpr int offers_max = 15;
constexpr std::uint32_t late_percent = 30;
constexpr std::uint32_t power_percent = 5;  // The machine's power fails between two steps of an installation.

}  // namespace

void Life::send(const ReplicaMessage& message) {
  const raft::Message& about = message.message;
  judge_.speaks(about.from);
  if (!hosts_.contains(about.to) || on_the_way_ >= on_the_way_max || random_.chance(loss_percent_)) return;
  for (int copies = random_.chance(duplicate_percent_) ? 2 : 1; copies > 0; --copies) {
    std::int64_t due = truth_ns_ + random_.between(0, delay_us_max_) * 1'000;
    std::int64_t& newest = newest_due_[{about.from, about.to}];
    if (tunables_.in_order) due = newest = std::max(newest, due);
    ++on_the_way_;
    events_.emplace(due, [this, message] {
      --on_the_way_;
      if (!cuts_.contains({message.message.from, message.message.to}))
        arrive(host(message.message.to), message);
    });
  }
}

void Life::arrive(Host& host, const ReplicaMessage& message) {
  if (!host.up()) return;
  const auto hear = [this, message](Host& at) {
    at.driver().receive(message, now_of(at));
    flush_soon(at);
  };
  if (!host.stands_still) return guarded(host, hear);
  host.backlog.push_back([this, &host, hear] { guarded(host, hear); });
}

void Life::tell_link(Host& host, NodeId peer, bool up) {
  if (!host.up()) return;
  later_at(host, random_.between(0, delay_us_max_), [this, peer, up](Host& at) {
    if (up)
      at.driver().link_up(peer);
    else
      at.driver().link_down(peer);
    flush_soon(at);
  });
}

void Life::send_snapshot(Host& from, NodeId peer) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->meta = from.driver().snapshot_meta();
  snapshot->state = from.machine.state_;
  if (snapshot->meta.index != snapshot->state.index || from.driver().is_stopped()) return;
  from.driver().snapshot_started(peer, snapshot->meta.index);
  offer_snapshot(from, peer, std::move(snapshot), offers_max);
}

// Offered again and again, until the peer has come so far or the sender gives up.
void Life::offer_snapshot(Host& from, NodeId peer, SnapshotPtr snapshot, int tries) {
  const auto to = hosts_.find(peer);
  const bool passes = to != hosts_.end() && to->second->acts() && !cuts_.contains({from.id(), peer}) &&
                      !cuts_.contains({peer, from.id()}) && !random_.chance(loss_percent_);
  if (passes && to->second->driver().applied() >= snapshot->meta.index) tries = 0;
  if (tries == 0) {
    from.driver().snapshot_sent(peer, passes ? snapshot->meta.index : Index{});
    if (random_.chance(late_percent)) arrive_late(from, peer, snapshot);
    return flush_soon(from);
  }
  if (passes && tries < offers_max)
    guarded(*to->second, [&](Host& at) { hear_offer(at, *snapshot, from.driver().term()); });
  later_at(from, random_.between(5'000, 80'000),
           [this, peer, snapshot = std::move(snapshot), tries](Host& at) {
             offer_snapshot(at, peer, snapshot, tries - 1);
           });
}

// A copy that nobody waits for any more.
void Life::arrive_late(Host& from, NodeId peer, SnapshotPtr snapshot) {
  later(random_.between(0, 500'000), [this, peer, snapshot, term = from.driver().term()] {
    const auto to = hosts_.find(peer);
    if (to == hosts_.end() || !to->second->acts()) return;
    guarded(*to->second, [&](Host& at) { hear_offer(at, *snapshot, term); });
  });
}

void Life::hear_offer(Host& to, const Snapshot& snapshot, Term sender_term) {
  if (to.driver().is_stopped()) return;
  if (!to.arrived || to.arrived->meta.index < snapshot.meta.index) {
    const Term known = to.arrived ? to.arrived->meta.known_in : Term{};
    to.arrived = snapshot;
    to.arrived->meta.known_in = std::max(to.arrived->meta.known_in, known);
  }
  to.arrived->meta.known_in = std::max(to.arrived->meta.known_in, sender_term);
  if (to.driver().snapshot_arrived(to.arrived->meta) == ReplicaDriver::Arrival::unwanted) to.arrived.reset();
  flush_soon(to);
}

// What whoever runs the node does when its driver says so: see RunningNode. The state's disk says what it
// holds, so that a restart goes on from wherever the power failed.
void Life::install(Host& host) {
  const Snapshot snapshot = *std::exchange(host.arrived, std::nullopt);
  ++counts_.snapshots;
  if (snapshot.meta.index <= host.machine.state_.index)
    judge_.fail("state_goes_back node=" + to_text(host.id()));
  if (host.machine.log_->head().hard.term < snapshot.meta.known_in)
    judge_.fail("installs_in_an_earlier_term node=" + to_text(host.id()));
  host.machine.writer_->abandon(random_.below(host.machine.writer_->in_hand() + 1));
  if (random_.chance(power_percent)) return crash(host, &random_);
  const bool exchanged = host.machine.exchange_state(snapshot.meta, snapshot.state);
  if (exchanged) judge_.installs(host.id(), snapshot.state);
  if (!exchanged || random_.chance(power_percent)) return crash(host, &random_);
  crash(host, nullptr);
}

}  // namespace troupe
