#include "actors/cores/task_core.hpp"
#include "actors/entities/entity_shell.hpp"

namespace troupe {
namespace {

class TaskShell : public EntityShell {
 public:
  using EntityShell::EntityShell;

  caf::behavior start() {
    return heard_by([this](const cores::TaskEvent& event) { feed(event); });
  }

 private:
  void feed(const cores::TaskEvent& event) {
    const auto facts = reads().task(home_.entity.task());
    if (!facts || facts->record.state == TaskState::finished) return rest();
    const CellPolicy policy = reads().cell_record().policy;
    for (auto& effect :
         core_.on(now(), {facts->record, *facts->descriptor, policy, home_.cared_since}, event))
      std::visit([this](auto& any) { perform(std::move(any)); }, effect);
  }

  cores::TaskCore core_;
};

}  // namespace

caf::actor spawn_task(caf::actor_system& system, const EntityHome& home) {
  return spawn_shell<TaskShell>(system, home);
}

}  // namespace troupe
