#include "actors/console/entity_report.hpp"
#include "actors/cores/group_core.hpp"
#include "actors/cores/job_core.hpp"
#include "actors/cores/task_core.hpp"
#include "storage/model/command_table.hpp"

namespace troupe::console {
namespace {

std::size_t items_in(const CommandBody& body) {
  return std::visit(
      [](const auto& any) -> std::size_t {
        if constexpr (requires { any.items.size(); })
          return any.items.size();
        else
          return 1;
      },
      body);
}

std::string effect_text(const cores::Propose& propose) {
  const auto number = static_cast<std::uint16_t>(propose.body.index() + 1);
  return "propose " + std::string(command_row(number).name) + " of " + std::to_string(items_in(propose.body));
}
std::string effect_text(const cores::WakeAt& wake) { return "look again at " + to_text(wake.at); }
std::string effect_text(const cores::Rest&) { return "rest"; }

template <class Effect>
std::string effects_text(const std::vector<Effect>& effects) {
  if (effects.empty()) return "nothing";
  return std::visit([](const auto& effect) { return effect_text(effect); }, effects.front());
}

std::string next_of(const NodeContext& context, const JobId& id) {
  std::string next;
  context.reads().with_job(id, [&](const JobView& view) {
    if (!view.record.set_aside.empty()) {
      next = "nothing: it is set aside";
      return;
    }
    // The ids that it mints are thrown away: any seed will do.
    cores::JobCore core{Random(0)};
    next = effects_text(core.on(context.now(), view, cores::Look{}));
  });
  return next;
}

std::string next_of(const NodeContext& context, const TaskId& id) {
  const auto facts = context.reads().task(id);
  if (!facts) return {};
  if (!facts->record.set_aside.empty()) return "nothing: it is set aside";
  const CellPolicy policy = context.reads().cell_record().policy;
  cores::TaskCore core;
  return effects_text(core.on(context.now(), {facts->record, *facts->descriptor, policy}, cores::Look{}));
}

std::string next_of_group(const NodeContext& context, const EntityRef& entity) {
  const auto name = context.reads().group_name(entity);
  const auto view = name ? context.reads().group(*name) : std::nullopt;
  if (!view) return {};
  if (!view->condition.set_aside.empty()) return "nothing: it is set aside";
  cores::GroupCore core;
  return effects_text(core.on(context.now(), *view, cores::Look{}));
}

}  // namespace

std::string next_step(const NodeContext& context, const EntityRef& entity) {
  switch (entity.kind) {
    case EntityKind::job:
      return next_of(context, entity.job());
    case EntityKind::task:
      return next_of(context, entity.task());
    case EntityKind::group:
      return next_of_group(context, entity);
    case EntityKind::host:  // Follows from what its agent says, which only its actor knows.
      return {};
  }
  return {};
}

}  // namespace troupe::console
