#include "tests/storage/raft/node.hpp"

#include <algorithm>

#include "storage/raft/mutant.hpp"

namespace troupe::raft::test {

const Entry& MemoryLog::at(Index index) const {
  TROUPE_RAFT_CHECK(index > edge_ && index <= last());
  return entries_[index.value - edge_.value - 1];
}

bool MemoryLog::holds(Index index, Term wanted) const {
  return index <= edge_ || (index <= last() && term(index) == wanted);
}

std::vector<Entry> MemoryLog::slice(Index low, Index high, std::size_t max_bytes) const {
  std::vector<Entry> out;
  std::size_t bytes = 0;
  for (Index at_index = low; at_index < high; at_index = at_index.next()) {
    const Entry& entry = at(at_index);
    bytes += entry.bytes();
    if (!out.empty() && bytes > max_bytes) break;
    out.push_back(entry);
  }
  return out;
}

void MemoryLog::append(Entry entry) {
  TROUPE_RAFT_CHECK(entry.index == last().next());
  entries_.push_back(std::move(entry));
}

void MemoryLog::truncate(Index from) {
  TROUPE_RAFT_CHECK(from > edge_ && from <= last().next());
  entries_.resize(from.value - edge_.value - 1);
}

void MemoryLog::compact(Index to) {
  const Term term_there = term(to);
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(to.value - edge_.value));
  edge_ = to;
  edge_term_ = term_there;
}

void MemoryLog::compact(Index to, Term term_there) {
  if (to <= edge_) return;
  if (to <= last() && term(to) == term_there) return compact(to);
  entries_.clear();
  edge_ = to;
  edge_term_ = term_there;
}

Node::Node(NodeId self, Config tunables, Membership members, std::uint64_t seed)
    : id(self), config(tunables), membership(std::move(members)) {
  disk.state.membership = membership;
  restart(seed);
}

void Node::crash() {
  core_.reset();
  writes.clear();
  written = 0;
  outbox.clear();
}

void Node::wipe(std::uint64_t seed) {
  crash();
  disk = {};
  membership = {};
  restart(seed);
}

void Node::restart(std::uint64_t seed) {
  ++life;
  log = disk.log;
  state = disk.state;
  applied.clear();
  roles.clear();
  core_ = std::make_unique<Core>(
      id, config, Restored{disk.hard, disk.state.membership, {}, disk.state.applied}, log, seed);
}

namespace {
void put_on_disk(Disk& disk, const Ready& ready, std::size_t entries) {
  if (ready.hard) disk.hard = *ready.hard;
  if (ready.truncate_from && *ready.truncate_from <= disk.log.last()) disk.log.truncate(*ready.truncate_from);
  for (const Entry& entry : ready.append) {
    if (entries-- == 0) return;
    disk.log.append(entry);
  }
}
}  // namespace

bool Node::sync_one() {
  if (writes.empty()) return false;
  Ready ready = std::move(writes.front());
  writes.pop_front();
  if (written > 0)
    --written;
  else
    put_on_disk(disk, ready, ready.append.size());
  for (Message& message : ready.send_after) outbox.push_back(std::move(message));
  core_->persisted(ready.number);
  return true;
}

void Node::reach_disk_untold(std::size_t count, std::size_t torn_entries) {
  writes.erase(writes.begin(), writes.begin() + static_cast<std::ptrdiff_t>(std::exchange(written, 0)));
  for (; count > 0 && !writes.empty(); --count) {
    put_on_disk(disk, writes.front(), writes.front().append.size());
    writes.pop_front();
  }
  if (!writes.empty()) put_on_disk(disk, writes.front(), torn_entries);
  writes.clear();
}

void Node::compact_to(Index index) {
  index = std::min({index, disk.state.applied, disk.log.last()});
  if (index < disk.log.first() || log.term(index) != disk.log.term(index)) return;
  log.compact(index);
  disk.log.compact(index);
}

Snapshot Node::take_snapshot() const {
  Snapshot snapshot{{disk.state.applied, disk.state.term, disk.state.membership, core().term()}, disk.state};
  if (mutated(Mutant::sessions_lost_in_snapshot)) snapshot.state.sessions.clear();
  return snapshot;
}

bool Node::install(const Snapshot& snapshot) {
  const SnapshotMeta& meta = snapshot.meta;
  if (!core().wants_snapshot(meta)) return false;
  for (; written < writes.size(); ++written) {
    put_on_disk(disk, writes[written], writes[written].append.size());
  }
  disk.state = state = snapshot.state;
  if (meta.known_in > disk.hard.term) disk.hard = {meta.known_in, {}};
  disk.log.compact(meta.index, meta.term);
  log.compact(meta.index, meta.term);
  core().snapshot_installed(meta);
  return true;
}

void Node::carry_to_log(const Ready& ready) {
  if (ready.truncate_from) log.truncate(*ready.truncate_from);
  for (const Entry& entry : ready.append) log.append(entry);
}

void Node::carry_out(Ready ready) {
  for (Message& message : ready.send_now) outbox.push_back(std::move(message));
  for (const ReadGrant& grant : ready.reads) granted[grant.token] = grant.index;
  lost.insert(lost.end(), ready.reads_lost.begin(), ready.reads_lost.end());
  snapshots.insert(snapshots.end(), ready.snapshots.begin(), ready.snapshots.end());
  if (ready.role) roles.push_back(*ready.role);
  for (const Entry& entry : ready.committed) {
    applied.push_back(entry);
    state.apply(entry);
  }
  if (!ready.committed.empty() && !hold_apply) core_->applied(ready.committed.back().index);
  if (ready.writes() || !ready.send_after.empty()) writes.push_back(std::move(ready));
}

}  // namespace troupe::raft::test
