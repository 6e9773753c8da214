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

Result<EntityRef> entity_of(std::string_view kind, std::string_view id) {
  if (kind == kind_text(EntityKind::host)) {
    if (const auto host = whole_number_of(id)) return EntityRef::of(HostId{*host});
    return Error{ErrorCode::invalid_argument, "a host is released by its number"};
  }
  if (kind == kind_text(EntityKind::group)) return EntityRef::of_group(id);
  const bool is_job = kind == kind_text(EntityKind::job);
  if (!is_job && kind != kind_text(EntityKind::task))
    return Error{ErrorCode::invalid_argument, "only a job, task, host or group can be released"};
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

Error of_parameter(Error error) {
  for (auto& violation : error.violations) violation.path = "where";
  return error;
}

}  // namespace

void release_entity(Services& services, const CallPtr& call) {
  const auto entity = entity_of(call->captured.at(0), call->captured.at(1));
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
