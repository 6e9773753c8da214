#pragma once
// The node's proposals: who asked here, and what other nodes forwarded to a leader.

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"
#include "actors/replica/proposal_desk.hpp"
#include "storage/replica/replica_driver.hpp"

namespace troupe {

/// Part of the replica's actor. Every Propose is answered, at its deadline at the latest.
class Proposer {
 public:
  Proposer(caf::event_based_actor* self, ContextPtr context, ReplicaDriver& driver)
      : self_(self), context_(std::move(context)), driver_(driver), desk_(context_->self, context_->life) {}

  void propose(const Propose& request);
  void forwarded(const MailProposals& mail);
  void refused(const MailRefusals& mail) { settle(desk_.refused(mail.mail.counts, mail.mail.code)); }
  void applied(const Applied& applied) { settle(desk_.applied(applied.outcomes)); }
  void leader_changed() { desk_.leader_changed(); }
  void expire() { settle(desk_.expire(context_->clock->steady())); }
  /// Hands what is due to the driver or to the leader: before each take().
  void offer();
  std::size_t pending() const { return desk_.pending(); }

 private:
  Result<void> check_level(const Command& command) const;
  void lead(const std::vector<ProposalDesk::Attempt>& attempts);
  void forward(const std::vector<ProposalDesk::Attempt>& attempts);
  void lead_forwarded();
  void settle(std::vector<ProposalDesk::Settled> settled);
  void mail(NodeId to, const Mail& mail);
  void trace(TraceKind kind, const Blob& command, NodeId other);

  struct Asker {
    caf::strong_actor_ptr actor;
    std::uint64_t cookie = 0;
  };

  caf::event_based_actor* self_;
  ContextPtr context_;
  ReplicaDriver& driver_;
  ProposalDesk desk_;
  std::uint64_t next_ticket_ = 0;
  std::map<std::uint64_t, Asker> askers_;  ///< by desk ticket
  std::vector<std::pair<NodeId, Blob>> forwarded_;
};

}  // namespace troupe
