#include "net/api/openapi.hpp"

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "actors/gateway/router.hpp"

namespace troupe::gateway {

void get_openapi(Services&, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  static const std::string document = [] {
    std::vector<api::Operation> operations;
    for (const Route& route : routes())
      operations.push_back({route.method, route.pattern, route.says, route.access});
    return api::openapi_json(operations);
  }();
  call->answer(http::json_response(200, document));
}

}  // namespace troupe::gateway
