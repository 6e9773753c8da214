#pragma once
// Put before every file of a build with deliberate bugs: a broken check stops one simulated node, as it stops
// the process elsewhere, and the history of the cell must show the bug.

#include "storage/base/check.hpp"

namespace troupe {
struct CheckBroken {};
}  // namespace troupe

#undef TROUPE_CHECK
#define TROUPE_CHECK(condition)                      \
  do {                                               \
    if (!(condition)) throw ::troupe::CheckBroken{}; \
  } while (false)
