#include <charconv>

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "net/api/selection.hpp"

namespace troupe::gateway {
namespace {

std::optional<std::uint32_t> whole_number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

/// By its kind and id; a host's is its name or number, a group's its name.
Result<EntityRef> entity_of(const Reads& reads, std::string_view kind, std::string_view id) {
  if (kind == kind_text(EntityKind::host)) {
    if (const auto host = find_host(reads, id)) return EntityRef::of(*host);
    return Error{ErrorCode::not_found, "there is no host " + std::string(id)};
  }
  if (kind == kind_text(EntityKind::group)) return EntityRef::of_group(id);
  const bool is_job = kind == kind_text(EntityKind::job);
  if (!is_job && kind != kind_text(EntityKind::task))
    return Error{ErrorCode::invalid_argument, "the path must name a job, task, host or group"};
  const auto bytes = uuid_bytes(id);
  if (!bytes.ok()) return Error{ErrorCode::invalid_argument, "the id in the path is no UUID"};
  return is_job ? EntityRef::of(JobId{bytes.value()}) : EntityRef::of(TaskId{bytes.value()});
}

/// The node that the call names, or this one.
void ask_node(Services& services, const CallPtr& call, std::string command) {
  const auto said_node = call->request.parameter("node");
  const auto number = said_node.empty() ? services.node().self.value : whole_number_of(said_node);
  if (!number || !services.node().book.find(NodeId{*number}))
    return call->fail({ErrorCode::invalid_argument, "node must be the number of one of the cell's nodes"});
  services.ask_console(NodeId{*number}, std::move(command), [call](const Result<Bytes>& told) {
    if (!told.ok()) return call->fail(told.error());
    call->answer(http::json_response(200, told.value()));
  });
}

bool lives(const Reads& reads, const EntityRef& entity) {
  switch (entity.kind) {
    case EntityKind::job:
      return reads.with_job(entity.job(), [](const JobView&) {});
    case EntityKind::task:
      return reads.task(entity.task()).has_value();
    case EntityKind::host:
      return reads.host_facts(entity.host()).has_value();
    case EntityKind::group:
      return reads.group_name(entity).has_value();
  }
  return false;
}

Error of_parameter(Error error) {
  for (auto& violation : error.violations) violation.path = "where";
  return error;
}

}  // namespace

void release_entity(Services& services, const CallPtr& call) {
  const auto entity = entity_of(services.node().reads(), call->captured.at(0), call->captured.at(1));
  if (!entity.ok()) return call->fail(entity.error());
  mutate(services, call, Release{entity.value()}, {});
}

void ask_console(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {"command", "node"}); !checked.ok())
    return call->fail(checked.error());
  const auto command = call->request.parameter("command");
  if (command.empty()) return call->fail({ErrorCode::invalid_argument, "say command=...; help lists them"});
  ask_node(services, call, std::string(command));
}

void restart_actor(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  services.when_fresh(call, api::Consistency::linearizable, [&services, call] {
    const Reads& reads = services.node().reads();
    const auto entity = entity_of(reads, call->captured.at(0), call->captured.at(1));
    if (!entity.ok()) return call->fail(entity.error());
    if (!lives(reads, entity.value()))
      return call->fail(
          {ErrorCode::not_found, "no live " + call->captured.at(0) + ' ' + call->captured.at(1)});
    CellOrder order;
    order.kind = CellOrder::Kind::restart;
    order.entity = entity.value();
    const NodeId owner = reads.shard(reads.shard_of(order.entity)).owner;
    if (owner.value == 0) return call->fail({ErrorCode::unavailable, "no node owns its shard at the moment"});
    note_then(services, call, "actor/restart/" + order.entity.text(), [&services, call, owner, order] {
      services.ask_cell_at(owner, order, [call](const Result<Bytes>& told) {
        if (!told.ok()) return call->fail(told.error());
        call->answer(http::json_response(200, told.value()));
      });
    });
  });
}

void list_actors(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {"where", "node", "limit"}); !checked.ok())
    return call->fail(checked.error());
  std::string where(call->request.parameter("where"));
  if (where.empty()) where = "entity is set";  // All.
  // Alone first, so that a refusal points into the parameter, and nothing can hide behind it.
  const auto condition = api::Condition::parse(api::SelectionKind::actor, where);
  if (!condition.ok()) return call->fail(of_parameter(condition.error()));
  std::string command = "actor where " + where;
  if (const auto limit = call->request.parameter("limit"); !limit.empty()) {
    const auto number = whole_number_of(limit);
    if (!number || *number == 0 || *number > api::selection_limit_max)
      return call->fail({ErrorCode::invalid_argument, "limit must be a whole number from 1 to " +
                                                          std::to_string(api::selection_limit_max)});
    command += " limit " + std::to_string(*number);
  }
  ask_node(services, call, std::move(command));
}

}  // namespace troupe::gateway
