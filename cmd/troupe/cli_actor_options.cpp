#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_actor.hpp"

namespace troupe::cli {

void add_actor_options(CLI::App& app, Context& context) {
  auto* actors = app.add_subcommand("actor", "Actors: ls");
  actors->require_subcommand(1);
  auto* list =
      actors->add_subcommand("ls", "List the actors that are awake on a node, fullest mailboxes first");
  auto args = std::make_shared<ActorList>();
  add_where(*list, args->where, "only those of which this condition holds");
  auto* node = list->add_option("--node", args->node, "on this node; the asked one if absent")
                   ->check(CLI::PositiveNumber);
  auto* all = list->add_flag("--all", args->asks_all, "on all nodes, merged");
  node->excludes(all);
  list->add_option("--limit", args->limit, "actors shown")
      ->check(CLI::Range(std::uint32_t{1}, actors_shown_max))
      ->capture_default_str();
  list->footer(
      "Fields: kind, entity, node, since, mailbox, handled, nudges, restarts, wake, lastError.\n"
      "Examples:\n  troupe actor ls --node 2\n  troupe actor ls --all --where 'mailbox > 100 and kind = "
      "task'\n"
      "  troupe actor ls --all --where 'lastError is set or restarts > 0'");
  list->callback([args, &context] { finish_with(actor_list(context, *args)); });
}

}  // namespace troupe::cli
