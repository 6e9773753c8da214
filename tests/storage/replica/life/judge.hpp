#pragma once
// What all machines of a life together did, and whether that can be.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "storage/replica/replica_driver.hpp"
#include "tests/storage/replica/machine_state.hpp"

namespace troupe {

/// Election safety, leader completeness, log matching, state-machine safety, monotone commits, commits only
/// on synced majorities, configurations that go by single steps, reads not older than what was committed
/// before. Sees what no node knows. The first violation stays.
class Judge {
 public:
  /// Does that node's disk hold this entry?
  using Holds = std::function<bool(NodeId node, Index index, Term term)>;
  Judge(raft::Membership initial, Holds holds) : holds_(std::move(holds)), members_(std::move(initial)) {}

  void fail(const std::string& what) {
    if (!violation_) violation_ = what;
  }
  void leads(NodeId node, Term term, const raft::LogView& log);
  /// After each take() of a driver, before anybody hears of it.
  void commits(NodeId node, const ReplicaDriver& driver);
  void applies(NodeId node, const MachineState& state);
  void installs(NodeId node, const MachineState& state) { compare(node, state); }
  void restarts(NodeId node) {
    commit_.erase(node);
    members_of_.erase(node);
  }
  /// The configuration that stands in its log, whenever it changes.
  void stands(NodeId node, const raft::Membership& members) { members_of_[node] = members; }
  void compare_logs(NodeId one, const raft::LogView& a, NodeId two, const raft::LogView& b);
  /// It failed the check of its log: it must never speak again.
  void silence(NodeId node) { silent_.insert(node); }
  void speaks(NodeId node) {
    if (silent_.contains(node)) fail("damaged_node_speaks node=" + to_text(node));
  }
  void read_begins(raft::ReadToken token) { reads_[token] = newest_; }
  void read_ends(raft::ReadToken token, const Result<Index>& applied, Index state);
  void reads_die(const std::vector<raft::ReadToken>& tokens) {
    for (const raft::ReadToken token : tokens) reads_.erase(token);
  }

  const std::optional<std::string>& violation() const { return violation_; }
  const raft::Membership& members() const { return members_; }  ///< of the newest configuration applied
  std::uint64_t leaders() const { return leaders_.size(); }
  std::uint64_t committed() const { return newest_.value; }
  std::uint64_t reads() const { return answered_; }
  std::uint64_t configs() const { return configs_; }

 private:
  struct Committed {
    Term term;
    Term seen_in;  ///< of the leader that committed it, or of a later one
  };
  void check_quorum(NodeId node, const ReplicaDriver& driver, Index commit, Term term);
  void compare(NodeId node, const MachineState& state);

  const Holds holds_;
  raft::Membership members_;
  std::map<Term, NodeId> leaders_;
  std::map<Index, Committed> log_;
  std::map<Index, std::uint64_t> states_;  ///< the chain after each index
  std::map<NodeId, Index> commit_;
  std::map<NodeId, raft::Membership> members_of_;
  std::set<NodeId> silent_;
  std::map<raft::ReadToken, Index> reads_;
  Index newest_, newest_config_;
  std::uint64_t answered_ = 0, configs_ = 0;
  std::optional<std::string> violation_;
};

}  // namespace troupe
