#include "actors/gateway/event_streams.hpp"
#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"

namespace troupe::gateway {

void watch_job(Services& services, const CallPtr& call) {
  const auto id = captured_id<JobId>(*call);
  if (!id.ok()) return call->fail(id.error());
  const auto consistency = consistency_of(*call, {});
  if (!consistency.ok()) return call->fail(consistency.error());
  services.events().open_job(call, id.value(), consistency.value());
}

void watch_cell(Services& services, const CallPtr& call) {
  auto query = api::parse_query(call->request, api::ListOf::events);
  if (!query.ok()) return call->fail(query.error());
  services.events().open(call, query.value());
}

}  // namespace troupe::gateway
