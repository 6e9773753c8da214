// A snapshot of this node's state, fetched by an operator: taken, read file by file in ranges, let go.
//
// File by file and not as one stream: each answer is bounded in memory at both ends without any bookkeeping,
// a broken connection costs one piece, and neither a proxy's nor our own deadline bounds how long a backup
// takes.

#include <charconv>

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"

namespace troupe::gateway {
namespace {

http::Response octets(Bytes bytes) {
  http::Response response;
  response.headers["content-type"] = "application/octet-stream";
  response.body = std::move(bytes);
  return response;
}

void give_backup(Services& services, const CallPtr& call, BackupOrder order,
                 http::Response (*as_response)(Bytes)) {
  services.ask_backup(std::move(order), [call, as_response](const Result<Bytes>& told) {
    if (!told.ok()) return call->fail(told.error());
    call->answer(as_response(told.value()));
  });
}

http::Response as_json(Bytes bytes) { return http::json_response(200, std::move(bytes)); }

template <class Number>
Result<Number> range_parameter(const Call& call, std::string_view name, Number absent) {
  const auto text = call.request.parameter(name);
  if (text.empty()) return absent;
  Number number{};
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault == std::errc{} && stop == text.data() + text.size()) return number;
  return Error{ErrorCode::invalid_argument,
               "the parameter " + std::string(name) + " must be a number from 0 on"};
}

}  // namespace

void take_snapshot(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  give_backup(services, call, {BackupOrder::Kind::take, call->request_id, call->caller}, as_json);
}

void get_snapshot(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  give_backup(services, call, {BackupOrder::Kind::manifest, call->captured.at(0)}, octets);
}

void read_snapshot_file(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {"offset", "limit"}); !checked.ok())
    return call->fail(checked.error());
  const auto offset = range_parameter<std::uint64_t>(*call, "offset", 0);
  if (!offset.ok()) return call->fail(offset.error());
  const auto limit = range_parameter<std::size_t>(*call, "limit", BackupDesk::read_bytes_max);
  if (!limit.ok()) return call->fail(limit.error());
  give_backup(services, call,
              {BackupOrder::Kind::read,
               call->captured.at(0),
               {},
               call->captured.at(1),
               offset.value(),
               limit.value()},
              octets);
}

void drop_snapshot(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  give_backup(services, call, {BackupOrder::Kind::drop, call->captured.at(0)}, as_json);
}

}  // namespace troupe::gateway
