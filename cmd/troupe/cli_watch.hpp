#pragma once
// Watching one job until the watcher has seen enough.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "cmd/troupe/cli_context.hpp"

namespace troupe::cli {

struct TaskSight {
  std::int64_t slot = 0;
  std::string state;  ///< "Accepted", "Started", ...
};
/// A job as far as it is known here: at least as new as when watching began.
struct JobSight {
  std::string state;
  std::map<std::string, TaskSight> tasks;  ///< by id; ended ones too
  bool is_finished() const { return state == "Finished"; }
};

/// What the watcher wants next: to be called at the next change, at the latest at this time; or nothing more.
struct Stop {};
struct LookAgain {
  std::optional<Moment> at{};
};
using Next = std::variant<Stop, LookAgain>;
using Look = std::function<Next(const JobSight&)>;

/// After this long without a word from the cell, the state is read anew and the stream opened again.
constexpr milliseconds watch_idle_max{15'000};
constexpr int watch_failures_max = 20;  ///< in a row; with growing pauses about a minute and a half
/// Calls `look` at the beginning and after each change, until it stops. Breaks of the stream are mended.
/// Errors: not_found; what the cell answers for watch_failures_max times in a row.
Result<void> watch_job(Context& context, const std::string& job, const Look& look);

}  // namespace troupe::cli
