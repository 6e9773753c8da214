#include "actors/directory/awake_report.hpp"

namespace troupe {
namespace {

bool is_asked_for(const TellAwake& question, const EntityRef& entity) {
  if (question.entity) return *question.entity == entity;
  return !question.kind || *question.kind == entity.kind;
}

AwakeTold::Kind sums_of(const Activations& activations, EntityKind kind) {
  const Activations::Past& past = activations.past(kind);
  AwakeTold::Kind sums{kind, 0, 0, 0, past.handled, past.activations, past.crashes};
  for (const auto& [entity, active] : activations.active()) {
    if (entity.kind != kind) continue;
    ++sums.awake;
    sums.waiting += active.waiting();
    sums.waiting_max = std::max(sums.waiting_max, active.waiting());
    sums.handled += active.handled();
  }
  return sums;
}

AwakeTold::Awake line_of(const Activations& activations, const EntityRef& entity,
                         const Activations::Active& active) {
  return {entity,           active.since,     active.waiting(),
          active.handled(), active.nudges,    static_cast<std::uint64_t>(activations.crashes(entity)),
          active.wake,      active.last_error};
}

}  // namespace

AwakeTold awake_report(const Activations& activations, const TellAwake& question) {
  AwakeTold told;
  for (const EntityKind kind : {EntityKind::job, EntityKind::task, EntityKind::host, EntityKind::group})
    if (!question.kind || *question.kind == kind) told.kinds.push_back(sums_of(activations, kind));
  // Fullest first, then the busiest; equal ones in the order of their names.
  const auto before = [](const auto& a, const auto& b) {
    return std::tie(b.waiting, b.handled, a.entity) < std::tie(a.waiting, a.handled, b.entity);
  };
  for (const auto& [entity, active] : activations.active())
    if (is_asked_for(question, entity)) told.awake.push_back(line_of(activations, entity, active));
  const std::size_t kept = std::min(question.limit, told.awake.size());
  std::partial_sort(told.awake.begin(), told.awake.begin() + static_cast<std::ptrdiff_t>(kept),
                    told.awake.end(), before);
  told.left_out = told.awake.size() - kept;
  told.awake.resize(kept);
  return told;
}

}  // namespace troupe
