#include "storage/model/preemption.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe {
namespace {

constexpr std::array members{&Resources::cpu_milli,    &Resources::memory_mb, &Resources::disk_mb,
                             &Resources::network_mbps, &Resources::gpu,       &Resources::ports};

}  // namespace

std::optional<std::uint32_t> priority_from_text(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > priority_max) return std::nullopt;
  return value;
}

std::uint32_t priority_of(const JobDescriptor& descriptor) {
  if (descriptor.attributes.empty()) return 0;
  const auto found = descriptor.attributes.find(std::string(priority_attribute));
  return found == descriptor.attributes.end() ? 0 : priority_from_text(found->second).value_or(0);
}

Resources reservation_of(const GroupRecord& group) {
  Resources sum;
  for (const auto member : members) sum.*member = group.instance.*member * group.instance_count;
  return sum;
}

bool is_within_reservation(const GroupStanding& group, const Resources& more) {
  if (group.reservation == Resources{}) return false;
  return std::all_of(members.begin(), members.end(), [&](const auto member) {
    return more.*member == 0 || group.reservation.*member == 0 ||
           group.used.*member + more.*member <= group.reservation.*member;
  });
}

bool is_borrowed(const GroupStanding& group, const Resources& amount) {
  if (group.tier != Tier::flex) return false;
  if (group.reservation == Resources{}) return true;
  return std::any_of(members.begin(), members.end(), [&](const auto member) {
    return group.reservation.*member > 0 && amount.*member > 0 &&
           group.used.*member - amount.*member >= group.reservation.*member;
  });
}

PreemptionRight right_to_preempt(const Contender& waiting, const Contender& victim) {
  const bool is_higher = waiting.priority > victim.priority;
  if (waiting.group.name == victim.group.name)
    return is_higher ? PreemptionRight::priority : PreemptionRight::none;
  if (!is_borrowed(victim.group, victim.resources)) return PreemptionRight::none;
  if (is_within_reservation(waiting.group, waiting.resources)) return PreemptionRight::reclaim;
  return is_higher && waiting.group.tier == victim.group.tier ? PreemptionRight::priority
                                                              : PreemptionRight::none;
}

}  // namespace troupe
