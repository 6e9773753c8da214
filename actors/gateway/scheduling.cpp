// Pausing the scheduling of the cell, a group or a host, and resuming it. What runs, runs on.

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "net/api/reading.hpp"

namespace troupe::gateway {
namespace {

using Kind = SchedulingScope::Kind;

Result<bool> parse_paused(std::string_view text) {
  return api::read_body<bool>(text, [](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    const auto paused = reader.optional_bool("paused");
    if (!paused && violations.empty()) reader.complain("paused", "is required: true or false");
    reader.finish();
    return paused.value_or(false);
  });
}

/// nullopt: the call is answered.
std::optional<bool> wish_of(const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) {
    call->fail(checked.error());
    return std::nullopt;
  }
  if (const auto checked = check_json_body(*call); !checked.ok()) {
    call->fail(checked.error());
    return std::nullopt;
  }
  const auto paused = parse_paused(call->request.body);
  if (!paused.ok()) {
    call->fail(paused.error());
    return std::nullopt;
  }
  // Whoever waits is told it.
  if (paused.value() && call->reason.empty()) {
    call->fail({ErrorCode::invalid_argument,
                "say why in the header X-Titus-CallReason: whoever waits for it is told"});
    return std::nullopt;
  }
  return paused.value();
}

}  // namespace

void put_cell_scheduling(Services& services, const CallPtr& call) {
  if (const auto paused = wish_of(call))
    mutate(services, call, PauseScheduling{{}, *paused}, {.status = 200, .entity_url = "/api/v3/cell"});
}

void put_group_scheduling(Services& services, const CallPtr& call) {
  const std::string& name = call->captured.at(0);
  if (const auto paused = wish_of(call))
    mutate(services, call, PauseScheduling{{Kind::group, name, {}}, *paused},
           {.status = 200, .entity_url = "/api/v3/groups/" + name});
}

void put_host_scheduling(Services& services, const CallPtr& call) {
  const auto paused = wish_of(call);
  if (!paused) return;
  // The name must be looked up in a state that has a host registered a moment ago.
  services.when_fresh(call, api::Consistency::linearizable, [&services, call, paused = *paused] {
    const std::string& name = call->captured.at(0);
    const auto id = find_host(services.node().reads(), name);
    if (!id) return call->fail({ErrorCode::not_found, "there is no host " + name});
    mutate(services, call, PauseScheduling{{Kind::host, {}, *id}, paused},
           {.status = 200, .entity_url = "/api/v3/hosts/" + name});
  });
}

}  // namespace troupe::gateway
