#pragma once

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"

namespace troupe {

/// Answers AskConsole about this node, its actors and any entity as JSON (console_commands.hpp has the
/// table). Always answers: what an actor does not tell within `actors_patience` is left out, and said to be.
/// Keeps nothing but the questions under way; walks are bounded, so that no command holds its thread for more
/// than some milliseconds.
caf::actor spawn_console(caf::actor_system& system, const ContextPtr& context);

namespace console {
constexpr milliseconds actors_patience{1'000};    ///< for this node's own actors
constexpr milliseconds owner_patience{2'000};     ///< for another node; below the gateway's own patience
constexpr std::size_t questions_max = 1'000;      ///< under way; beyond: overloaded
constexpr std::size_t command_bytes_max = 8'192;  ///< beyond: invalid_argument
}  // namespace console

}  // namespace troupe
