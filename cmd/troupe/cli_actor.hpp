#pragma once
// The actors that are awake on a node, or on all of them.

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "net/json/value.hpp"

namespace troupe::cli {

constexpr std::uint32_t actors_shown_max = 1'000;  ///< of one node's answer

struct ActorsChosen {
  std::vector<json::Value> items;
  std::int64_t total = 0;                                  ///< of which the condition holds
  std::int64_t not_looked_at = 0;                          ///< awake, too many to be looked at
  std::vector<std::pair<std::string, Error>> no_answer{};  ///< by the node's number
};
/// Fullest mailboxes first. Errors: the node's; with `all`, only if no node could be named.
Result<ActorsChosen> choose_actors(Context& context, const ActorList& args);
/// To `err`: which nodes did not answer, and what was not looked at. Answers the exit code.
int tell_missing(Context& context, const ActorsChosen& chosen);

}  // namespace troupe::cli
