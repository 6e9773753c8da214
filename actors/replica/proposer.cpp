#include "actors/replica/proposer.hpp"

#include <algorithm>

#include "storage/base/msgpack.hpp"
#include "storage/model/command_table.hpp"

namespace troupe {

/// A command above the cell's level must not enter the log: an older build could not even decode it. The
/// level never falls, so what this node has applied of it is enough.
Result<void> Proposer::check_level(const Command& command) const {
  const std::uint32_t needed = std::max(command.level, level_needed(command.body));
  if (needed == 0) return {};
  const std::uint32_t level = context_->reads().level();
  if (needed <= level) return {};
  return Error{ErrorCode::precondition_failed, std::string(command_name(command)) + " needs feature level " +
                                                   std::to_string(needed) + ", the cell is at " +
                                                   std::to_string(level) +
                                                   ": it rises when every node has a build that knows it"};
}

void Proposer::propose(const Propose& request) {
  if (const auto level = check_level(request.command); !level.ok())
    return self_->send(caf::actor_cast<caf::actor>(request.asker),
                       ProposalDone{request.cookie, level.error()});
  const std::uint64_t ticket = ++next_ticket_;
  if (context_->trace.is_on()) context_->trace.proposed(request.command, context_->trace_now());
  auto added = desk_.add(request.command, ticket, context_->clock->steady(), request.patience);
  if (!added.ok()) {
    self_->send(caf::actor_cast<caf::actor>(request.asker), ProposalDone{request.cookie, added.error()});
    return;
  }
  ++context_->status.proposals;
  askers_.emplace(ticket, Asker{request.asker, request.cookie});
}

void Proposer::forwarded(const MailProposals& mail) {
  for (const Blob& command : mail.mail.commands) forwarded_.emplace_back(mail.from, command);
}

void Proposer::offer() {
  lead_forwarded();
  if (driver_.leader().value == 0 || desk_.pending() == 0) return;
  const std::vector<ProposalDesk::Attempt> attempts = desk_.due(context_->clock->steady());
  if (attempts.empty()) return;
  if (driver_.role() == raft::Role::leader)
    lead(attempts);
  else
    forward(attempts);
}

void Proposer::lead(const std::vector<ProposalDesk::Attempt>& attempts) {
  std::vector<Blob> commands;
  std::vector<std::uint64_t> counts;
  for (const auto& attempt : attempts) {
    commands.push_back(attempt.command);
    counts.push_back(attempt.count);
  }
  const auto taken = driver_.propose(commands, now_of(*context_->clock));
  if (!taken.ok()) return settle(desk_.refused(counts, taken.error().code));
  for (const std::uint64_t count : counts) desk_.attempted(count, context_->clock->steady());
  for (const Blob& command : commands) trace(TraceKind::taken, command, context_->self);
}

void Proposer::trace(TraceKind kind, const Blob& command, NodeId other) {
  if (context_->trace.is_on()) context_->trace.travels(kind, command.view(), other, context_->trace_now());
}

void Proposer::forward(const std::vector<ProposalDesk::Attempt>& attempts) {
  ForwardProposals forward;
  for (const auto& attempt : attempts) {
    trace(TraceKind::forwarded, attempt.command, driver_.leader());
    forward.commands.push_back(attempt.command);
    desk_.attempted(attempt.count, context_->clock->steady());
  }
  mail(driver_.leader(), forward);
}

void Proposer::lead_forwarded() {
  if (forwarded_.empty()) return;
  std::vector<Blob> commands;
  for (const auto& [from, command] : forwarded_) commands.push_back(command);
  const auto taken = driver_.propose(commands, now_of(*context_->clock));
  std::map<NodeId, RefuseProposals> refusals;
  if (!taken.ok()) {
    for (const auto& [from, bytes] : forwarded_) {
      auto command = decode_command(bytes.view());
      if (!command.ok() || command.value().proposal.node != from) continue;
      refusals[from].counts.push_back(command.value().proposal.count);
      refusals[from].code = taken.error().code;
    }
  }
  if (taken.ok())
    for (const auto& [from, command] : forwarded_) trace(TraceKind::taken, command, from);
  forwarded_.clear();
  for (const auto& [to, refusal] : refusals) mail(to, refusal);
}

void Proposer::settle(std::vector<ProposalDesk::Settled> settled) {
  for (auto& item : settled) {
    const auto found = askers_.find(item.ticket);
    if (found == askers_.end()) continue;
    self_->send(caf::actor_cast<caf::actor>(found->second.actor),
                ProposalDone{found->second.cookie, std::move(item.outcome)});
    askers_.erase(found);
  }
}

void Proposer::mail(NodeId to, const Mail& mail) {
  context_->hub->send({peer_name(to), net::Channel::mail}, packed(mail));
}

}  // namespace troupe
