#include "actors/cores/group_core.hpp"
#include "actors/entities/entity_shell.hpp"
#include "actors/runtime/logging.hpp"

namespace troupe {
namespace {

class GroupShell : public EntityShell {
 public:
  using EntityShell::EntityShell;

  caf::behavior start() {
    return heard_by([this](const cores::GroupEvent& event) { feed(event); });
  }

 private:
  void feed(const cores::GroupEvent& event) {
    const auto name = reads().group_name(home_.entity);
    const auto view = name ? reads().group(*name) : std::nullopt;
    if (!view) return rest();
    for (auto& effect : core_.on(now(), *view, event))
      std::visit([&](auto& any) { perform_group(*view, std::move(any)); }, effect);
  }

  void perform_group(const GroupView& view, cores::Propose propose) {
    const bool is_over = !std::get<NoteGroups>(propose.body).items.front().waiting_since.is_set();
    if (is_over)
      logging::info("group_alert_over group={}", view.record.name);
    else
      logging::warn("group_waits group={} waiting={} since={}", view.record.name, view.waiting,
                    to_text(view.waiting_since));
    perform(std::move(propose));
  }
  template <class Effect>
  void perform_group(const GroupView&, Effect effect) {
    perform(effect);
  }

  cores::GroupCore core_;
};

}  // namespace

caf::actor spawn_group(caf::actor_system& system, const EntityHome& home) {
  return spawn_shell<GroupShell>(system, home);
}

}  // namespace troupe
