// What of a job may change while it lives, beside its size.

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "net/api/bodies.hpp"

namespace troupe::gateway {
namespace {

/// Reads id and body, proposes what `fill` makes of them. `parse` may be given nothing but the text.
template <class Parse, class Fill>
void change_job(Services& services, const CallPtr& call, Parse parse, Fill fill) {
  const auto id = captured_id<JobId>(*call);
  if (!id.ok()) return call->fail(id.error());
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  auto body = parse(call->request.body);
  if (!body.ok()) return call->fail(body.error());
  ChangeJob change;
  change.job = id.value();
  fill(change, std::move(body).value());
  mutate(services, call, std::move(change), {.status = 200, .entity_url = job_url(id.value())});
}

void put_enabled(Services& services, const CallPtr& call, bool enabled) {
  const auto id = captured_id<JobId>(*call);
  if (!id.ok()) return call->fail(id.error());
  ChangeJob change;
  change.job = id.value();
  change.enabled = enabled;
  mutate(services, call, std::move(change), {.status = 200, .entity_url = job_url(id.value())});
}

}  // namespace

Result<std::vector<std::string>> attribute_keys(const Call& call) {
  if (const auto checked = check_parameters(call, {"keys"}); !checked.ok()) return checked.error();
  std::string keys;
  for (const auto& [name, value] : call.request.query) keys.append(keys.empty() ? "" : ",").append(value);
  return api::parse_attribute_keys(keys);
}

void put_job_attributes(Services& services, const CallPtr& call) {
  change_job(
      services, call,
      [&](std::string_view text) { return api::parse_attributes(text, "jobId", call->captured.at(0)); },
      [](ChangeJob& change, StringMap attributes) { change.attributes.put = std::move(attributes); });
}

void delete_job_attributes(Services& services, const CallPtr& call) {
  const auto id = captured_id<JobId>(*call);
  if (!id.ok()) return call->fail(id.error());
  auto keys = attribute_keys(*call);
  if (!keys.ok()) return call->fail(keys.error());
  ChangeJob change;
  change.job = id.value();
  change.attributes.remove = std::move(keys).value();
  mutate(services, call, std::move(change), {.status = 200, .entity_url = job_url(id.value())});
}

void enable_job(Services& services, const CallPtr& call) { put_enabled(services, call, true); }
void disable_job(Services& services, const CallPtr& call) { put_enabled(services, call, false); }

void retry_job(Services& services, const CallPtr& call) {
  const auto id = captured_id<JobId>(*call);
  if (!id.ok()) return call->fail(id.error());
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  mutate(services, call, RetryJob{id.value(), {}}, {.status = 200, .entity_url = job_url(id.value())});
}

void put_job_processes(Services& services, const CallPtr& call) {
  change_job(services, call, api::parse_processes,
             [](ChangeJob& change, ServiceProcesses processes) { change.processes = processes; });
}

void put_disruption_budget(Services& services, const CallPtr& call) {
  change_job(services, call, api::parse_budget,
             [](ChangeJob& change, DisruptionBudget budget) { change.budget = std::move(budget); });
}

}  // namespace troupe::gateway
