#include "actors/gateway/handlers.hpp"
#include "actors/gateway/log_streams.hpp"

namespace troupe::gateway {

void read_logs(Services& services, const CallPtr& call) { services.logs().open(call); }

}  // namespace troupe::gateway
