#pragma once
// One entity as the state has it, and which entities are set aside. Any thread; the archive is read from disk
// in microseconds, nothing else waits.

#include <optional>
#include <string>
#include <string_view>

#include "actors/node/node_context.hpp"
#include "net/json/value.hpp"

namespace troupe::console {

constexpr std::size_t slots_listed_max = 200;
constexpr std::size_t tasks_listed_max = 200;
constexpr std::size_t duties_walked_max =
    100'000;  ///< to find one entity's; it is told when this was not enough
constexpr std::size_t set_aside_walked_max = 20'000;  ///< of one call; the answer says where to go on

/// What an operator named.
struct Target {
  EntityRef entity;
  std::string group;  ///< name; groups alone have no number
  std::string text() const { return group.empty() ? entity.text() : "group/" + group; }
};
/// As people name it: a group by its name.
std::string text_of(const Reads& reads, const EntityRef& entity);
/// "job/ID", "task/ID", "host/NAME or NUMBER", "group/NAME". Errors: invalid_argument, not_found (no such
/// host).
Result<Target> target_of(const Reads& reads, std::string_view text);

/// Everything about it; `actor` is what its owner says of its actor, null if nobody could be asked.
/// Errors: not_found, io.
Result<std::string> show_json(const NodeContext& context, const Target& target, const json::Value& actor);

/// What the entity's core would do if it were asked now; empty where that follows from more than the state.
std::string next_step(const NodeContext& context, const EntityRef& entity);

/// One stretch of the walk over hosts, jobs and tasks: {"setAside":[{entity, why}], "walked", "next"}, `next`
/// being the position to go on from, null at the end. Error: invalid_argument, no such position.
Result<std::string> set_aside_json(const NodeContext& context, std::string_view position,
                                   std::size_t walked_max = set_aside_walked_max);

}  // namespace troupe::console
