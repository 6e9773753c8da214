#include "actors/cores/job_core.hpp"
#include "actors/entities/entity_shell.hpp"

namespace troupe {
namespace {

class JobShell : public EntityShell {
 public:
  JobShell(caf::event_based_actor* self, EntityHome home)
      : EntityShell(self, std::move(home)), core_(Random(home_.seed)) {}

  caf::behavior start() {
    return heard_by([this](const cores::JobEvent& event) { feed(event); });
  }

 private:
  void feed(const cores::JobEvent& event) {
    std::vector<cores::JobEffect> effects;
    bool lives = false;
    reads().with_job(home_.entity.job(), [&](const JobView& view) {
      lives = view.record.state != JobState::finished;
      if (lives) effects = core_.on(now(), view, event);
    });
    if (!lives) return rest();
    for (auto& effect : effects) std::visit([this](auto& any) { perform(std::move(any)); }, effect);
  }

  cores::JobCore core_;
};

}  // namespace

caf::actor spawn_job(caf::actor_system& system, const EntityHome& home) {
  return spawn_shell<JobShell>(system, home);
}

}  // namespace troupe
