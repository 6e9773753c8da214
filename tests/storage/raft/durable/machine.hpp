#pragma once
// One node with everything that is real below it: core, log cache, log store and state store on a simulated
// disk.

#include <deque>
#include <functional>
#include <memory>

#include "storage/kv/memory_store.hpp"
#include "storage/log/log_cache.hpp"
#include "storage/log/log_writer.hpp"
#include "storage/raft/core.hpp"
#include "tests/storage/raft/durable/judge.hpp"

namespace troupe::raft::test {

/// What a leader sends to a node that lags behind its log.
struct SnapshotSent {
  NodeId from, to;
  SnapshotMeta meta;
  Register state;
};

/// Follows the contract of core.hpp by hand. Its disk survives crash(); a failed write stops it as a crash
/// would.
class Machine {
 public:
  Machine(NodeId id, Config config, Membership membership, Judge& judge, std::size_t cache_bytes);

  /// False: the log failed its check, and the node stays down for ever. A write that fails on the way leaves
  /// it down, to be started again.
  bool start(std::uint64_t seed);
  void crash(Random& random);
  void crash_hard();
  bool up() const { return core_ != nullptr; }
  bool damaged() const { return damaged_; }
  SimDisk& disk() { return disk_; }
  Core& core() { return *core_; }
  const Register& state() const { return state_; }
  const LogView& log() const { return *cache_; }
  NodeId id() const { return id_; }

  void flush();        ///< takes every Ready
  bool sync_group();   ///< one group of writes; false when there was none
  void flush_state();  ///< makes the state durable; the log may then lose its beginning
  void compact(std::uint64_t keep);
  /// False: not wanted, or the machine broke on the way. `power` says whether it still stands between two
  /// steps.
  bool install(const SnapshotSent& snapshot, const std::function<bool()>& power);

  void propose(Write write);
  void read(std::uint64_t token);

  bool struck = false;  ///< its disk was damaged on purpose
  std::deque<Message> sent;
  std::deque<SnapshotSent> snapshots;
  std::vector<Write> answered;  ///< writes of its own that took effect
  std::vector<std::uint64_t> lost_reads;
  std::function<void(std::uint64_t token)> on_read;  ///< its state may answer it now

 private:
  struct Waiting {
    std::uint64_t number = 0;
    std::uint64_t needs = 0;  ///< the ticket that must be durable
    LogEdge last;             ///< newest entry written
    std::vector<Message> messages;
  };
  void take(Ready ready);
  void apply(const std::vector<Entry>& entries);
  void answer_reads();
  void durable(std::uint64_t ticket);
  void finish(Waiting& waiting);
  void stop();
  bool open_stores();
  bool mend_log();
  bool save_state();
  std::unique_ptr<KvStore> opened(const std::string& path, const std::vector<std::string>& tables);

  const NodeId id_;
  const Config config_;
  const Membership first_members_;
  Judge& judge_;
  const std::size_t cache_bytes_;
  SimDisk disk_;
  bool damaged_ = false;

  std::unique_ptr<KvStore> log_kv_, state_kv_;
  std::unique_ptr<LogStore> log_;
  std::unique_ptr<LogCache> cache_;
  std::unique_ptr<InlineLogWriter> writer_;
  std::unique_ptr<Core> core_;
  Register state_;
  Index flushed_;
  std::deque<Waiting> waiting_;
  std::uint64_t submitted_ = 0, done_ = 0;
  bool broken_ = false;
  std::map<std::pair<Index, Term>, Write> proposed_;
  std::vector<ReadGrant> grants_;
};

}  // namespace troupe::raft::test
