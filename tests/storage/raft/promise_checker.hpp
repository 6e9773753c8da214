#pragma once
// What nodes promise each other and their callers, watched where it can be seen: in messages, on disks, at
// the callers' door. Breaking one may do no harm for a long time.

#include <map>
#include <set>

#include "tests/storage/raft/checker.hpp"

namespace troupe::raft::test {

/// Votes and acceptances only of what is synced, terms that somebody stood in, appends and windows within
/// their bounds, what a peer is known to hold, handing over only to who holds all. Violations go to the
/// Checker.
class PromiseChecker {
 public:
  explicit PromiseChecker(Checker& checker) : checker_(checker) {}
  void on_ready(const Node& node, const Ready& ready);
  void on_sent(const Nodes& nodes, const Message& message);
  /// A caller's proposal was accepted; `before` is how the node stood before it.
  void on_accepted(const Node& node, const Status& before);

 private:
  void look_at_peers(const Node& node);
  void fail(const std::string& what, NodeId node, Term term);

  Checker& checker_;
  std::set<Term> stood_in_;
  struct Matches {
    Term term;
    std::map<NodeId, Index> of;
  };
  std::map<NodeId, Matches> matches_;  ///< by leader
};

}  // namespace troupe::raft::test
