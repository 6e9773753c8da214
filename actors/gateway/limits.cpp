// What limits a caller, how near it is to each, and the operator's hand on them.

#include "actors/gateway/admission.hpp"
#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "net/api/members.hpp"
#include "net/api/policy.hpp"

namespace troupe::gateway {
namespace {

void limit_json(json::Writer& writer, std::string_view name, std::uint64_t used, std::uint64_t max) {
  writer.key(name);
  writer.begin_object();
  api::number_json(writer, "used", used);
  api::number_json(writer, "max", max);
  api::number_json(writer, "left", used < max ? max - used : 0);
  writer.end_object();
}

/// Of a limit that may be none: then only the use is told.
void optional_limit_json(json::Writer& writer, std::string_view name, std::uint64_t used, std::uint64_t max) {
  if (max != 0) return limit_json(writer, name, used, max);
  writer.key(name);
  writer.begin_object();
  api::number_json(writer, "used", used);
  writer.end_object();
}

void caller_json(json::Writer& writer, const api::Identity& identity, const Reads& reads,
                 const CellPolicy& policy) {
  const CallerUse use = reads.caller_use(identity.caller);
  writer.key("caller");
  writer.begin_object();
  api::text_json(writer, "name", identity.caller);
  writer.key("verified");
  writer.boolean(identity.is_verified);
  writer.key("roles");
  writer.begin_array();
  for (const api::Role role : identity.roles) writer.text(api::role_text(role));
  writer.end_array();
  optional_limit_json(writer, "jobs", use.jobs, policy.caller_jobs_max);
  optional_limit_json(writer, "tasks", use.wanted, policy.caller_tasks_max);
  writer.end_object();
}

void groups_json(json::Writer& writer, const Reads& reads) {
  writer.key("capacityGroups");
  writer.begin_array();
  for (const auto& [group, use] : reads.groups()) {
    writer.begin_object();
    api::text_json(writer, "name", group.name);
    optional_limit_json(writer, "jobs", use.jobs, group.jobs_max);
    optional_limit_json(writer, "tasks", use.wanted, group.tasks_max);
    writer.end_object();
  }
  writer.end_array();
}

void headroom_json(json::Writer& writer, const Admission::Headroom& headroom) {
  writer.begin_object();
  api::text_json(writer, "name", headroom.rule.name);
  api::text_json(writer, "endpoint", headroom.rule.endpoint);
  api::number_json(writer, "burst", headroom.rule.burst);
  api::number_json(writer, "perMinute", headroom.rule.per_minute);
  writer.key("shared");
  writer.boolean(headroom.rule.is_shared);
  api::number_json(writer, "left", headroom.left);
  api::amount_json(writer, "retryAfterMs", headroom.retry_after.count());
  writer.end_object();
}

std::string limits_json(const Services& services, const api::Identity& identity) {
  const NodeContext& node = services.node();
  const CellFigures cell = node.reads().cell();
  json::Writer writer;
  writer.begin_object();
  limit_json(writer, "jobs", cell.live_jobs, cell.record.policy.jobs_max);
  // What live jobs want is what the cap counts: their tasks will all come.
  limit_json(writer, "tasks", cell.wanted_tasks, cell.record.policy.tasks_max);
  limit_json(writer, "requests", cell.requests, cell.record.policy.requests_max);
  caller_json(writer, identity, node.reads(), cell.record.policy);
  groups_json(writer, node.reads());
  api::number_json(writer, "node", node.self.value);
  writer.key("rates");
  writer.begin_array();
  for (const auto& one : services.admission().headroom(node.clock->steady(), identity.caller))
    headroom_json(writer, one);
  writer.end_array();
  writer.end_object();
  return writer.take();
}

}  // namespace

void get_limits(Services& services, const CallPtr& call) {
  const auto consistency = consistency_of(*call, {});
  if (!consistency.ok()) return call->fail(consistency.error());
  services.when_fresh(call, consistency.value(), [&services, call] {
    call->answer(http::json_response(200, limits_json(services, call->identity)));
  });
}

void put_policy(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  // What is not given stays: as it is now, not as this node last heard.
  services.when_fresh(call, api::Consistency::linearizable, [&services, call] {
    auto policy = api::parse_policy_change(call->request.body, services.node().reads().cell_record().policy);
    if (!policy.ok()) return call->fail(policy.error());
    json::Writer writer;
    api::policy_json(writer, policy.value());
    mutate(services, call, SetPolicy{std::move(policy).value()},
           {.status = 200, .entity_url = "/api/v3/cell", .body = [text = writer.take()](const Outcome&) {
              return text;
            }});
  });
}

}  // namespace troupe::gateway
