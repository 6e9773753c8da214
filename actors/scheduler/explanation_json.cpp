#include "actors/scheduler/explanation_json.hpp"

#include "actors/scheduler/resource_names.hpp"
#include "net/json/writer.hpp"

namespace troupe::scheduler {
namespace {

std::string_view standing_text(Explanation::Standing standing) {
  switch (standing) {
    case Explanation::Standing::unknown:
      return "unknown";
    case Explanation::Standing::waiting:
      return "waiting";
    case Explanation::Standing::resting:
      return "resting";
    case Explanation::Standing::in_flight:
      return "inFlight";
  }
  return {};
}

std::string_view kind_name(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::resource:
      return "resource";
    case Change::Kind::constraint:
      return "constraint";
    case Change::Kind::group:
      return "capacityGroup";
  }
  return {};
}

std::string hosts_text(std::size_t hosts) {
  return std::to_string(hosts) + (hosts == 1 ? " host takes it then" : " hosts take it then");
}

void text(json::Writer& writer, std::string_view key, std::string_view value) {
  writer.key(key);
  writer.text(value);
}
void number(json::Writer& writer, std::string_view key, std::size_t value) {
  writer.key(key);
  writer.uint(value);
}

void amounts(json::Writer& writer, std::string_view key, const Resources& resources) {
  writer.key(key);
  writer.begin_object();
  for (const ResourceName& resource : resource_names) {
    writer.key(resource.name);
    writer.integer(resources.*resource.member);
  }
  writer.end_object();
}

void failures_json(json::Writer& writer, const Explanation& explanation) {
  writer.key("failures");
  writer.begin_object();
  writer.key("failures");
  writer.begin_array();
  for (const auto& [reason, hosts] : explanation.reasons) {
    writer.begin_object();
    text(writer, "reason", reason);
    number(writer, "failureCount", hosts);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
}

void queue_json(json::Writer& writer, const Explanation& explanation) {
  writer.key("queue");
  writer.begin_object();
  text(writer, "standing", standing_text(explanation.standing));
  number(writer, "position", explanation.position);
  number(writer, "hosts", explanation.hosts);
  number(writer, "fitting", explanation.fitting);
  text(writer, "lastRefusal", explanation.last_refusal);
  writer.end_object();
}

void group_json(json::Writer& writer, const GroupShare& group) {
  writer.key("capacityGroup");
  writer.begin_object();
  text(writer, "name", group.name);
  text(writer, "tier", tier_text(group.tier));
  amounts(writer, "reservation", group.reservation);
  amounts(writer, "used", group.used);
  writer.key("isAboveReservation");
  writer.boolean(group.is_above);
  writer.key("isAtCeiling");
  writer.boolean(group.is_capped);
  writer.end_object();
}

void nearest_json(json::Writer& writer, const Explanation& explanation) {
  writer.key("nearest");
  writer.begin_array();
  for (const NearHost& near : explanation.nearest) {
    writer.begin_object();
    text(writer, "host", near.name);
    writer.key("lacks");
    writer.begin_array();
    for (const Lack& lack : near.lacks) {
      writer.begin_object();
      text(writer, "reason", lack.reason);
      text(writer, "detail", lack.detail);
      writer.end_object();
    }
    writer.end_array();
    writer.end_object();
  }
  writer.end_array();
}

void changes_json(json::Writer& writer, const Explanation& explanation) {
  writer.key("changes");
  writer.begin_array();
  for (const Change& change : explanation.changes) {
    writer.begin_object();
    text(writer, "kind", kind_name(change.kind));
    text(writer, "what", change.what);
    if (change.kind == Change::Kind::resource) {
      writer.key("from");
      writer.integer(change.from);
      writer.key("to");
      writer.integer(change.to);
    }
    number(writer, "hosts", change.hosts);
    text(writer, "sentence", sentence_of(change));
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

std::string sentence_of(const Change& change) {
  switch (change.kind) {
    case Change::Kind::resource:
      return "ask for at most " + std::to_string(change.to) + " of " + change.what + " instead of " +
             std::to_string(change.from) + ": " + hosts_text(change.hosts);
    case Change::Kind::constraint:
      return "give up the constraint " + change.what + ": " + hosts_text(change.hosts);
    case Change::Kind::group:
      return "raise the reservation of capacity group " + change.what +
             ", which is its ceiling: " + hosts_text(change.hosts);
  }
  return {};
}

std::string explanation_json(TaskId task, const Explanation& explanation) {
  json::Writer writer;
  writer.begin_object();
  text(writer, "taskId", to_text(task));
  failures_json(writer, explanation);
  queue_json(writer, explanation);
  group_json(writer, explanation.group);
  nearest_json(writer, explanation);
  changes_json(writer, explanation);
  writer.end_object();
  return writer.take();
}

}  // namespace troupe::scheduler
