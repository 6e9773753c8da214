#pragma once
// One simulated life of a cell: a plan is carried out, then all is healed, and every promise must have been
// kept.

#include <string>
#include <vector>

#include "cmd/judges/marks.hpp"
#include "cmd/simulation/plan.hpp"

namespace troupe::simulation {

using judges::Marks;

/// What a life came to.
struct Verdict {
  enum class How : std::uint8_t {
    ok,
    violation,  ///< a promise was broken
    stuck,      ///< nothing was, but the healed cell did not come to rest in time
  };
  How how = How::ok;
  std::vector<std::string> complaints;  ///< the first ones
  std::uint64_t events = 0;             ///< messages, timers and syncs that the simulation carried out
  std::uint64_t submits = 0;            ///< acknowledged
  std::uint64_t unknown = 0;            ///< requests whose first outcome was not known
  std::uint64_t transitions = 0;        ///< of tasks
  std::uint64_t faults = 0;
  std::uint64_t followed = 0;  ///< events that followers heard
  std::uint64_t hash = 0;      ///< of the whole history
  milliseconds lived{0};       ///< virtual
  Marks marks;
};
std::string_view how_text(Verdict::How how);

/// What to tell while it happens.
struct LifeOptions {
  std::function<void(const std::string& line)> history;  ///< each step, each complaint; may be empty
};

/// Deterministic. Single-threaded; any number one after another.
Verdict live(const Plan& plan, const LifeOptions& options = {});

/// "seed=7 events=… submits=… transitions=… faults=… hash=… verdict=ok"
std::string closing_line(const Plan& plan, const Verdict& verdict);

}  // namespace troupe::simulation
