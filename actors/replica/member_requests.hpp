#pragma once
// Requests of operators about the cell's members, until they are done or it is too late.

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"
#include "storage/replica/replica_driver.hpp"

namespace troupe {

/// Part of the replica's actor. Every request is answered once, at its deadline at the latest.
class MemberRequests {
 public:
  static constexpr std::size_t waiting_max = 64;  ///< beyond: overloaded

  MemberRequests(caf::event_based_actor* self, ContextPtr context, ReplicaDriver& driver)
      : self_(self), context_(std::move(context)), driver_(driver) {}

  void change(const ChangeMembers& request);
  void transfer(const TransferLeadership& request);
  /// Answers what has come about: after each take().
  void look();

 private:
  struct Waiting {
    caf::strong_actor_ptr asker;
    std::uint64_t cookie = 0;
    Moment deadline;
    Term term;      ///< of the request; an entry of it at `index` is the change
    Index index;    ///< of a change
    NodeId target;  ///< of a transfer
  };
  Result<void> check_build(const raft::MemberChange& change) const;
  void wait(const Result<Index>& accepted, Waiting waiting);
  std::optional<Result<Index>> outcome(const Waiting& waiting) const;
  std::optional<Result<Index>> outcome_of_change(const Waiting& waiting) const;
  std::optional<Result<Index>> outcome_of_transfer(const Waiting& waiting) const;
  void answer(const Waiting& waiting, Result<Index> done);

  caf::event_based_actor* self_;
  ContextPtr context_;
  ReplicaDriver& driver_;
  std::vector<Waiting> waiting_;
};

}  // namespace troupe
