#pragma once
// A cluster in memory with a network that is moved by hand: the language of the scenario tests.

#include <gtest/gtest.h>

#include <functional>

#include "tests/storage/raft/checker.hpp"

namespace troupe::raft::test {

/// Nodes 1..voters vote, the next ones learn, the last ones know no membership. Nothing moves until deliver()
/// or a finer verb says so.
class Cluster {
 public:
  explicit Cluster(std::uint32_t voters, std::uint32_t learners = 0, Config config = {},
                   std::uint32_t strangers = 0);
  ~Cluster();

  Core& core(std::uint32_t id) { return node(id).core(); }
  Node& node(std::uint32_t id) { return *nodes_.at(NodeId{id}); }
  Status status(std::uint32_t id) { return core(id).status(); }
  MemoryLog& log(std::uint32_t id) { return node(id).log; }

  /// Ticks one node until its election timer fires; nothing is delivered.
  void campaign(std::uint32_t id);
  /// campaign, deliver, and expect it to lead.
  void elect(std::uint32_t id);
  /// One node's ticks alone, or everybody's with delivery after each.
  void tick(std::uint32_t id, std::uint32_t times = 1);
  void pass(std::uint32_t ticks);

  /// Until nothing moves: take Readys, sync, move messages in order.
  void deliver();
  void flush(std::uint32_t id);
  void sync(std::uint32_t id);  ///< all writes of one node
  bool sync_one(std::uint32_t id);
  void hold_disk(std::uint32_t id) { held_.insert(NodeId{id}); }
  void release_disk(std::uint32_t id) { held_.erase(NodeId{id}); }

  void cut(std::uint32_t a, std::uint32_t b);
  void cut_one_way(std::uint32_t from, std::uint32_t to) { cuts_.insert({NodeId{from}, NodeId{to}}); }
  void isolate(std::uint32_t id);
  void heal() { cuts_.clear(); }
  void crash(std::uint32_t id);
  void restart(std::uint32_t id);
  /// Messages for which it returns true are lost; it may change the others.
  void drop(std::function<bool(Message&)> which) { drop_ = std::move(which); }
  /// Everything that was sent, lost ones too.
  const std::vector<Message>& sent() const { return sent_; }
  std::vector<Message> sent(MessageType type, std::uint32_t from) const;
  void forget_sent() { sent_.clear(); }
  void step(std::uint32_t id, Message message);

  Result<Index> propose(std::uint32_t id, const std::string& data, std::size_t count = 1);
  /// change() on this node, about that one.
  Result<Index> change(std::uint32_t id, MemberChangeKind kind, std::uint32_t member);
  /// Drops the beginning of the log up to this index, after flushing the state.
  void compact(std::uint32_t id, std::uint64_t to);
  /// The oldest snapshot that a node was asked for goes to its peer; false if it was not wanted there.
  bool carry_snapshot(std::uint32_t from);
  bool install(std::uint32_t id, const Snapshot& snapshot);
  Result<void> read(std::uint32_t id, ReadToken token);
  /// The commands a node applied since its restart: "a b c".
  std::string applied(std::uint32_t id);
  /// The terms of its log: "1 1 2".
  std::string terms(std::uint32_t id);
  /// Gives a node a log of these terms and a hard state as if restored; before anything ran.
  void restore(std::uint32_t id, const std::vector<std::uint64_t>& terms, HardState hard);
  Checker& checker() { return checker_; }

 private:
  static Membership first_members(std::uint32_t voters, std::uint32_t learners);
  void collect(Node& node);
  bool move_messages();

  Nodes nodes_;
  Checker checker_;
  std::deque<Message> network_;
  std::vector<Message> sent_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  std::set<NodeId> held_;
  std::function<bool(Message&)> drop_;
  std::uint64_t seed_ = 1;
};

}  // namespace troupe::raft::test
