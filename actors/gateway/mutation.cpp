#include "actors/gateway/mutation.hpp"

#include <algorithm>
#include <type_traits>

#include "actors/gateway/health.hpp"

namespace troupe::gateway {
namespace {

/// A command on one entity says its refusal in either place.
std::optional<Error> refusal_of(const Outcome& outcome) {
  if (outcome.error) return outcome.error;
  if (!outcome.refused.empty()) return Error{outcome.refused.front().code, outcome.refused.front().message};
  return std::nullopt;
}

http::Response refused(const Call& call, const Error& error, const MutationAnswer& answer) {
  auto response = http::error_response(error, {call.request_id, answer.entity_url});
  // A pause invites to repeat; where the first try may yet happen, the request id is what makes it safe.
  if (retry_class(error.code) == Retry::unknown) response.headers.erase("retry-after");
  return response;
}

/// What a cell with too much set aside still takes: what mends it, and what operators hold it with.
template <class Body>
constexpr bool is_mending =
    std::is_same_v<Body, KillJob> || std::is_same_v<Body, KillTasks> || std::is_same_v<Body, ShrinkJob> ||
    std::is_same_v<Body, DeleteGroup> || std::is_same_v<Body, Release> ||
    std::is_same_v<Body, AssignShards> || std::is_same_v<Body, SetPolicy> ||
    std::is_same_v<Body, SetHostPhase> || std::is_same_v<Body, PauseScheduling>;

void refuse(Call& call, const Error& error, const MutationAnswer& answer) {
  auto response = refused(call, error, answer);
  response.headers["x-troupe-request-id"] = call.request_id;
  call.answer(std::move(response));
}

}  // namespace

void mutate(Services& services, const CallPtr& call, CommandBody body, MutationAnswer answer, Fence fence) {
  const bool mends = std::visit([]<class Body>(const Body&) { return is_mending<Body>; }, body);
  if (const std::string why = mends ? std::string() : why_read_only(services.node()); !why.empty())
    return refuse(*call, Error{ErrorCode::unavailable, why}, answer);
  Command command;
  command.fence = fence;
  command.request = call->request_id;
  command.caller = call->caller;
  command.reason = call->reason;
  command.level = std::max(level_needed(body), call->level);
  command.body = std::move(body);
  services.propose(std::move(command), [call, answer = std::move(answer)](const Result<Outcome>& result) {
    http::Response response;
    if (!result.ok()) {
      response = refused(*call, result.error(), answer);
    } else if (const auto error = refusal_of(result.value())) {
      const bool is_told_otherwise = answer.conflict && error->code == ErrorCode::conflict;
      response = refused(*call, is_told_otherwise ? *answer.conflict : *error, answer);
    } else {
      response = http::json_response(answer.status, answer.body(result.value()));
      if (!answer.made_under.empty())
        response.headers["location"] = std::string(answer.made_under) + result.value().entity;
    }
    response.headers["x-troupe-request-id"] = call->request_id;
    if (result.ok()) call->index = result.value().index;
    call->answer(std::move(response));
  });
}

Result<void> check_json_body(const Call& call) {
  const auto type = call.request.header("content-type");
  const auto essence = type.substr(0, type.find_first_of("; "));
  if (essence.empty() || essence == "application/json") return {};
  return Error{ErrorCode::unsupported_media_type, "the body must be application/json"};
}

Result<void> check_parameters(const Call& call, const std::vector<std::string_view>& known) {
  for (const auto& [name, value] : call.request.query)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return Error{ErrorCode::invalid_argument,
                   "unknown parameter",
                   {{name.substr(0, 64), "is not a parameter of this path", 0, 0}}};
  return {};
}

Result<api::Consistency> consistency_of(const Call& call, std::initializer_list<std::string_view> known) {
  std::vector<std::string_view> names(known);
  names.push_back("consistency");
  if (const auto checked = check_parameters(call, names); !checked.ok()) return checked.error();
  const auto said = call.request.parameter("consistency");
  if (said == "stale") return api::Consistency::stale;
  if (said.empty() || said == "linearizable") return api::Consistency::linearizable;
  return Error{ErrorCode::invalid_argument, "consistency must be linearizable or stale"};
}

std::string job_url(const JobId& id) { return "/api/v3/jobs/" + to_text(id); }
std::string task_url(const TaskId& id) { return "/api/v3/tasks/" + to_text(id); }

}  // namespace troupe::gateway
