#pragma once

#include <string>

#include "actors/scheduler/facts.hpp"

namespace troupe::scheduler {

/// Titus' placement result of a waiting task, {"taskId", "failures": {"failures": [{"reason",
/// "failureCount"}]}}, and our "queue": {"standing", "position", "hosts", "fitting", "lastRefusal"}.
std::string explanation_json(TaskId task, const Explanation& explanation);

}  // namespace troupe::scheduler
