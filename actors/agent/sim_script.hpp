#pragma once
// What a simulated task does. The job says it, in its attribute `troupe.sim` or the variable TROUPE_SIM.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::agent {

/// Whose script it is: what a clause may be for.
struct SimSubject {
  std::uint32_t slot = 0;
  std::uint32_t attempt = 0;  ///< how often the slot's task was resubmitted before this one
  std::string host;
  std::string host_group;
};

/// ```
/// script   := clause (';' clause)*
/// clause   := [selector+ ':'] item*
/// selector := 'slot' NUMBERS | 'attempt' NUMBERS | 'host' NAME | 'group' NAME
/// NUMBERS  := NUMBER ['-' [NUMBER]]        3, 2-5, 2- (2 and all above)
/// item     := 'prepare=' time              how long it stays Launched; 0 by default
///           | 'start=' time                from then until it is Started; 0 by default
///           | 'run=' (time | 'forever')    how long it runs; forever, unless exit=, signal= or crash say how
///                                          it ends: then 0
///           | 'exit=' NUMBER               0..255; 0 by default
///           | 'signal=' NUMBER             1..64: ended by that signal
///           | 'crash'                      signal=11
///           | 'hang'                       is never started
///           | 'fail'                       cannot be started (reason localSystemError)
///           | 'forget'                     the driver tells nothing of it until the agent starts again
///           | 'stop=' time                 how long it takes to end after SIGTERM; 0 by default
///           | 'ignore_term'                only SIGKILL ends it
///           | 'output=' text               a line written to standard output when it starts; 'quoted' or
///                                          without blanks
///           | 'every=' time                that line again, and again
/// time     := NUMBER ('ms' | 's' | 'm')
/// ```
/// A clause holds where all of its selectors do. Clauses without one come first, wherever they stand; the
/// others override them, the later the stronger.
struct SimScript {
  milliseconds prepare{0};
  milliseconds start{0};
  std::optional<milliseconds> run;  ///< absent: forever
  int exit_code = 0;
  int signal = 0;
  bool hangs = false;
  bool fails = false;
  bool forgets = false;
  bool ignores_term = false;
  milliseconds stop{0};
  std::string line;  ///< with its line end; empty: writes nothing
  std::optional<milliseconds> every;
  friend bool operator==(const SimScript&, const SimScript&) = default;
};

/// Errors: invalid_argument, with the 1-based column; the same for every subject.
Result<SimScript> parse_sim_script(std::string_view text, const SimSubject& subject);

/// The script's text among a task's attributes and variables; empty when there is none. Attributes win.
std::string_view find_sim_script(const std::map<std::string, std::string>& attributes,
                                 const std::map<std::string, std::string>& env);

}  // namespace troupe::agent
