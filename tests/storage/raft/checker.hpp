#pragma once
// The invariants of Raft, watched over all nodes of a cluster after every step.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/storage/raft/node.hpp"

namespace troupe::raft::test {

using Nodes = std::map<NodeId, std::unique_ptr<Node>>;

/// Sees all, including what no node knows. The first violation stays.
class Checker {
 public:
  /// After the node's log took the Ready, before anything else of it is carried out.
  void on_ready(const Nodes& nodes, const Node& node, const Ready& ready);
  void on_restart(NodeId node) {
    commit_.erase(node);
    applied_.erase(node);
  }
  /// Log matching over all pairs of logs; dear, so called now and then.
  void compare_logs(const Nodes& nodes);
  /// A read that starts now must see at least this much.
  Index committed() const { return newest_; }
  void read_started(NodeId node, ReadToken token) { reads_[{node, token}] = newest_; }
  const std::optional<std::string>& violation() const { return violation_; }
  std::uint64_t leaders() const { return leaders_.size(); }
  std::uint64_t commits() const { return committed_.size(); }
  std::uint64_t reads_answered() const { return answered_; }
  void fail(std::string what);

 private:
  struct Committed {
    Entry entry;
    Term seen_in;  ///< lowest term of a node that knew
  };
  void leader_rises(const Nodes& nodes, const Node& node, Term term);
  void entry_commits(const Nodes& nodes, const Node& node, const Entry& entry);
  static std::string at(const Node& node, Index index);

  std::map<Term, NodeId> leaders_;
  std::map<Index, Committed> committed_;
  std::map<NodeId, Index> commit_;
  std::map<NodeId, Index> applied_;
  std::map<std::pair<NodeId, ReadToken>, Index> reads_;
  Index newest_;
  std::uint64_t answered_ = 0;
  std::optional<std::string> violation_;
};

}  // namespace troupe::raft::test
