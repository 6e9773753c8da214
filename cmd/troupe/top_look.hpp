#pragma once
// Asking the cell what `top` shows.

#include "cmd/troupe/cli_context.hpp"
#include "cmd/troupe/top_core.hpp"

namespace troupe::cli {

constexpr std::uint32_t top_rows_max = 200;  ///< of a view

/// Several requests, one after another; at another node where the attached one is dead. What goes wrong is
/// the answer's problem.
TopAnswer look_for_top(Context& context, const TopWish& wish);

}  // namespace troupe::cli
