#pragma once
// A procedure's way through many entities, so many at a time. Pure.

#include <optional>
#include <string>
#include <vector>

#include "cmd/troupe/procedure.hpp"

namespace troupe::cli {

/// Entities begin in order; each goes through the steps in order. The first that fails ends it: nobody begins
/// another step, and what was under way stays where it is.
class RunCore {
 public:
  enum class State : std::uint8_t { waiting, under_way, done, failed };
  struct Turn {
    std::size_t entity = 0;
    std::size_t step = 0;
  };

  RunCore(std::size_t entities, std::vector<ProcedureStep> steps, std::size_t at_once);
  /// Who is at which step, and should try it now.
  std::vector<Turn> turns(Moment now);
  void step_done(std::size_t entity);
  /// Its condition does not hold yet. Answers whether its time is over: then it has failed.
  bool not_yet(std::size_t entity, Moment now);
  void failed(std::size_t entity);
  /// Nobody begins another step.
  void stop() { stopped_ = true; }
  bool is_over() const;
  bool is_stopped() const { return stopped_; }

  State state(std::size_t entity) const { return entities_.at(entity).state; }
  std::size_t step(std::size_t entity) const { return entities_.at(entity).step; }
  std::size_t count(State state) const;

 private:
  struct Entity {
    State state = State::waiting;
    std::size_t step = 0;
    std::optional<Moment> since;  ///< when its step was tried first
  };
  std::vector<Entity> entities_;
  std::vector<ProcedureStep> steps_;
  std::size_t at_once_;
  bool stopped_ = false;
};

}  // namespace troupe::cli
