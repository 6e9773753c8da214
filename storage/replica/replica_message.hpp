#pragma once
// What replicas say to each other: the core's message, and what the drivers add.

#include "storage/log/disk_record.hpp"
#include "storage/raft/message.hpp"

namespace troupe {

struct ReplicaMessage {
  raft::Message message;
  Instant wall;                   ///< the sender's clock, for the receiver's judgement of its own
  std::uint64_t sent = 0;         ///< the sender's time of sending; means something to the sender alone
  std::uint64_t echo = 0;         ///< the newest `sent` that came from the receiver; 0: none
  DiskId disk = 0;                ///< the sender's; 0: it says nothing of disks
  bool enrolled = false;          ///< the sender is
  DiskId to_disk = 0;             ///< the receiver's as the sender knows it; 0: it does not
  bool greets = false;            ///< nothing for the core, only this and what follows
  std::vector<PeerDisk> known{};  ///< greeting: all disks that the sender knows
  std::uint32_t level = 0;        ///< feature level that the sender's build knows
  static constexpr auto fields() {
    return field_list(field("message", &ReplicaMessage::message), field("wall", &ReplicaMessage::wall),
                      field("sent", &ReplicaMessage::sent), field("echo", &ReplicaMessage::echo),
                      field("disk", &ReplicaMessage::disk), field("enrolled", &ReplicaMessage::enrolled),
                      field("to_disk", &ReplicaMessage::to_disk), field("greets", &ReplicaMessage::greets),
                      field("known", &ReplicaMessage::known), field("level", &ReplicaMessage::level));
  }
  friend bool operator==(const ReplicaMessage&, const ReplicaMessage&) = default;
};

}  // namespace troupe
