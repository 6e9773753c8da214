#pragma once
// What the actors of one node share: who they are, the four seams, and where things are written down.

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "actors/diagnosis/trace_book.hpp"
#include "actors/node/image_resolver.hpp"
#include "actors/node/node_book.hpp"
#include "actors/node/peer_board.hpp"
#include "actors/node/spare_board.hpp"
#include "net/api/identity.hpp"
#include "net/link/link.hpp"
#include "storage/base/settings.hpp"
#include "storage/base/time.hpp"
#include "storage/log/log_cache.hpp"
#include "storage/log/log_writer.hpp"
#include "storage/model/command.hpp"
#include "storage/snapshot/node_folder.hpp"
#include "storage/snapshot/snapshot_shelf.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe {

/// What a node says of itself; written by the replica but for what says otherwise, read by gateway and
/// console. Each member for itself is current, together they are not one cut.
struct NodeStatus {
  std::atomic<std::uint64_t> term{0};
  std::atomic<std::uint32_t> leader{0};
  std::atomic<std::uint64_t> commit{0};
  std::atomic<std::uint64_t> applied{0};
  std::atomic<std::uint64_t> last{0};
  std::atomic<std::uint64_t> first{0};  ///< of the log
  std::atomic<std::uint64_t> log_bytes{0};
  std::atomic<std::uint64_t> unapplied_bytes{0};
  std::atomic<std::uint64_t> writes_waiting{0};  ///< that the log writer would not take yet
  std::atomic<std::uint64_t> readys_waiting{0};  ///< for the disk
  std::atomic<std::uint64_t> mailbox{0};         ///< of the replica
  std::atomic<std::uint64_t> stalls{0};
  std::atomic<std::uint64_t> leaps_refused{0};
  std::atomic<std::uint64_t> log_cuts{0};
  std::atomic<std::uint64_t> log_syncs{0};          ///< answers of the log writer
  std::atomic<std::uint64_t> log_sync_us{0};        ///< from handing over to the answer, in all of them
  std::atomic<std::uint64_t> log_sync_us_worst{0};  ///< of the last ten seconds or so
  std::atomic<std::uint64_t> snapshots_sent{0};
  std::atomic<std::uint64_t> snapshots_arrived{0};
  std::atomic<bool> leased{false};
  std::atomic<std::uint8_t> role{0};
  std::atomic<std::uint64_t> proposals{0};
  std::atomic<std::uint64_t> proposals_pending{0};
  /// What this node's scheduler planned and the log took; and what it refused, by the code. Written by the
  /// scheduler.
  std::atomic<std::uint64_t> placements{0};
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(max_value(ErrorCode{})) + 1>
      placements_refused{};
  std::atomic<std::uint64_t> launches_paced{
      0};  ///< waiting tasks, while this node leads; written by its scheduler
  /// By channel; written by the hub's thread.
  std::array<std::atomic<std::int32_t>, static_cast<std::size_t>(max_value(net::Channel::agent)) + 1>
      links_up{};
};

/// For tests: ends an entity's actor right after it handled a message, or, asked for no entity and the
/// message "plan", lets the scheduler err. Called on CAF threads.
using FaultPoint = std::function<bool(const EntityRef& entity, std::string_view message)>;

/// Outlives all actors of its node. Members are fixed once the node runs.
struct NodeContext {
  NodeId self;
  std::uint64_t life = 0;  ///< differs between restarts
  std::uint64_t seed = 0;  ///< of this life's randomness
  std::string cell;        ///< proposed as the cell's name at bootstrap
  Settings settings;
  CellPolicy policy;  ///< proposed at bootstrap
  NodeBook book;
  PeerBoard peers;
  SpareBoard spared;
  raft::Membership initial;  ///< of the cell at its beginning; of a node that joins: nobody
  const Clock* clock = nullptr;
  net::LinkHub* hub = nullptr;
  StateMachine* machine = nullptr;
  LogStore* log = nullptr;
  const KvStore* log_kv = nullptr;  ///< for its counters; null where a test has none
  const KvStore* state_kv = nullptr;
  /// Makes the log writer once the replica can take its completions.
  std::function<std::unique_ptr<LogWriter>(LogWriter::Done)> make_log_writer;
  KvStore* state_store = nullptr;  ///< for flushes and checkpoints
  NodeFolder* folder = nullptr;    ///< null: this node sends and takes no snapshots
  SnapshotShelf* shelf = nullptr;  ///< likewise
  /// A snapshot has arrived: whoever runs the node ends it, installs what arrived and starts it again.
  std::function<void()> install_snapshot;
  /// The node cannot go on: says why, once, and stops acknowledging. Any thread.
  std::function<void(const std::string& why)> fail;
  std::function<void(const std::string& why)> note_fault;  ///< before fail(); may be empty
  /// Signs a head of the audit; called beside the gateway, by one thread at a time. May be empty.
  std::function<void(const AuditHead& head, Instant now)> sign_audit;
  FaultPoint fault_point;
  std::shared_ptr<const api::Identities> identities;  ///< null: callers name themselves
  std::shared_ptr<ImageResolver> images;              ///< null: tags are stored as they are
  NodeStatus status;
  TraceBook trace;
  TraceBook::Now trace_now() const { return {now(), clock->steady()}; }

  const Reads& reads() const { return machine->reads(); }
  /// The cell's time, which timers go by: the leader's clock, carried on by this machine's steady one. This
  /// machine's own wall clock counts only before any leader was heard.
  Instant now() const {
    const std::int64_t offset = cell_time_ms.load();
    if (offset == no_cell_time) return clock->wall();
    return Instant{clock->steady().ns / 1'000'000} + milliseconds(offset);
  }
  static constexpr std::int64_t no_cell_time = INT64_MIN;
  std::atomic<std::int64_t> cell_time_ms{no_cell_time};  ///< less steady time; written by the replica
};
using ContextPtr = std::shared_ptr<NodeContext>;

inline std::string peer_name(NodeId node) { return "node/" + to_text(node); }
/// 0 if it is not a node's.
NodeId node_of_peer(const net::PeerName& peer);

}  // namespace troupe
