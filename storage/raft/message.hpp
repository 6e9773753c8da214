#pragma once
// What Raft nodes say to each other. One record for all kinds; each kind uses the members its comment names.

#include "storage/raft/types.hpp"

namespace troupe::raft {

enum class MessageType : std::uint8_t {
  pre_vote,        ///< would you vote for me in `term`? (term = sender's + 1) index, log_term: end of its log
  pre_vote_reply,  ///< reject; granted replies carry the asked term, refusals the sender's own
  vote,            ///< index, log_term: end of the candidate's log; transfer: the old leader asked for it
  vote_reply,      ///< reject
  append,          ///< entries after (index, log_term); commit
  append_reply,  ///< index: log equal and durable up to here; or reject with index = refused, hint, hint_term
  heartbeat,     ///< commit <= what the receiver is known to hold; sequence: newest read round
  heartbeat_reply,   ///< sequence, echoed
  read_index,        ///< a follower asks for reads; sequence: its own unique number
  read_index_reply,  ///< index, sequence; or reject: not the leader
  timeout_now,       ///< take over leadership at once
};
constexpr MessageType max_value(MessageType) { return MessageType::timeout_now; }

struct Message {
  MessageType type = MessageType::heartbeat;
  NodeId from{};
  NodeId to{};
  Term term{};
  Index index{};
  Term log_term{};
  Index commit{};
  std::vector<Entry> entries{};
  bool reject = false;
  Index hint{};
  Term hint_term{};
  std::uint64_t sequence = 0;
  bool transfer = false;
  static constexpr auto fields() {
    return field_list(field("type", &Message::type), field("from", &Message::from), field("to", &Message::to),
                      field("term", &Message::term), field("index", &Message::index),
                      field("log_term", &Message::log_term), field("commit", &Message::commit),
                      field("entries", &Message::entries), field("reject", &Message::reject),
                      field("hint", &Message::hint), field("hint_term", &Message::hint_term),
                      field("sequence", &Message::sequence), field("transfer", &Message::transfer));
  }
  friend bool operator==(const Message&, const Message&) = default;
};

}  // namespace troupe::raft
