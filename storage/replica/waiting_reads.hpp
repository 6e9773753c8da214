#pragma once
// Linearizable reads under way: granted by the core, then waiting for apply.

#include <map>
#include <set>
#include <vector>

#include "storage/base/result.hpp"
#include "storage/raft/ready.hpp"

namespace troupe {

/// How a read ended. Tokens are the caller's own.
struct ReadAnswer {
  raft::ReadToken token = 0;
  Result<Index> applied;  ///< the state is at least this new
};

/// Owned by the driver. Every read that was added is answered once: granted and applied, lost, or too late.
class WaitingReads {
 public:
  static constexpr std::size_t waiting_max = 16'384;  ///< beyond: overloaded

  bool is_full() const { return deadlines_.size() >= waiting_max; }
  void add(raft::ReadToken token, Moment deadline);
  bool waits(raft::ReadToken token) const { return deadlines_.contains(token); }
  void granted(const raft::ReadGrant& grant);
  /// Ends it with this error.
  void lose(raft::ReadToken token, Error error);
  void lose_all(const Error& error);
  /// Ends what is granted up to here.
  void applied(Index index);
  /// Ends what has waited for too long, granted or not.
  void expire(Moment now);
  std::vector<ReadAnswer> take_answers() { return std::exchange(answers_, {}); }

 private:
  void forget(raft::ReadToken token);

  std::map<raft::ReadToken, Moment> deadlines_;
  std::set<std::pair<Moment, raft::ReadToken>> by_deadline_;
  std::set<std::pair<Index, raft::ReadToken>> granted_;  ///< ended reads may still stand here
  std::vector<ReadAnswer> answers_;
};

}  // namespace troupe
