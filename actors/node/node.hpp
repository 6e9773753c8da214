#pragma once
// One control-plane node: replica, state and all its actors, over the four seams. The same in production and
// simulation.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "actors/node/node_context.hpp"
#include "actors/runtime/actor_host.hpp"
#include "net/http/http.hpp"
#include "storage/raft/ready.hpp"

namespace troupe {

struct NodeConfig {
  NodeId self;
  std::string cell = "troupe";
  std::map<NodeId, NodeAddress> nodes;  ///< the static list, this node included: the first voters
  /// Nobody votes until another cell adds this node; `nodes` then says only where to find them.
  bool joins = false;
  Settings settings;
  CellPolicy policy;
  std::uint64_t seed = 0;        ///< of this life
  std::uint64_t life = 0;        ///< differs between restarts
  std::size_t threads = 2;       ///< CAF workers; 0: simulated, stepped by the caller
  std::uint64_t turns_seed = 0;  ///< of simulated actors, see ActorHost
  FaultPoint fault_point;
  std::shared_ptr<const api::Identities> identities;  ///< null: callers name themselves
  std::shared_ptr<ImageResolver> images;              ///< null: tags are stored as they are
};

/// What a node is built on; all outlive it.
struct NodeSeams {
  const Clock* clock = nullptr;
  KvStore* log = nullptr;  ///< opened with LogStore::tables()
  /// Opened with keys::table_names(); of the folder's current state, if there is one.
  KvStore* state = nullptr;
  StateOptions state_options{};
  NodeFolder* folder = nullptr;  ///< with `look`: the node sends and takes snapshots
  SnapshotShelf::Look look{};
  /// Apply found what only a peer can repair: to be remembered before the node fails. May be empty.
  std::function<void(const std::string& why)> note_fault{};
  /// Signs a head of the audit; one thread at a time. May be empty.
  std::function<void(const AuditHead& head, Instant now)> sign_audit{};
  std::function<Result<std::unique_ptr<net::LinkHub>>(net::LinkListener&)> open_hub;
  std::function<std::unique_ptr<LogWriter>(LogStore&, LogWriter::Done)> make_log_writer;
  /// The node cannot go on (disk, corruption): called once, from any thread. It acknowledges nothing any
  /// more; the caller should end it.
  std::function<void(const std::string& why)> on_failure;
  /// A snapshot has arrived and the node stands still for it: end it, close its stores, call
  /// folder->switch_to_incoming(), start it again. Called once, from any thread.
  std::function<void()> on_snapshot;
};

class Node {
 public:
  /// Loads the state, checks the log, spawns the actors, dials the others.
  /// Errors: io, corrupt (the log or state must be repaired from a peer; this node must not vote).
  static Result<std::unique_ptr<Node>> start(NodeConfig config, NodeSeams seams);
  /// Closes links, ends actors. What a crash would lose is lost: call flush() before, for a clean end.
  virtual ~Node() = default;

  /// From any thread: to the gateway.
  virtual void handle(http::Request request, http::ReplyPtr reply) = 0;
  /// From any thread: to the replica, which must lead; `done` is called once, on an actor's thread.
  using Done = std::function<void(Result<Index> done)>;
  virtual void change_members(raft::MemberChange change, Done done) = 0;
  virtual void transfer_leadership(NodeId target, Done done) = 0;
  virtual const NodeStatus& status() const = 0;
  virtual const Reads& reads() const = 0;
  virtual ActorHost& actors() = 0;
  virtual const std::string& peer_address() const = 0;  ///< where its hub accepts
  virtual Result<void> flush() = 0;                     ///< of the state, so that a restart replays little
};

/// All settings that a node declares, for the manual and the configuration file.
std::vector<const Setting*> node_settings();

}  // namespace troupe
