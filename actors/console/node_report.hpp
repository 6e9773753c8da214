#pragma once
// What a node knows of itself and of the whole cell, as JSON. Any thread; nothing here waits.

#include <optional>
#include <string>

#include "actors/node/node_context.hpp"

namespace troupe::console {

constexpr std::size_t duties_listed_max = 200;
constexpr std::size_t duties_counted_max = 10'000;  ///< of one shard; a count at this bound means "or more"

std::string help_json();
std::string node_json(const NodeContext& context);
std::string shards_json(const NodeContext& context);
/// The earliest ones, of one shard or of all. Error: not_found, no such shard.
Result<std::string> duties_json(const NodeContext& context, std::optional<ShardId> shard);
std::string requests_json(const NodeContext& context);

}  // namespace troupe::console
