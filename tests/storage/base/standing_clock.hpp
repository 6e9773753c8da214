#pragma once

#include "storage/base/time.hpp"

namespace troupe {

/// Goes where the test sets it; wall and steady time go together.
class StandingClock final : public Clock {
 public:
  Instant wall() const override { return now; }
  Moment steady() const override { return {now.ms * 1'000'000}; }
  Instant now{1'800'000'000'000};
};

}  // namespace troupe
