#pragma once
// A procedure: steps, with checks between them, that are gone through for each of what a condition selects.

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::cli {

struct ProcedureStep {
  enum class Kind : std::uint8_t {
    act,      ///< do: VERB, of the API
    check,    ///< check: CONDITION, which must hold now
    await,    ///< await: CONDITION, or `gone` or (of a host) `reconnected`, until it holds
    command,  ///< command: of the operator's own, run here
    collect,  ///< collect: FOLDER, for a file with all that the cell knows of it
  };
  Kind kind = Kind::act;
  std::string text{};
  milliseconds within{0};  ///< of await and command; of check, while the cell does not answer it
};

struct Procedure {
  std::string name;
  std::string about;
  std::string over;  ///< host, job or task
  std::vector<ProcedureStep> steps;
};

constexpr std::size_t procedure_steps_max = 50;

/// YAML: {procedure, about, over, steps: [{do|check|await|command|collect: TEXT, within: 10m}]}. `values`
/// fill in what stands in {braces} for the whole run: command, into. Errors: invalid_argument, with each
/// complaint's place.
Result<Procedure> parse_procedure(std::string_view yaml,
                                  const std::vector<std::pair<std::string, std::string>>& values = {});

struct BuiltInProcedure {
  std::string_view name;
  std::string_view about;
  std::string_view needs;  ///< options that it cannot do without
  std::string_view yaml;
};
const std::vector<BuiltInProcedure>& built_in_procedures();

/// Its agent's link is another one than before the command: one that was not cut yet is not taken for it.
bool is_reconnection(const ProcedureStep& step);
/// "drain", "await taskCount = 0"
std::string step_text(const ProcedureStep& step);

}  // namespace troupe::cli
