#pragma once
// What a condition of net/api/selection.hpp selects.

#include <string>

#include "cmd/troupe/cli_context.hpp"

namespace troupe::cli {

/// "&where=...", for a list's target.
std::string where_parameter(const std::string& where);

/// How many are shown of a selection without a limit.
constexpr std::uint32_t shown_default = 100;
/// `job|task|host|actor where CONDITION [order by FIELD [desc]] [limit N]`, as a table or, with --json, as
/// {"items": [...]}. Actors are those of `node`; 0: of all nodes. Answers the exit code.
int print_selection(Context& context, const std::string& selection, std::uint32_t node = 0);

}  // namespace troupe::cli
