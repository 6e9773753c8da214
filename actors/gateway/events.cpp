#include "actors/gateway/event_streams.hpp"
#include "actors/gateway/handlers.hpp"

namespace troupe::gateway {

void watch_job(Services& services, const CallPtr& call) {
  const auto id = captured_id<JobId>(*call);
  if (!id.ok()) return call->fail(id.error());
  services.events().open(call, id.value());
}

void watch_cell(Services& services, const CallPtr& call) { services.events().open(call, std::nullopt); }

}  // namespace troupe::gateway
