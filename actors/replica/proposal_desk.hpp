#pragma once
// Proposals under way on one node: sent to the leader until their outcome is applied here, or their patience
// ends.

#include <map>
#include <vector>

#include "storage/model/outcome.hpp"
#include "storage/raft/types.hpp"

namespace troupe {

/// Pure, one thread (the replica's). Survives nothing: a restarted node knows none of its older proposals,
/// and their ids carry the older life.
///
/// A proposal is repeated under the same id until an outcome comes: the table of commands says why twice is
/// harmless. The first outcome applied is the answer, but for a user's request that was repeated and refused
/// for now: nobody remembers such a refusal, so that another copy may yet be taken; its outcome is unknown.
class ProposalDesk {
 public:
  static constexpr std::size_t pending_max = 20'000;  ///< beyond: overloaded, at once
  static constexpr std::size_t pending_bytes_max = 64 << 20;
  static constexpr std::chrono::milliseconds repeat_after{400};

  struct Settled {
    std::uint64_t ticket = 0;
    Result<Outcome> outcome;
  };
  struct Attempt {
    std::uint64_t count = 0;
    Blob command;
  };

  ProposalDesk(NodeId self, std::uint64_t life) : self_(self), life_(life) {}

  /// Fills in the proposal id. `ticket` is the caller's own. Errors: overloaded.
  Result<void> add(Command command, std::uint64_t ticket, Moment now, std::chrono::milliseconds patience);
  /// What should be handed to a leader now: new ones, refused ones, and those silent for too long.
  std::vector<Attempt> due(Moment now);
  /// This attempt reached a log or the wire: its outcome is unknown from here on.
  void attempted(std::uint64_t count, Moment now);
  /// It surely did not get in by this attempt: try again at once, or fail for what cannot be repeated.
  std::vector<Settled> refused(const std::vector<std::uint64_t>& counts, ErrorCode code);
  /// The leader changed: everything is offered anew.
  void leader_changed();
  std::vector<Settled> applied(const std::vector<Outcome>& outcomes);
  std::vector<Settled> expire(Moment now);
  std::size_t pending() const { return pending_.size(); }

 private:
  struct Pending {
    std::uint64_t ticket = 0;
    Blob command;
    bool repeats = true;      ///< false: term-fenced, good for one attempt
    bool is_request = false;  ///< has the id of a user's request
    bool attempted = false;   ///< ever: then silence means unknown
    bool repeated = false;    ///< there may be several copies on their way
    bool waits = false;       ///< under way; repeated only after repeat_after
    Moment last_attempt;
    Moment deadline;
  };
  Settled take(std::map<std::uint64_t, Pending>::iterator at, Result<Outcome> outcome);

  NodeId self_;
  std::uint64_t life_;
  std::uint64_t count_ = 0;
  std::size_t bytes_ = 0;
  std::map<std::uint64_t, Pending> pending_;
};

}  // namespace troupe
