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
    case Explanation::Standing::preempting:
      return "preempting";
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
  if (explanation.gang > 0) {
    number(writer, "gang", explanation.gang);
    number(writer, "gangWaiting", explanation.gang_waiting);
  }
  if (!explanation.held_back.empty()) text(writer, "heldBack", explanation.held_back);
  if (explanation.held_until.is_set()) text(writer, "heldUntil", std::to_string(explanation.held_until.ms));
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

void preemption_json(json::Writer& writer, const PreemptionStanding& preemption) {
  writer.key("preemption");
  writer.begin_object();
  text(writer, "sentence", sentence_of(preemption));
  text(writer, "host", preemption.host);
  writer.key("victims");
  writer.begin_array();
  for (const TaskId& victim : preemption.victims) writer.text(to_text(victim));
  writer.end_array();
  writer.end_object();
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

std::string sentence_of(const PreemptionStanding& preemption) {
  switch (preemption.kind) {
    case PreemptionStanding::Kind::none:
      return {};
    case PreemptionStanding::Kind::no_right:
      return "nobody is ended for it: its capacity group would borrow, and it has no priority over others";
    case PreemptionStanding::Kind::no_victims:
      return "nobody can be ended for it: who might give way is protected by a disruption budget, or is not "
             "where it fits";
    case PreemptionStanding::Kind::looking:
      return "tasks that may be ended for it are being looked for";
    case PreemptionStanding::Kind::preempting:
      if (preemption.hosts > 1)
        return "it starts with all of its gang, for which " + std::to_string(preemption.victims.size()) +
               " tasks of " + std::to_string(preemption.hosts) + " hosts are to end";
      return preemption.victims.empty() ? "it waits for tasks of host " + preemption.host + " that are ending"
                                        : "it waits for " + std::to_string(preemption.victims.size()) +
                                              " tasks of host " + preemption.host + " to end for it";
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
  preemption_json(writer, explanation.preemption);
  nearest_json(writer, explanation);
  changes_json(writer, explanation);
  writer.end_object();
  return writer.take();
}

}  // namespace troupe::scheduler
