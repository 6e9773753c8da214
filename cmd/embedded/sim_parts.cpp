#include "cmd/embedded/sim_parts.hpp"

#include "net/http/target.hpp"

namespace troupe::embedded {

http::Request sim_request(std::string method, const std::string& target, std::string body,
                          http::Headers headers) {
  http::Request request;
  request.method = std::move(method);
  auto parsed = http::parse_target(target);
  TROUPE_CHECK(parsed.ok());
  request.path = std::move(parsed.value().path);
  request.query = std::move(parsed.value().query);
  request.headers = std::move(headers);
  request.body = std::move(body);
  request.peer = "sim:0";
  return request;
}

}  // namespace troupe::embedded
