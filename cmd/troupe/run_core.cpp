#include "cmd/troupe/run_core.hpp"

#include <algorithm>

namespace troupe::cli {

RunCore::RunCore(std::size_t entities, std::vector<ProcedureStep> steps, std::size_t at_once)
    : entities_(entities), steps_(std::move(steps)), at_once_(std::max<std::size_t>(at_once, 1)) {}

std::size_t RunCore::count(State state) const {
  return static_cast<std::size_t>(std::ranges::count(entities_, state, &Entity::state));
}

std::vector<RunCore::Turn> RunCore::turns(Moment now) {
  std::vector<Turn> turns;
  if (stopped_) return turns;
  std::size_t going = count(State::under_way);
  for (std::size_t n = 0; n < entities_.size(); ++n) {
    Entity& entity = entities_[n];
    if (entity.state == State::waiting && going < at_once_) {
      entity.state = State::under_way;
      ++going;
    }
    if (entity.state != State::under_way) continue;
    if (!entity.since) entity.since = now;
    turns.push_back({n, entity.step});
  }
  return turns;
}

void RunCore::step_done(std::size_t entity) {
  Entity& one = entities_.at(entity);
  one.since.reset();
  if (++one.step == steps_.size()) one.state = State::done;
}

bool RunCore::not_yet(std::size_t entity, Moment now) {
  const Entity& one = entities_.at(entity);
  if (!one.since || now - *one.since < steps_.at(one.step).within) return false;
  failed(entity);
  return true;
}

void RunCore::failed(std::size_t entity) {
  entities_.at(entity).state = State::failed;
  stopped_ = true;
}

bool RunCore::is_over() const {
  return stopped_ ||
         std::ranges::all_of(entities_, [](const Entity& one) { return one.state == State::done; });
}

}  // namespace troupe::cli
