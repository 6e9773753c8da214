#pragma once
// What replicas say to each other: the core's message, and what the drivers add.

#include "storage/raft/message.hpp"

namespace troupe {

struct ReplicaMessage {
  raft::Message message;
  Instant wall;            ///< the sender's clock, for the receiver's judgement of its own
  std::uint64_t sent = 0;  ///< the sender's time of sending; means something to the sender alone
  std::uint64_t echo = 0;  ///< the newest `sent` that came from the receiver; 0: none
  static constexpr auto fields() {
    return field_list(field("message", &ReplicaMessage::message), field("wall", &ReplicaMessage::wall),
                      field("sent", &ReplicaMessage::sent), field("echo", &ReplicaMessage::echo));
  }
  friend bool operator==(const ReplicaMessage&, const ReplicaMessage&) = default;
};

}  // namespace troupe
