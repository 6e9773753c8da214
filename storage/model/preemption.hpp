#pragma once
// Who may end whose tasks to have room: the rules that the scheduler plans by and apply checks again. A
// capacity group is promised what it reserved; what it uses beyond that is borrowed, and only a Flex group
// can borrow.

#include <optional>
#include <string_view>

#include "storage/model/records.hpp"

namespace troupe {

/// A job's attribute: 0 to `priority_max`, higher first; 0 if there is none.
inline constexpr std::string_view priority_attribute = "troupe.priority";
inline constexpr std::uint32_t priority_max = 1'000;
/// nullopt: the text is no priority.
std::optional<std::uint32_t> priority_from_text(std::string_view text);
/// One that cannot be read counts as 0: it was refused when the job was submitted.
std::uint32_t priority_of(const JobDescriptor& descriptor);

/// All units of it.
Resources reservation_of(const GroupRecord& group);

/// A capacity group as far as preemption asks. One that nobody declared is Flex and reserves nothing.
struct GroupStanding {
  std::string_view name;
  Tier tier = Tier::flex;
  Resources reservation;
  Resources used;  ///< by its placed tasks, without those that are being ended
};

/// With `more` the group would still use no more than it reserved, in what it reserves something of.
bool is_within_reservation(const GroupStanding& group, const Resources& more);
/// The amount can be taken from the group without touching what it was promised: in a resource that the task
/// uses the group is above its reservation, and stays there or at it.
bool is_borrowed(const GroupStanding& group, const Resources& amount);

enum class PreemptionRight : std::uint8_t {
  none,
  reclaim,   ///< what its group reserved is lent to another one
  priority,  ///< over a lower one: in its own group, or over what another group of its tier borrows
};
struct Contender {
  GroupStanding group;
  std::uint32_t priority = 0;
  Resources resources;
};
PreemptionRight right_to_preempt(const Contender& waiting, const Contender& victim);

}  // namespace troupe
