#include "cmd/troupe/cli_actor.hpp"

#include <algorithm>
#include <ostream>

#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_nodes.hpp"
#include "cmd/troupe/cli_rows.hpp"
#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

std::string actors_target(const ActorList& args, const std::string& node) {
  std::string target = "/api/v3/actors?limit=" + std::to_string(args.limit);
  if (!args.where.empty()) target += where_parameter(args.where);
  if (!node.empty()) target += "&node=" + node;
  return target;
}

void take_actors(const json::Value& answer, ActorsChosen& chosen) {
  const auto& items = items_of(answer);
  chosen.items.insert(chosen.items.end(), items.begin(), items.end());
  chosen.total += integer_at(answer, "pagination/totalItems");
  chosen.not_looked_at += integer_at(answer, "notLookedAt");
}

/// Each node once; one that does not answer is told as such.
Result<ActorsChosen> of_all_nodes(const Context& context, CellClient& client, const ActorList& args) {
  const auto nodes = nodes_known(client);
  if (!nodes.ok()) return nodes.error();
  const auto told = ask_each(nodes.value(), [&](const CellNode& node) {
    return context.client().get(actors_target(args, std::to_string(node.number)));
  });
  ActorsChosen chosen;
  for (std::size_t n = 0; n < told.size(); ++n) {
    const auto& answer = told[n];
    if (answer.ok())
      take_actors(answer.value().value, chosen);
    else if (answer.error().code == ErrorCode::invalid_argument)
      return answer.error();
    else
      chosen.no_answer.emplace_back(std::to_string(nodes.value()[n].number), answer.error());
  }
  std::stable_sort(chosen.items.begin(), chosen.items.end(), [](const json::Value& a, const json::Value& b) {
    return integer_at(a, "mailbox") > integer_at(b, "mailbox");
  });
  chosen.items.resize(std::min<std::size_t>(chosen.items.size(), args.limit));
  return chosen;
}

}  // namespace

Result<ActorsChosen> choose_actors(Context& context, const ActorList& args) {
  return read_anywhere<ActorsChosen>(context, [&](CellClient& client) -> Result<ActorsChosen> {
    if (args.asks_all) return of_all_nodes(context, client, args);
    const auto answer = client.get(actors_target(args, args.node == 0 ? "" : std::to_string(args.node)));
    if (!answer.ok()) return answer.error();
    ActorsChosen chosen;
    take_actors(answer.value().value, chosen);
    return chosen;
  });
}

int tell_missing(Context& context, const ActorsChosen& chosen) {
  if (chosen.not_looked_at > 0)
    context.io.err << "troupe: " << chosen.not_looked_at
                   << " more are awake and were not looked at: those with the emptiest mailboxes\n";
  for (const auto& [node, error] : chosen.no_answer)
    context.io.err << "troupe: node " << node << " did not answer: " << printable(error.message) << '\n';
  return chosen.no_answer.empty() ? exit_ok : exit_code_of(chosen.no_answer.front().second);
}

Table actor_table() {
  return Table({"ENTITY", "NODE", "MAILBOX", "HANDLED", "NUDGES", "RESTARTS", "SINCE", "WAKE", "LAST ERROR"});
}

void add_actor_row(Table& table, const json::Value& actor, Instant) {
  table.add({text_at(actor, "entity"), text_at(actor, "node"), text_at(actor, "mailbox"),
             text_at(actor, "handled"), text_at(actor, "nudges"), text_at(actor, "restarts"),
             text_at(actor, "since"), text_at(actor, "wake"), text_at(actor, "lastError")});
}

int actor_list(Context& context, const ActorList& args) {
  const auto chosen = choose_actors(context, args);
  if (!chosen.ok()) return report(context.io.err, chosen.error());
  const ActorsChosen& actors = chosen.value();
  if (context.options.wants_json) {
    json::Writer writer;
    writer.begin_object();
    writer.key("items");
    json::write_value(writer, actors.items);
    writer.key("totalItems");
    writer.integer(actors.total);
    writer.end_object();
    print_json(context, writer.take());
  } else {
    Table table = actor_table();
    for (const auto& item : actors.items) add_actor_row(table, item, context.io.clock.wall());
    table.print(context.io.out);
  }
  const auto more = actors.total - static_cast<std::int64_t>(actors.items.size());
  if (more > 0) context.io.err << "there are " << more << " more: --limit shows more\n";
  return tell_missing(context, actors);
}

namespace {

/// POST to an entity's path, which is `before`, its kind and id, and `behind`.
int act_on_entity(Context& context, const std::string& entity, const std::string& before,
                  const std::string& behind, std::string_view done) {
  auto client = context.client();
  const auto slash = entity.find('/');
  const std::string kind = entity.substr(0, slash);
  std::string id = slash == std::string::npos ? std::string() : entity.substr(slash + 1);
  if (id.empty()) {
    context.io.err << "troupe: name the entity as job/ID, task/ID, host/NAME or group/NAME\n";
    return exit_usage;
  }
  if (kind == "job" || kind == "task") {
    const auto whole = whole_id(client, kind == "job" ? IdOf::job : IdOf::task, id);
    if (!whole.ok()) return report(context.io.err, whole.error());
    id = whole.value();
  }
  const auto answer = client.change("POST", before + url_text(kind) + '/' + url_text(id) + behind);
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << done << ' ' << printable(kind) << '/' << printable(id) << '\n';
  return exit_ok;
}

}  // namespace

int actor_restart(Context& context, const std::string& entity) {
  return act_on_entity(context, entity, "/api/v3/actors/", "/restart", "restarted the actor of");
}

int actor_release(Context& context, const std::string& entity) {
  return act_on_entity(context, entity, "/api/v3/entities/", "/release", "released");
}

}  // namespace troupe::cli
