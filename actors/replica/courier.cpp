#include "actors/replica/courier.hpp"

#include <deque>

#include "actors/runtime/logging.hpp"
#include "storage/base/msgpack.hpp"
#include "storage/base/random.hpp"
#include "storage/replica/replica_settings.hpp"

namespace troupe {

Courier::Courier(caf::event_based_actor* self, ContextPtr context)
    : self_(self), context_(std::move(context)), transfers_(Random(context_->seed).next()) {
  if (context_->folder != nullptr) receiver_.emplace(*context_->folder, context_->cell);
}

void Courier::send(const SendSnapshot& wanted) {
  const auto refuse = [&](const std::string& why) {
    logging::warn("snapshot_not_sent node={} to={} why=\"{}\"", context_->self.value, wanted.peer.value, why);
    self_->send(replica_, SnapshotSent{wanted.peer, Index{}});
  };
  if (context_->shelf == nullptr) return refuse("this node makes no snapshots");
  if (sendings_.contains(wanted.peer)) sendings_.erase(wanted.peer);
  if (sendings_.size() >= sendings_max) return refuse("too many are under way");
  auto snapshot = take(wanted);
  if (!snapshot.ok()) return refuse(snapshot.error().message);
  const SnapshotManifest& manifest = snapshot.value()->manifest();
  logging::info("snapshot_begins node={} to={} index={} bytes={}", context_->self.value, wanted.peer.value,
                manifest.index.value, manifest.bytes());
  self_->send(replica_, SnapshotTaken{wanted.peer, manifest.index});
  const auto per_second = static_cast<std::size_t>(context_->settings.get(snapshot_mb_per_s)) << 20;
  SnapshotSendCore core(
      manifest, ++transfers_, wanted.term,
      {.bytes_per_tick = per_second * static_cast<std::size_t>(tick_every.count()) / 1'000});
  auto effects = core.start();
  sendings_.emplace(wanted.peer, Sending{std::move(snapshot).value(), std::move(core)});
  context_->hub->dial({peer_name(wanted.peer), net::Channel::bulk}, wanted.address);
  perform(wanted.peer, std::move(effects));
  tick_soon();
}

Result<SnapshotPtr> Courier::take(const SendSnapshot& wanted) {
  if (auto held = context_->shelf->newest(wanted.first_missing)) return held;
  return context_->shelf->take(*context_->state_store, context_->initial);
}

void Courier::drop_all() {
  while (!sendings_.empty())
    end(sendings_.begin()->first, Error{ErrorCode::not_leader, "this node leads no more"});
}

void Courier::hear(const LinkReceived& received) {
  const NodeId from = node_of_peer(received.link.peer);
  auto message = unpacked<SnapshotMessage>(received.bytes);
  if (from.value == 0 || !message.ok()) {
    logging::warn("bad_snapshot_message node={} peer={}", context_->self.value, received.link.peer);
    return;
  }
  if (const auto found = sendings_.find(from);
      found != sendings_.end() && !std::holds_alternative<SnapshotOffer>(message.value()))
    return perform(from, found->second.core.on(message.value()));
  receive(from, message.value());
}

void Courier::receive(NodeId from, const SnapshotMessage& message) {
  if (!receiver_) return;
  if (const auto* offer = std::get_if<SnapshotOffer>(&message))
    offered_in_ = std::max(offered_in_, offer->leader_term);
  const bool was_complete = receiver_->complete() != nullptr;
  for (const SnapshotMessage& reply : receiver_->on(message, Index{context_->status.applied.load()}))
    say(from, reply);
  const SnapshotManifest* manifest = receiver_->complete();
  if (manifest == nullptr) return;
  if (!was_complete) ++context_->status.snapshots_arrived;
  // Said again with each repeated offer: the replica may not have been ready to give way.
  self_->send(replica_,
              SnapshotArrived{{manifest->index, manifest->term, manifest->membership, offered_in_}});
}

void Courier::forget_arrived() {
  if (!receiver_ || receiver_->complete() == nullptr) return;
  (void)context_->folder->drop_incoming();  // If that fails, it is dropped when the next one begins.
  receiver_.emplace(*context_->folder, context_->cell);
}

void Courier::move_link(const net::LinkKey& link, bool up) {
  const NodeId peer = node_of_peer(link.peer);
  const auto found = sendings_.find(peer);
  if (found == sendings_.end()) return;
  perform(peer, up ? found->second.core.link_up() : found->second.core.link_down());
}

void Courier::tick() {
  ticking_ = false;
  std::vector<NodeId> peers;
  for (const auto& [peer, sending] : sendings_) peers.push_back(peer);
  for (const NodeId peer : peers)
    if (const auto found = sendings_.find(peer); found != sendings_.end())
      perform(peer, found->second.core.tick());
  tick_soon();
}

void Courier::tick_soon() {
  if (sendings_.empty() || std::exchange(ticking_, true)) return;
  self_->delayed_send(self_, tick_every, TickKeeper{});
}

void Courier::perform(NodeId peer, SnapshotSendCore::Effects effects) {
  std::deque<SnapshotSendCore::Effect> work(std::make_move_iterator(effects.begin()),
                                            std::make_move_iterator(effects.end()));
  while (!work.empty()) {
    const auto found = sendings_.find(peer);
    if (found == sendings_.end()) return;
    const SnapshotSendCore::Effect effect = std::move(work.front());
    work.pop_front();
    if (const auto* send = std::get_if<SnapshotSendCore::Send>(&effect)) say(peer, send->message);
    if (const auto* ended = std::get_if<SnapshotSendCore::Ended>(&effect)) return end(peer, ended->failure);
    if (const auto* read = std::get_if<SnapshotSendCore::ReadRange>(&effect)) {
      auto bytes = found->second.snapshot->read(read->file, read->offset, read->size);
      for (auto& more : found->second.core.on_read(*read, std::move(bytes))) work.push_back(std::move(more));
    }
  }
}

void Courier::end(NodeId peer, const std::optional<Error>& failure) {
  const auto found = sendings_.find(peer);
  const Index index = found->second.core.manifest().index;
  sendings_.erase(found);
  context_->hub->hang_up({peer_name(peer), net::Channel::bulk});
  if (failure) {
    logging::warn("snapshot_failed node={} to={} index={} why=\"{}\"", context_->self.value, peer.value,
                  index.value, failure->message);
  } else {
    ++context_->status.snapshots_sent;
    logging::info("snapshot_sent node={} to={} index={}", context_->self.value, peer.value, index.value);
  }
  self_->send(replica_, SnapshotSent{peer, failure ? Index{} : index});
}

void Courier::say(NodeId to, const SnapshotMessage& message) {
  context_->hub->send({peer_name(to), net::Channel::bulk}, packed(message));
}

}  // namespace troupe
