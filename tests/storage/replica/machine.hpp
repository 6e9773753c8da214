#pragma once
// One node's driver over a log and a small state on a simulated disk; the disk syncs when the test says so.

#include <gtest/gtest.h>

#include <functional>

#include "storage/kv/memory_store.hpp"
#include "storage/replica/replica_driver.hpp"
#include "tests/storage/replica/machine_state.hpp"
#include "tests/storage/replica/staged_writer.hpp"

namespace troupe {

struct MachineOptions {
  std::size_t queue_bytes_max = 1 << 20;
  LogRetention retention{};
  bool flushes = true;  ///< the state, when the driver wants it
  std::size_t cache_bytes_max = LogCache::default_bytes_max;
  raft::Config raft{};
  milliseconds lease{1'000};
  milliseconds stall{250};
  milliseconds clock_leap{5'000};
  std::uint64_t seed = 0;         ///< another one gives other lives
  std::uint32_t level_known = 0;  ///< feature level of its build
  DiskId disk = 0;                ///< drawn for a new log; 0: this node knows nothing of disks
};

/// Collects what its driver wants done; the test decides when the disk syncs and what is delivered.
class Machine {
 public:
  explicit Machine(std::uint32_t self, const std::vector<std::uint32_t>& voters, MachineOptions options = {});
  Machine(NodeId self, raft::Membership initial, MachineOptions options);

  /// False, with the reason in `unusable_`: log and state do not fit together, or the disk failed.
  bool start();
  /// Unflushed batches are lost: all of them, or with `random` any number of the last. Of the group that the
  /// log writer has in hand any part may have reached the disk.
  void crash(Random* random = nullptr);
  bool crash_and_restart() {
    crash();
    return start();
  }
  bool is_up() const { return driver_ != nullptr; }
  /// Its driver is over, in good order; the stores stay open.
  void give_way();

  /// As if from that peer, with its numbers.
  void hear(const raft::Message& message) { hear(ReplicaMessage{message, now_.wall, 0, 0}); }
  void hear(const ReplicaMessage& message) { driver_->receive(message, now_); }
  /// The same, and the peer has heard this node's newest message.
  void hear_confirming(const raft::Message& message) { hear({message, now_.wall, 0, last_sent_}); }
  /// Takes the effects once; what is to be applied is applied.
  ReplicaEffects take();
  bool sync() { return writer_->pump(); }
  /// Syncs and takes until nothing is left to do; all messages.
  std::vector<ReplicaMessage> settle();
  void tick(std::uint32_t times = 1);
  /// Until it leads; for a node alone.
  void elect();
  Result<Index> propose(const std::string& text) {
    return driver_->propose(std::vector<Blob>{Blob(text)}, now_);
  }
  void apply(const std::vector<raft::Entry>& entries);
  /// Gives it another node's state, as a snapshot would; false: not now.
  bool install(const raft::SnapshotMeta& meta, const MachineState& state);
  /// The part of that which touches the state's disk: durable when true.
  bool exchange_state(const raft::SnapshotMeta& meta, const MachineState& state);

  std::string stored() const;  ///< the log on disk as "index:term index:term"
  std::string applied() const;
  Index flushed() const;
  /// Its disk has this entry, or begins behind it; also when it is down.
  bool holds(Index index, Term term) const;

  const NodeId self_;
  MachineOptions options_;
  raft::Membership initial_;
  mutable SimDisk disk_;
  std::unique_ptr<KvStore> kv_, state_kv_;
  std::unique_ptr<LogStore> log_;
  std::unique_ptr<DiskBook> disks_;
  std::unique_ptr<StagedLogWriter> writer_;
  std::unique_ptr<ReplicaDriver> driver_;
  MachineState state_;
  std::string unusable_;
  ErrorCode unusable_code_ = ErrorCode::internal;
  std::function<void(const MachineState&)> on_apply_;
  Now now_{Moment{1'000'000'000}, Instant{1'700'000'000'000}};
  std::vector<raft::Entry> applied_;
  std::vector<ReadAnswer> reads_;
  std::vector<std::string> stops_;
  std::vector<raft::SnapshotNeed> needs_;
  std::vector<milliseconds> stalls_;
  std::uint64_t last_sent_ = 0;
  bool leased_ = false;
  std::uint64_t freed_ = 0;
  std::uint64_t lives_ = 0;

 private:
  Result<void> open();
  Result<void> open_log();
  Result<void> load_state();
  void make_driver(const raft::Restored& restored);

  raft::SnapshotMeta installed_;  ///< the newest snapshot that was
  mutable std::unique_ptr<KvStore> looked_at_kv_;
  mutable std::unique_ptr<LogStore> looked_at_;  ///< the log of a machine that is down
};

}  // namespace troupe
