#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"
#include "net/api/selection.hpp"

namespace troupe::console {

constexpr std::size_t awake_listed_max = 100;
constexpr std::size_t awake_walked_max = 10'000;     ///< by a condition; how many were not is told
constexpr std::uint32_t awake_selected_max = 1'000;  ///< in one answer; how many are selected is told

/// What the actors of a node answered; those that did not in time are null or named in `why_not`.
struct ActorsFound {
  bool asks_entities = false;
  std::optional<AwakeTold> awake;
  std::string why_not;  ///< the directory told nothing
  std::vector<std::pair<std::string, std::optional<std::size_t>>>
      mailboxes;  ///< the node's own actors, by name
};

std::string actors_json(const NodeContext& node, const ActorsFound& found);
/// Those of `told` of which the condition holds: {"node", "items", "pagination", "notLookedAt"}.
std::string selected_json(const NodeContext& node, const api::Selection& selection, const AwakeTold& told);
/// `told` has one entity or none.
std::string actor_json(const NodeContext& node, const EntityRef& entity, const AwakeTold& told);

}  // namespace troupe::console
