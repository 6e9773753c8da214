#include "actors/console/actors_report.hpp"

#include "actors/console/entity_report.hpp"
#include "actors/console/record_json.hpp"

namespace troupe::console {
namespace {

void put_members(json::Writer& writer, const AwakeTold::Awake& awake) {
  put(writer, "since", awake.since);
  put(writer, "mailbox", awake.waiting);
  put(writer, "handled", awake.handled);
  put(writer, "nudges", awake.nudges);
  put(writer, "restarts", awake.restarts);
  put(writer, "wake", awake.wake);
  put(writer, "lastError", awake.last_error);
}

void put_kinds(json::Writer& writer, const std::vector<AwakeTold::Kind>& kinds) {
  writer.key("kinds");
  writer.begin_array();
  for (const AwakeTold::Kind& kind : kinds) {
    writer.begin_object();
    put(writer, "kind", kind.kind);
    put(writer, "awake", kind.awake);
    put(writer, "mailbox", kind.waiting);
    put(writer, "mailboxMax", kind.waiting_max);
    put(writer, "handled", kind.handled);
    put(writer, "activations", kind.activations);
    put(writer, "crashes", kind.crashes);
    writer.end_object();
  }
  writer.end_array();
}

void put_awake(json::Writer& writer, const Reads& reads, const AwakeTold& told) {
  put_kinds(writer, told.kinds);
  put(writer, "leftOut", told.left_out);
  writer.key("entities");
  writer.begin_array();
  for (const AwakeTold::Awake& awake : told.awake) {
    writer.begin_object();
    put(writer, "entity", text_of(reads, awake.entity));
    put_members(writer, awake);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

std::string actors_json(const NodeContext& node, const ActorsFound& found) {
  json::Writer writer;
  writer.begin_object();
  put(writer, "node", node.self);
  if (!found.mailboxes.empty()) {
    writer.key("nodeActors");
    writer.begin_array();
    for (const auto& [name, waiting] : found.mailboxes) {
      writer.begin_object();
      put(writer, "actor", name);
      put(writer, "mailbox", waiting);
      writer.end_object();
    }
    writer.end_array();
  }
  if (found.awake) put_awake(writer, node.reads(), *found.awake);
  if (found.asks_entities && !found.awake) put(writer, "entitiesUnknown", found.why_not);
  writer.end_object();
  return writer.take();
}

std::string selected_json(const NodeContext& node, const api::Selection& selection, const AwakeTold& told) {
  const std::size_t listed_max = std::min(selection.limit.value_or(awake_listed_max), awake_selected_max);
  std::size_t selected = 0;
  json::Writer writer;
  writer.begin_object();
  put(writer, "node", node.self);
  writer.key("items");
  writer.begin_array();
  for (const AwakeTold::Awake& awake : told.awake) {
    const std::string entity = text_of(node.reads(), awake.entity);
    const api::ActorSubject subject{awake.entity.kind, entity,          node.self,    awake.since,
                                    awake.waiting,     awake.handled,   awake.nudges, awake.restarts,
                                    awake.wake,        awake.last_error};
    if (!selection.condition.holds(subject, node.now()) || ++selected > listed_max) continue;
    writer.begin_object();
    put(writer, "kind", awake.entity.kind);
    put(writer, "entity", entity);
    put(writer, "node", node.self);
    put_members(writer, awake);
    writer.end_object();
  }
  writer.end_array();
  writer.key("pagination");
  writer.begin_object();
  put(writer, "hasMore", selected > listed_max);
  put(writer, "totalItems", selected);
  writer.end_object();
  put(writer, "notLookedAt", told.left_out);
  writer.end_object();
  return writer.take();
}

std::string actor_json(const NodeContext& node, const EntityRef& entity, const AwakeTold& told) {
  json::Writer writer;
  writer.begin_object();
  put(writer, "node", node.self);
  put(writer, "entity", text_of(node.reads(), entity));
  put(writer, "awake", !told.awake.empty());
  if (!told.awake.empty()) put_members(writer, told.awake.front());
  writer.end_object();
  return writer.take();
}

}  // namespace troupe::console
