#pragma once
// Snapshots on their way: to nodes that lag, and to this one.

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"
#include "storage/snapshot/send_core.hpp"
#include "storage/snapshot/snapshot_receiver.hpp"

namespace troupe {

/// Part of the keeper's actor, whose thread may block on files. Speaks over Channel::bulk, which only a
/// sender dials, and only while it sends. Survives nothing: an interrupted transfer goes on where the
/// receiver's files end. Needs the context's folder and shelf.
class Courier {
 public:
  static constexpr std::size_t sendings_max = 4;  ///< beyond: the receiver waits for its turn
  static constexpr milliseconds tick_every{10};   ///< as the sending core counts

  Courier(caf::event_based_actor* self, ContextPtr context);

  void meet(const caf::actor& replica) { replica_ = replica; }
  void send(const SendSnapshot& wanted);
  void drop_all();  ///< this node leads no more
  void hear(const LinkReceived& received);
  void move_link(const net::LinkKey& link, bool up);
  void forget_arrived();
  void tick();

 private:
  struct Sending {
    SnapshotPtr snapshot;
    SnapshotSendCore core;
  };
  Result<SnapshotPtr> take(const SendSnapshot& wanted);
  void perform(NodeId peer, SnapshotSendCore::Effects effects);
  void end(NodeId peer, const std::optional<Error>& failure);
  void receive(NodeId from, const SnapshotMessage& message);
  void tick_soon();
  void say(NodeId to, const SnapshotMessage& message);

  caf::event_based_actor* self_;
  ContextPtr context_;
  caf::actor replica_;
  std::map<NodeId, Sending> sendings_;
  std::optional<SnapshotReceiver> receiver_;
  Term offered_in_;  ///< the newest offering leader's term
  std::uint64_t transfers_ = 0;
  bool ticking_ = false;
};

}  // namespace troupe
