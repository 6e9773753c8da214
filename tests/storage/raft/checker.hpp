#pragma once
// The invariants of Raft, watched over all nodes of a cluster after every step.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/storage/raft/node.hpp"

namespace troupe::raft::test {

using Nodes = std::map<NodeId, std::unique_ptr<Node>>;

/// Sees all, including what no node knows: logs, disks, states and what Readys say. The first violation
/// stays.
class Checker {
 public:
  explicit Checker(Membership initial) : committed_members_(std::move(initial)) {
    truth_.membership = committed_members_;
    states_[{}] = truth_;
  }
  /// After the node's log took the Ready, before anything else of it is carried out.
  void on_ready(const Nodes& nodes, const Node& node, const Ready& ready);
  void on_restart(const Node& node) {
    commit_.erase(node.id);
    leading_.erase(node.id);
    applied_.erase(node.id);
  }
  void on_installed(const Node& node, const Snapshot& snapshot);
  /// Log matching over all pairs of logs; dear, so called now and then.
  void compare_logs(const Nodes& nodes);
  Index committed() const { return newest_; }
  /// Of the newest configuration that is committed, whether or not a node knows it.
  const Membership& committed_members() const { return committed_members_; }
  /// A read that starts now must see at least this much.
  void read_started(NodeId node, ReadToken token) { reads_[{node, token}] = newest_; }
  const std::optional<std::string>& violation() const { return violation_; }
  std::uint64_t leaders() const { return leaders_.size(); }
  std::uint64_t commits() const { return newest_.value; }
  std::uint64_t reads_answered() const { return answered_; }
  std::uint64_t configs() const { return configs_; }
  void fail(std::string what);

 private:
  struct Committed {
    Entry entry;
    Term seen_in;  ///< of the leader that committed it
  };
  void leader_rises(const Nodes& nodes, const Node& node, Term term);
  void leader_appends(const Nodes& nodes, const Node& node, const Ready& ready);
  void leader_commits(const Nodes& nodes, const Node& node, Term term, bool appended_config);
  void check_quorum(const Nodes& nodes, const Node& node, Index commit, bool appended_config);
  void entry_commits(const Nodes& nodes, const Node& node, const Entry& entry, Term term);
  void entry_handed_out(const Node& node, const Entry& entry);
  void compare_states(const Node& node);
  static std::string at(const Node& node, Index index);

  std::map<Term, NodeId> leaders_;
  std::map<Index, Committed> committed_;
  std::map<Index, State> states_;  ///< after each committed entry
  State truth_;                    ///< after the newest
  Membership committed_members_;
  std::map<NodeId, Term> leading_;  ///< who led at its last Ready
  std::map<NodeId, Index> commit_;
  std::map<NodeId, Index> applied_;
  std::map<std::pair<NodeId, ReadToken>, Index> reads_;
  Index newest_;
  std::uint64_t answered_ = 0, configs_ = 0;
  std::optional<std::string> violation_;
};

}  // namespace troupe::raft::test
