#pragma once

#include "cmd/troupe/cli_context.hpp"

namespace troupe::cli {

enum class Pages : std::uint8_t { first, all };
/// Prints the tasks of a list, as a table or, with --json, as they came. Answers the exit code.
int print_tasks(Context& context, CellClient& client, const std::string& target, Pages pages);

}  // namespace troupe::cli
