#include "actors/cores/group_core.hpp"

#include <algorithm>

#include "storage/state/duties.hpp"

namespace troupe::cores {

GroupStanding group_standing(const GroupRecord& group, const GroupUse& use) {
  GroupStanding standing;
  standing.is_over_cap = group.tasks_max != 0 && use.tasks > group.tasks_max;
  const auto compare = [&](const char* name, std::int64_t Resources::*member) {
    const std::int64_t reserved = group.instance.*member * static_cast<std::int64_t>(group.instance_count);
    standing.reservation.*member = reserved;
    standing.headroom.*member = std::max<std::int64_t>(reserved - use.placed.*member, 0);
    if (use.placed.*member > reserved) standing.above.emplace_back(name);
  };
  compare("cpu", &Resources::cpu_milli);
  compare("memory", &Resources::memory_mb);
  compare("disk", &Resources::disk_mb);
  compare("network", &Resources::network_mbps);
  compare("gpu", &Resources::gpu);
  compare("ports", &Resources::ports);
  return standing;
}

namespace {

/// What should be said now, if anything.
std::optional<NoteGroups::Item> due_note(Instant now, const GroupView& view) {
  const Due due = group_duty(view.condition, view.waiting_since);
  if (!due || *due > now) return std::nullopt;
  NoteGroups::Item item{view.record.name, view.condition.version, {}, 0};
  if (view.waiting_since.is_set() && view.waiting_since + group_patience <= now) {
    item.waiting_since = view.waiting_since;
    item.waiting = view.waiting;
  }
  return item;
}

}  // namespace

std::vector<GroupEffect> GroupCore::on(Instant now, const GroupView& view, const GroupEvent& event) {
  if (const auto* settled = std::get_if<Settled>(&event)) gate_.settle(now, *settled);
  if (gate_.is_waiting()) return {};
  auto note = due_note(now, view);
  if (!note) return {Rest{}};
  if (!gate_.is_open(now)) return {WakeAt{gate_.open_at()}};
  return {gate_.propose(NoteGroups{{*std::move(note)}}, 1)};
}

}  // namespace troupe::cores
