#include "actors/replica/member_requests.hpp"

namespace troupe {

// A learner that stops at what it does not know harms nobody; a voter less may be the majority.
Result<void> MemberRequests::check_build(const raft::MemberChange& change) const {
  if (change.kind != raft::MemberChangeKind::promote) return {};
  const std::uint32_t level = context_->reads().level();
  const auto levels = driver_.levels();
  const auto known = levels.find(change.node);
  if (known == levels.end() || known->second >= level) return {};
  return Error{ErrorCode::precondition_failed, "node " + to_text(change.node) + " knows feature level " +
                                                   std::to_string(known->second) + " and the cell is at " +
                                                   std::to_string(level) + ": upgrade it first"};
}

void MemberRequests::change(const ChangeMembers& request) {
  const Now now = now_of(*context_->clock);
  const auto fits = check_build(request.change);
  wait(fits.ok() ? driver_.change(request.change, now) : Result<Index>(fits.error()),
       {request.asker, request.cookie, now.steady + request.patience, driver_.term(), {}, {}});
}

void MemberRequests::transfer(const TransferLeadership& request) {
  const auto accepted = driver_.transfer(request.target);
  wait(accepted.ok() ? Result<Index>(driver_.commit()) : Result<Index>(accepted.error()),
       {request.asker,
        request.cookie,
        context_->clock->steady() + request.patience,
        driver_.term(),
        {},
        request.target});
}

void MemberRequests::wait(const Result<Index>& accepted, Waiting waiting) {
  if (!accepted.ok()) return answer(waiting, accepted);
  if (waiting_.size() >= waiting_max)
    return answer(waiting, Error{ErrorCode::outcome_unknown, "too many requests wait; look at the members"});
  waiting.index = accepted.value();
  waiting_.push_back(std::move(waiting));
}

void MemberRequests::look() {
  for (std::size_t n = 0; n < waiting_.size();) {
    const auto done = outcome(waiting_[n]);
    if (!done) {
      ++n;
      continue;
    }
    answer(waiting_[n], *done);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(n));
  }
}

std::optional<Result<Index>> MemberRequests::outcome(const Waiting& waiting) const {
  if (driver_.is_stopped())
    return Error{ErrorCode::outcome_unknown, "this node has stopped; ask another one how it stands"};
  auto done = waiting.target == NodeId{} ? outcome_of_change(waiting) : outcome_of_transfer(waiting);
  if (done || context_->clock->steady() < waiting.deadline) return done;
  return Error{ErrorCode::outcome_unknown, "not done in time; look at the members and the leader"};
}

std::optional<Result<Index>> MemberRequests::outcome_of_change(const Waiting& waiting) const {
  if (driver_.term() != waiting.term)
    return Error{ErrorCode::outcome_unknown, "the leader changed meanwhile; look at the members"};
  if (driver_.applied() < waiting.index) return std::nullopt;
  return waiting.index;
}

std::optional<Result<Index>> MemberRequests::outcome_of_transfer(const Waiting& waiting) const {
  const NodeId leader = driver_.leader();
  if (leader == waiting.target) return driver_.commit();
  if (leader == NodeId{} || driver_.term() == waiting.term) return std::nullopt;
  return Error{ErrorCode::unavailable, "node " + to_text(leader) + " leads now; try again"};
}

void MemberRequests::answer(const Waiting& waiting, Result<Index> done) {
  self_->send(caf::actor_cast<caf::actor>(waiting.asker), ReplicaDone{waiting.cookie, std::move(done)});
}

}  // namespace troupe
