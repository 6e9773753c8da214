#include "tests/storage/raft/node.hpp"

#include "storage/base/check.hpp"

namespace troupe::raft::test {

const Entry& MemoryLog::at(Index index) const {
  TROUPE_CHECK(index > edge_ && index <= last());
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
  TROUPE_CHECK(entry.index == last().next());
  entries_.push_back(std::move(entry));
}

void MemoryLog::truncate(Index from) {
  TROUPE_CHECK(from > edge_ && from <= last().next());
  entries_.resize(from.value - edge_.value - 1);
}

void MemoryLog::compact(Index to) {
  const Term term_there = term(to);
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(to.value - edge_.value));
  edge_ = to;
  edge_term_ = term_there;
}

Node::Node(NodeId self, Config tunables, Membership members, std::uint64_t seed)
    : id(self), config(tunables), membership(std::move(members)) {
  restart(seed);
}

void Node::crash() {
  core_.reset();
  writes.clear();
  outbox.clear();
}

void Node::restart(std::uint64_t seed) {
  log = disk.log;
  applied.clear();
  roles.clear();
  core_ = std::make_unique<Core>(id, config, Restored{disk.hard, membership, {}, disk.applied}, log, seed);
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
  put_on_disk(disk, ready, ready.append.size());
  for (Message& message : ready.send_after) outbox.push_back(std::move(message));
  core_->persisted(ready.number);
  return true;
}

void Node::reach_disk_untold(std::size_t count, std::size_t torn_entries) {
  for (; count > 0 && !writes.empty(); --count) {
    put_on_disk(disk, writes.front(), writes.front().append.size());
    writes.pop_front();
  }
  if (!writes.empty()) put_on_disk(disk, writes.front(), torn_entries);
  writes.clear();
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
  for (const Entry& entry : ready.committed) applied.push_back(entry);
  if (!ready.committed.empty() && !hold_apply) core_->applied(ready.committed.back().index);
  if (ready.writes() || !ready.send_after.empty()) writes.push_back(std::move(ready));
}

}  // namespace troupe::raft::test
