#pragma once
// A capacity group: how it stands against what was declared for it, and the alert that its tasks wait too
// long.

#include <string>
#include <variant>
#include <vector>

#include "actors/cores/proposal_gate.hpp"
#include "storage/state/views.hpp"

namespace troupe::cores {

/// How a group stands, for people and the API.
struct GroupStanding {
  Resources reservation;           ///< one unit times the count
  Resources headroom;              ///< of the reservation, not used; never below zero
  bool is_over_cap = false;        ///< more live tasks than tasks_max
  std::vector<std::string> above;  ///< what is used above the reservation: "cpu", "memory", ...
};
GroupStanding group_standing(const GroupRecord& group, const GroupUse& use);

using GroupEvent = std::variant<Look, Settled>;
using GroupEffect = std::variant<Propose, WakeAt, Rest>;

/// Owner: the group's actor on the owner of its shard. Pure; keeps only the outstanding proposal and the
/// pause after a refused one. Each call answers with nothing (a proposal is outstanding), or with exactly one
/// effect.
///
/// Raises the alert when a task of the group has waited for `group_patience`, says it anew as often while
/// that lasts, and ends it when none waits so long. Between these the attention index knows when to come
/// back: the actor rests.
class GroupCore {
 public:
  std::vector<GroupEffect> on(Instant now, const GroupView& view, const GroupEvent& event);

 private:
  ProposalGate gate_;
};

}  // namespace troupe::cores
