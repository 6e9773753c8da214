// Whom the driver listens to, and whether its node may vote: disks, as the nodes' numbers stand for them.

#include <algorithm>

#include "storage/replica/replica_driver.hpp"

namespace troupe {
namespace {

constexpr std::uint32_t greet_every_ticks = 50;  // Who is not known yet, or a stranger: said no more often.

bool asks_for_power(raft::MessageType type) {
  using enum raft::MessageType;
  return type == vote || type == pre_vote || type == timeout_now;
}

std::string refusal_text(NodeId self) {
  const std::string number = to_text(self);
  return "the cell knows node " + number +
         " by another disk: a node that lost its disk may not come back under "
         "its number, since it forgot how it voted; remove it (troupe cell members remove " +
         number +
         "), and start this one on an empty folder with a number that was never used and 'join: true'";
}

}  // namespace

bool ReplicaDriver::is_mute() const {
  if (config_.disks == nullptr) return false;
  return !config_.disks->enrolled() || config_.disks->mute_through() != Term{};
}

void ReplicaDriver::greet(NodeId peer) {
  if (config_.disks == nullptr || peer == NodeId{} || peer == config_.self) return;
  raft::Message message;
  message.type = raft::MessageType::heartbeat_reply;
  message.from = config_.self;
  message.to = peer;
  greetings_.push_back(std::move(message));
}

// Not in answer to every word of a peer that does not hear what it is told.
void ReplicaDriver::greet_again(NodeId peer) {
  const auto [at, is_first] = greeted_.try_emplace(peer, ticks_);
  if (!is_first && ticks_ - at->second < greet_every_ticks) return;
  at->second = ticks_;
  greet(peer);
}

// What a peer's disk is must be durable here before anything that it promises counts.
bool ReplicaDriver::admits(const ReplicaMessage& message) {
  if (config_.disks == nullptr) return true;
  const NodeId from = message.message.from;
  auto heard = config_.disks->hear({from, message.disk, message.enrolled, message.to_disk});
  for (const PeerDisk& told : message.known) {
    if (!heard.ok() || heard.value() == DiskBook::Heard::refused) break;
    if (const auto of = config_.disks->hear_of(told); !of.ok() || of.value() == DiskBook::Heard::refused)
      heard = of;
  }
  if (!heard.ok()) {
    stop("the log cannot be written: " + heard.error().message);
    return false;
  }
  using enum DiskBook::Heard;
  if (heard.value() == refused) {
    stop(refusal_text(config_.self));
    return false;
  }
  if (heard.value() == stranger) {
    ++counters_.strangers;
    greet_again(from);
    return false;
  }
  if (heard.value() == learned) greet(from);
  // Who may not vote yet asks whether it is known, and the first answer may have been lost.
  const bool asks = message.greets && !message.enrolled;
  if ((message.to_disk != config_.disks->disk() || asks) && message.disk != 0) greet_again(from);
  look_at_disks();
  if (is_stopped()) return false;
  return !message.greets && !(is_mute() && asks_for_power(message.message.type));
}

void ReplicaDriver::look_at_disks() {
  if (config_.disks == nullptr || !is_mute() || stopped_) return;
  auto done = config_.disks->enroll(core_.membership().voters);
  const Term through = config_.disks->mute_through();
  if (done.ok() && through != Term{} && log_.head().tail.term > through) done = config_.disks->healed();
  if (!done.ok()) stop("the log cannot be written: " + done.error().message);
}

// The bound must be on disk before the term is: whatever this leads to is said only after that write.
void ReplicaDriver::promise_in(Term term) {
  if (config_.disks == nullptr) return;
  if (auto noted = config_.disks->will_promise(term); !noted.ok())
    stop("the node's folder cannot be written: " + noted.error().message);
}

// A greeting may be lost; and who is not known cannot wait for others to speak first.
void ReplicaDriver::greet_while_unknown() {
  if (config_.disks == nullptr || config_.disks->enrolled() || ticks_ % greet_every_ticks != 0) return;
  for (const PeerDisk& peer : config_.disks->known()) greet(peer.node);
  for (const NodeId voter : core_.membership().voters)
    if (config_.disks->disk_of(voter) == 0) greet(voter);
}

void ReplicaDriver::sign(ReplicaMessage& message, bool greets) const {
  if (config_.disks == nullptr) return;
  message.disk = config_.disks->disk();
  message.enrolled = config_.disks->enrolled();
  message.to_disk = config_.disks->disk_of(message.message.to);
  message.greets = greets;
  if (greets) message.known = config_.disks->known();
}

}  // namespace troupe
