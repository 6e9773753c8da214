#pragma once

#include <algorithm>
#include <array>

#include "storage/base/msgpack.hpp"
#include "storage/model/state.hpp"

namespace troupe {

/// When and why a task entered a state. Unset time: never entered, or not yet.
struct Step {
  Instant at;
  Reason reason = Reason::none;
  static constexpr auto fields() {
    return field_list(field("at", &Step::at), field("reason", &Step::reason));
  }
  friend bool operator==(const Step&, const Step&) = default;
};

/// A task's step into each state, eight bytes each: a million live tasks carry them. Packed like an array of
/// steps.
class TaskSteps {
 public:
  /// State time stays far below it (the year 1,000,000); a record that says more is damaged.
  static constexpr std::int64_t at_ms_max = std::int64_t{1} << 55;

  Step operator[](TaskState state) const {
    const std::int64_t both = steps_[static_cast<std::size_t>(state)];
    return {{both >> reason_bits}, static_cast<Reason>(both & reason_mask)};
  }
  /// A time beyond the bound is held at it.
  void enter(TaskState state, Step step) {
    const std::int64_t ms = std::clamp(step.at.ms, -at_ms_max, at_ms_max - 1);
    steps_[static_cast<std::size_t>(state)] =
        ms * (1 << reason_bits) + static_cast<std::int64_t>(step.reason);
  }
  friend bool operator==(const TaskSteps&, const TaskSteps&) = default;

 private:
  static constexpr int reason_bits = 8;
  static constexpr std::int64_t reason_mask = 0xff;
  static_assert(sizeof(Reason) == 1);
  std::array<std::int64_t, task_state_count> steps_{};  ///< milliseconds above, reason below
};

inline void pack(PackWriter& w, const TaskSteps& steps) {
  w.array(task_state_count);
  for (std::size_t n = 0; n < task_state_count; ++n) pack(w, steps[static_cast<TaskState>(n)]);
}

inline void unpack(PackReader& r, TaskSteps& steps) {
  if (r.array() != task_state_count) return r.fail();
  for (std::size_t n = 0; n < task_state_count && !r.failed(); ++n) {
    Step step;
    unpack(r, step);
    if (step.at.ms >= TaskSteps::at_ms_max || step.at.ms < -TaskSteps::at_ms_max) return r.fail();
    steps.enter(static_cast<TaskState>(n), step);
  }
}

}  // namespace troupe
