#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"

namespace troupe::console {

constexpr std::size_t awake_listed_max = 100;

/// What the actors of a node answered; those that did not in time are null or named in `why_not`.
struct ActorsFound {
  bool asks_entities = false;
  std::optional<AwakeTold> awake;
  std::string why_not;  ///< the directory told nothing
  std::vector<std::pair<std::string, std::optional<std::size_t>>>
      mailboxes;  ///< the node's own actors, by name
};

std::string actors_json(const NodeContext& node, const ActorsFound& found);
/// `told` has one entity or none.
std::string actor_json(const NodeContext& node, const EntityRef& entity, const AwakeTold& told);

}  // namespace troupe::console
