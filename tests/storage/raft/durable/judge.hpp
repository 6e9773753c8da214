#pragma once
// What all machines together did, and whether that can be.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/storage/raft/durable/register.hpp"

namespace troupe::raft::test {

/// Election safety, leader completeness, state-machine safety, monotone commits, and linearizability: the log
/// is the order, so it remains that no answered write is missing from a later read, that reads do not go
/// back, and that nothing takes effect that nobody asked for. The first violation stays.
class Judge {
 public:
  struct Read {
    std::map<std::uint64_t, std::uint64_t> must;  ///< by client: answered before the read began
    std::uint64_t effects = 0;                    ///< seen by a read that ended before
  };

  void fail(const std::string& what);
  void leads(NodeId node, Term term, const LogView& log);
  void applies(NodeId node, const Entry& entry, Term known_in);
  void installs(NodeId node, const Register& state);
  void commits(NodeId node, Index commit);
  void restarts(NodeId node) { commit_.erase(node); }
  /// It failed the check of its log: it must never speak again.
  void silence(NodeId node) { silent_.insert(node); }
  void speaks(NodeId node);

  void asked(Write write) { asked_[write.client] = std::max(asked_[write.client], write.sequence); }
  void answered(Write write) { answered_[write.client] = write.sequence; }
  Read read_begins() const { return {answered_, effects_seen_}; }
  void read_ends(const Read& read, const Register& state);

  const std::optional<std::string>& violation() const { return violation_; }
  std::uint64_t leaders() const { return leaders_.size(); }
  std::uint64_t committed() const { return log_.size(); }
  std::uint64_t reads() const { return reads_; }

 private:
  struct Known {
    Entry entry;
    Term seen_in;
  };
  std::map<Term, NodeId> leaders_;
  std::map<Index, Known> log_;
  std::map<NodeId, Index> commit_;
  std::set<NodeId> silent_;
  std::map<std::uint64_t, std::uint64_t> asked_, answered_;
  std::uint64_t effects_seen_ = 0, reads_ = 0;
  std::optional<std::string> violation_;
};

}  // namespace troupe::raft::test
