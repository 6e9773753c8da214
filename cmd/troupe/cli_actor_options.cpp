#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_actor.hpp"

namespace troupe::cli {

void add_actor_options(CLI::App& app, Context& context) {
  auto* actors = app.add_subcommand("actor", "Actors: ls, restart, release");
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
  const auto on_entity = [&](const char* name, const char* help, const char* footer,
                             int (*act)(Context&, const std::string&)) {
    auto* sub = actors->add_subcommand(name, help);
    auto entity = std::make_shared<std::string>();
    sub->add_option("entity", *entity, "job/ID, task/ID, host/NAME or group/NAME")->required();
    sub->footer(footer);
    sub->callback([entity, act, &context] { finish_with(act(context, *entity)); });
  };
  on_entity("restart", "Give an entity a new actor, on the node that owns it",
            "Nothing that runs notices; a host's agent connects anew. It is in the audit as note_operation.\n"
            "Example:\n  troupe actor restart host/host-7 --reason 'it does not answer'",
            actor_restart);
  on_entity("release", "End the quarantine of an entity whose actor crashed again and again",
            "`troupe console -c set-aside` lists them, `show` says why.\n"
            "Example:\n  troupe actor release job/6f1c2a --reason 'mended in build 12'",
            actor_release);
}

}  // namespace troupe::cli
