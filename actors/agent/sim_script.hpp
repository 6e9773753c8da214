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

/// script  := clause (';' clause)*        Clauses are read in order; those of a slot override the general
/// ones. clause  := ['slot' NUMBER ':'] item* item    := 'start=' time               until it is started; 0
/// by default
///          | 'run=' (time | 'forever')   how long it runs; forever, unless exit=, signal= or crash say how
///          it ends: then 0 | 'exit=' NUMBER              0..255; 0 by default | 'signal='
///          NUMBER            1..64: ended by that signal | 'crash'                     signal=11 | 'hang' is
///          never started | 'fail'                      cannot be started (reason localSystemError) | 'stop='
///          time                how long it takes to end after SIGTERM; 0 by default | 'ignore_term' only
///          SIGKILL ends it | 'output=' text              a line written to standard output when it starts;
///          'quoted' or without blanks | 'every=' time               that line again, and again
/// time    := NUMBER ('ms' | 's' | 'm')
struct SimScript {
  milliseconds start{0};
  std::optional<milliseconds> run;  ///< absent: forever
  int exit_code = 0;
  int signal = 0;
  bool hangs = false;
  bool fails = false;
  bool ignores_term = false;
  milliseconds stop{0};
  std::string line;  ///< with its line end; empty: writes nothing
  std::optional<milliseconds> every;
  friend bool operator==(const SimScript&, const SimScript&) = default;
};

/// Errors: invalid_argument, with the 1-based column.
Result<SimScript> parse_sim_script(std::string_view text, std::uint32_t slot);

/// The script's text among a task's attributes and variables; empty when there is none. Attributes win.
std::string_view find_sim_script(const std::map<std::string, std::string>& attributes,
                                 const std::map<std::string, std::string>& env);

}  // namespace troupe::agent
