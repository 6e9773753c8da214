#include "storage/replica/waiting_reads.hpp"

namespace troupe {

void WaitingReads::add(raft::ReadToken token, Moment deadline) {
  const bool fresh = deadlines_.emplace(token, deadline).second;
  TROUPE_CHECK(fresh);
  by_deadline_.emplace(deadline, token);
}

void WaitingReads::forget(raft::ReadToken token) {
  const auto found = deadlines_.find(token);
  by_deadline_.erase({found->second, token});
  deadlines_.erase(found);
}

void WaitingReads::granted(const raft::ReadGrant& grant) {
  if (waits(grant.token)) granted_.emplace(grant.index, grant.token);
}

void WaitingReads::lose(raft::ReadToken token, Error error) {
  if (!waits(token)) return;
  forget(token);
  answers_.push_back({token, std::move(error)});
}

void WaitingReads::lose_all(const Error& error) {
  while (!deadlines_.empty()) lose(deadlines_.begin()->first, error);
}

void WaitingReads::applied(Index index) {
  while (!granted_.empty() && granted_.begin()->first <= index) {
    const raft::ReadToken token = granted_.begin()->second;
    granted_.erase(granted_.begin());
    if (!waits(token)) continue;
    forget(token);
    answers_.push_back({token, index});
  }
}

void WaitingReads::expire(Moment now) {
  while (!by_deadline_.empty() && by_deadline_.begin()->first <= now)
    lose(by_deadline_.begin()->second,
         Error{ErrorCode::unavailable, "no leader confirmed the read in time; try again"});
}

}  // namespace troupe
