#include "actors/replica/proposal_desk.hpp"

#include <algorithm>

namespace troupe {
namespace {

/// A refusal that is not kept under the request's id.
bool is_for_now(const Outcome& outcome) {
  return outcome.error && retry_class(outcome.error->code) != Retry::never;
}

Error unknown(const Outcome& outcome) {
  return {ErrorCode::outcome_unknown, "it was refused for now (" + outcome.error->message +
                                          "), but another copy of it may yet be taken; repeat with the same "
                                          "request id"};
}

}  // namespace

Result<void> ProposalDesk::add(Command command, std::uint64_t ticket, Moment now,
                               std::chrono::milliseconds patience) {
  if (pending_.size() >= pending_max || bytes_ >= pending_bytes_max) {
    constexpr std::int64_t retry_ms = 1'000;
    const bool by_bytes = pending_.size() < pending_max;
    return Error{ErrorCode::overloaded,
                 "too many proposals wait on this node; try again in a second",
                 {},
                 std::make_shared<const LimitHit>(LimitHit{by_bytes ? "node.proposalBytes" : "node.proposals",
                                                           by_bytes ? pending_bytes_max : pending_max,
                                                           by_bytes ? bytes_ : pending_.size(), retry_ms})};
  }
  command.proposal = {self_, life_, ++count_};
  command.level = std::max(command.level, level_needed(command.body));
  Pending pending;
  pending.ticket = ticket;
  pending.repeats = !std::holds_alternative<TermFence>(command.fence);
  pending.is_request = !command.request.empty();
  pending.command = Blob(encode(command));
  pending.deadline = now + patience;
  bytes_ += pending.command.size();
  pending_.emplace(count_, std::move(pending));
  return {};
}

std::vector<ProposalDesk::Attempt> ProposalDesk::due(Moment now) {
  std::vector<Attempt> attempts;
  for (auto& [count, pending] : pending_) {
    if (pending.attempted && !pending.repeats) continue;
    if (pending.waits && pending.last_attempt + repeat_after > now) continue;
    attempts.push_back({count, pending.command});
  }
  return attempts;
}

void ProposalDesk::attempted(std::uint64_t count, Moment now) {
  const auto found = pending_.find(count);
  if (found == pending_.end()) return;
  found->second.repeated = found->second.attempted;
  found->second.attempted = found->second.waits = true;
  found->second.last_attempt = now;
}

ProposalDesk::Settled ProposalDesk::take(std::map<std::uint64_t, Pending>::iterator at,
                                         Result<Outcome> outcome) {
  Settled settled{at->second.ticket, std::move(outcome)};
  bytes_ -= at->second.command.size();
  pending_.erase(at);
  return settled;
}

std::vector<ProposalDesk::Settled> ProposalDesk::refused(const std::vector<std::uint64_t>& counts,
                                                         ErrorCode code) {
  std::vector<Settled> settled;
  for (const std::uint64_t count : counts) {
    const auto found = pending_.find(count);
    if (found == pending_.end()) continue;
    if (!found->second.repeats)
      settled.push_back(take(found, Error{code, "this node does not lead any more"}));
    // An overloaded leader is given time; another leader is tried as soon as it is known.
    else
      found->second.waits = code == ErrorCode::overloaded;
  }
  return settled;
}

void ProposalDesk::leader_changed() {
  for (auto& [count, pending] : pending_) pending.waits = false;
}

std::vector<ProposalDesk::Settled> ProposalDesk::applied(const std::vector<Outcome>& outcomes) {
  std::vector<Settled> settled;
  for (const Outcome& outcome : outcomes) {
    if (outcome.proposal.node != self_ || outcome.proposal.life != life_) continue;
    const auto found = pending_.find(outcome.proposal.count);
    if (found == pending_.end()) continue;
    const Pending& pending = found->second;
    const bool may_yet_happen = pending.is_request && pending.repeated && is_for_now(outcome);
    settled.push_back(take(found, may_yet_happen ? Result<Outcome>(unknown(outcome)) : outcome));
  }
  return settled;
}

std::vector<ProposalDesk::Settled> ProposalDesk::expire(Moment now) {
  std::vector<Settled> settled;
  for (auto next = pending_.begin(); next != pending_.end();) {
    const auto at = next++;
    if (at->second.deadline > now) continue;
    const bool unknown = at->second.attempted;
    settled.push_back(take(
        at, unknown
                ? Error{ErrorCode::outcome_unknown,
                        "no outcome in time: it may yet happen; repeat with the same request id"}
                : Error{ErrorCode::unavailable, "no leader could be reached: it did not happen; try again"}));
  }
  return settled;
}

}  // namespace troupe
