#pragma once

#include <string>

#include "actors/scheduler/facts.hpp"

namespace troupe::scheduler {

/// {"standing", "position", "hosts", "fitting", "reasons": {reason: hosts}, "lastRefusal"}
std::string explanation_json(const Explanation& explanation);

}  // namespace troupe::scheduler
