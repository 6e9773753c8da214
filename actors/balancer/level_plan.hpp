#pragma once
// When the cell's feature level may rise. Pure.

#include <optional>
#include <span>

#include "storage/model/records.hpp"

namespace troupe {

/// The feature level to raise the cell to, one above its own: every member, learners included, was heard of
/// late and its build knows the level, and the policy allows it. `known`: by member, this node's too;
/// nullopt: not heard.
std::optional<std::uint32_t> next_level(const CellRecord& cell,
                                        std::span<const std::optional<std::uint32_t>> known);

/// May an empty log be made a cell with this policy? Limits that a level brings are in the state from the
/// first entry on, when no level is reached yet: every member's build must know them. `known`: as above.
bool may_bootstrap(const CellPolicy& policy, std::span<const std::optional<std::uint32_t>> known);

}  // namespace troupe
