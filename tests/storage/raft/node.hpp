#pragma once
// One Raft node in memory: the core, its log cache, and a disk that loses what was not synced.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "storage/raft/core.hpp"
#include "tests/storage/raft/state.hpp"

namespace troupe::raft::test {

/// A log in memory that starts after `edge`.
class MemoryLog final : public LogView {
 public:
  Index first() const override { return edge_.next(); }
  Index last() const override { return Index{edge_.value + entries_.size()}; }
  Term term(Index index) const override { return index == edge_ ? edge_term_ : at(index).term; }
  std::vector<Entry> slice(Index low, Index high, std::size_t max_bytes) const override;

  const Entry& at(Index index) const;
  bool holds(Index index, Term term) const;
  void append(Entry entry);
  void truncate(Index from);
  void compact(Index to);
  /// As the log store does: entries up to the edge go, all of them where (index, term) is not in the log.
  void compact(Index to, Term term_there);

 private:
  Index edge_;
  Term edge_term_;
  std::vector<Entry> entries_;
};

/// What survives a crash.
struct Disk {
  HardState hard;
  MemoryLog log;
  State state;  ///< as last flushed
};

/// Drives a core as core.hpp demands. Owned by a Cluster, which moves the messages.
class Node {
 public:
  Node(NodeId id, Config config, Membership membership, std::uint64_t seed);
  void crash();
  void restart(std::uint64_t seed);
  bool up() const { return core_ != nullptr; }

  /// Takes every Ready; what may be sent goes to outbox. Calls on_ready before the effects are carried out.
  template <class OnReady>
  void flush(OnReady on_ready) {
    while (core_->has_ready()) take(core_->ready(), on_ready);
  }
  /// The oldest write becomes durable, and the core learns of it. False if there is none.
  bool sync_one();
  void flush_state() { disk.state = state; }
  /// Drops the log's beginning, never above the flushed state.
  void compact_to(Index index);
  Snapshot take_snapshot() const;
  /// Every Ready must have been taken. What is on the way to the disk gets there before, but the core may
  /// hear of it later. False: it was not wanted.
  bool install(const Snapshot& snapshot);
  /// The disk is lost; it comes back as a node of no membership.
  void wipe(std::uint64_t seed);
  /// As a crash leaves it: some writes reached the disk, and of the next one maybe its beginning; nobody was
  /// told.
  void reach_disk_untold(std::size_t writes, std::size_t torn_entries);

  NodeId id;
  Config config;
  Membership membership;
  Disk disk;
  MemoryLog log;
  State state;
  std::deque<Ready> writes;
  std::size_t written = 0;  ///< of writes, the first so many are on disk and the core was not told
  std::uint64_t life = 0;
  std::vector<Message> outbox;
  std::vector<Entry> applied;  ///< since the restart
  std::map<ReadToken, Index> granted;
  std::vector<ReadToken> lost;
  std::vector<SnapshotNeed> snapshots;
  std::vector<RoleChange> roles;
  bool hold_apply = false;
  Core& core() { return *core_; }
  const Core& core() const { return *core_; }

 private:
  template <class OnReady>
  void take(Ready ready, OnReady on_ready) {
    carry_to_log(ready);
    on_ready(ready);
    carry_out(std::move(ready));
  }
  void carry_to_log(const Ready& ready);
  void carry_out(Ready ready);
  std::unique_ptr<Core> core_;
};

}  // namespace troupe::raft::test
