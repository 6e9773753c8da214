#pragma once
// All states of single nodes met so far, and what each input does to them. A step of one node is computed
// once and looked up ever after: a cluster's state is a few numbers.

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/storage/raft/exhaustive/core_access.hpp"

namespace troupe::raft::test {

using NodeRef = std::uint32_t;     ///< into Space
using MessageRef = std::uint32_t;  ///< into Space

enum class Step : std::uint8_t {
  elect,      ///< its election timer fires (a leader steps down first)
  propose,    ///< one command, if it leads
  receive,    ///< argument: the message
  heartbeat,  ///< if it leads
  sync,       ///< its oldest write becomes durable
  crash,      ///< and restart; argument: so many of its writes had reached the disk
  change,     ///< argument: into Options::changes
  transfer,   ///< argument: the target
  lose_sent,  ///< what it has sent and got no answer to is lost
};

struct Input {
  Step step = Step::elect;
  std::uint32_t argument = 0;
};

/// What one input did.
struct Outcome {
  NodeRef node = 0;
  std::vector<MessageRef> sent;
};

/// The facts of a node's state that the invariants speak of.
struct Facts {
  struct Position {
    std::uint8_t term = 0;
    std::uint8_t data = 0;  ///< tells commands and configurations of one term apart
    friend bool operator==(const Position&, const Position&) = default;
  };
  NodeId id;
  Role role = Role::follower;
  std::uint8_t term = 0;
  std::uint8_t durable_term = 0;
  std::uint8_t commit = 0;
  std::uint8_t writes = 0;    ///< not yet durable
  std::vector<Position> log;  ///< from index 1
  bool may_campaign = false;
  /// Neighbouring configurations of its log differ by one voter at most, and a leader has at most one that it
  /// does not know to be committed.
  bool configs_fit = true;
};

/// How the nodes of one exploration are.
struct Options {
  Config config;
  Membership membership;
  std::uint32_t nodes = 3;
  bool slow_disk = false;    ///< writes wait for Step::sync; else each is durable at once
  std::uint8_t log_max = 3;  ///< nothing is proposed beyond; elections still append
  std::vector<MemberChange> changes;
};

class Space {
 public:
  explicit Space(Options options);
  NodeRef initial(NodeId id);
  const Outcome& step(NodeRef node, Input input);
  const Facts& facts(NodeRef node) const { return nodes_[node].facts; }
  const Message& message(MessageRef ref) const { return messages_[ref]; }
  std::size_t nodes() const { return nodes_.size(); }
  std::size_t messages() const { return messages_.size(); }
  std::size_t steps() const { return memo_.size(); }
  const Options& options() const { return options_; }

 private:
  /// What survives a crash; the state machine keeps nothing and hears all again.
  struct Kept {
    HardState hard;
    MemoryLog log;
    void write(const Ready& ready);
  };
  struct State {
    Core core;
    MemoryLog log;
    Kept disk;
    std::deque<Ready> writes;  ///< with the messages that wait for them
    Facts facts;
  };
  /// The view that all copies of one node's core look through.
  class Window final : public LogView {
   public:
    const MemoryLog* log = nullptr;
    Index first() const override { return log->first(); }
    Index last() const override { return log->last(); }
    Term term(Index index) const override { return log->term(index); }
    std::vector<Entry> slice(Index low, Index high, std::size_t max_bytes) const override {
      return log->slice(low, high, max_bytes);
    }
  };

  void apply(State& state, Input input);
  void restart(State& state, std::size_t survived);
  void settle(State& state, std::vector<MessageRef>& sent);
  void take(State& state, Ready ready, std::vector<MessageRef>& sent);
  void sync_one(State& state, std::vector<MessageRef>& sent);
  NodeRef intern(State state);
  MessageRef intern(const Message& message);

  Options options_;
  std::deque<Window> windows_;
  std::deque<State> nodes_;
  std::deque<Message> messages_;
  std::unordered_map<std::string, NodeRef> node_refs_;
  std::unordered_map<std::string, MessageRef> message_refs_;
  absl::flat_hash_map<std::uint64_t, std::uint32_t> memo_;  ///< by node and input: into outcomes_
  std::deque<Outcome> outcomes_;
};

}  // namespace troupe::raft::test
