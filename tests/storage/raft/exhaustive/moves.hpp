#pragma once
// What can happen next in a cluster. Two languages for it: single messages, and whole talks between two
// nodes.

#include <functional>

#include "tests/storage/raft/exhaustive/world.hpp"

namespace troupe::raft::test {

/// How far an exploration goes.
struct Scope {
  Options nodes;
  std::uint8_t term_max = 3;
  /// messages: at most so many are on their way at a time; which ones get lost instead is explored, and so is
  /// every order of the others. A message that nobody delivers any more is a lost one.
  std::uint8_t in_flight = 2;
  bool heartbeats = true;
  /// Whole talks instead: a candidate asks any set of nodes, a leader brings one other up to date, both
  /// broken off after any number of messages; nothing stays on its way. Far fewer steps to a deep state, but
  /// no late messages.
  bool talks = false;
  /// Talks: only elections that are won, by the fewest votes, and talks that are broken off only where the
  /// log of one side has just changed.
  bool few = false;
  /// Begins with node 1 as the leader of term 1, whose first entry all hold and know to be committed.
  bool settled = false;
  /// Judge configurations as such, too; off where a bug shall show in the history.
  bool watch_configs = true;
  Budget budget;
};

struct Move {
  NodeId node;
  Input input;
  std::uint32_t with = 0;   ///< talks: the other nodes, as bits
  std::uint32_t steps = 0;  ///< talks: broken off after so many messages
};

/// Called with each next world, and what was violated on the way there.
using Visit = std::function<void(World&& next, const Move& move, const std::optional<std::string>& wrong)>;

class Moves {
 public:
  Moves(Space& space, Scope scope) : space_(space), scope_(std::move(scope)) {}
  World first();
  void each(const World& world, const Visit& visit);
  std::string text(const Move& move) const;

 private:
  void each_message(const World& world, const Visit& visit);
  void each_local(const World& world, NodeId node, const Visit& visit);
  void each_talk(const World& world, NodeId node, const Visit& visit);
  void go(World world, const Move& move, const Visit& visit);
  std::optional<std::string> step(World& world, NodeId node, Input input, std::vector<MessageRef>& sent);
  void keep_some(World&& world, const Move& move, const std::vector<MessageRef>& sent,
                 const std::optional<std::string>& wrong, const Visit& visit);
  void ask_votes(const World& world, NodeId node, std::uint32_t with, const Visit& visit);
  void bring_up_to_date(const World& world, NodeId node, NodeId other, const Visit& visit);
  void rest(World& world, NodeId node);
  bool dead(const World& world, MessageRef ref) const;
  bool may_elect(const Facts& node) const;

  Space& space_;
  Scope scope_;
};

}  // namespace troupe::raft::test
