#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/gateway/gateway_probe.hpp"
#include "net/api/identity.hpp"
#include "net/http/error_response.hpp"
#include "net/http/http.hpp"
#include "storage/base/random.hpp"
#include "storage/base/time.hpp"
#include "storage/model/command.hpp"

namespace troupe::gateway {

constexpr std::size_t request_id_chars_max = 128;
constexpr std::size_t caller_chars_max = 256;
constexpr std::size_t call_reason_chars_max = 1024;

/// One request on its way to its answer. Made by the gateway actor; answered once, from any thread. Dropped
/// without an answer, as when the node stops, a change is outcome_unknown and a read unavailable.
class Call {
 public:
  Call(http::Request request, http::ReplyPtr reply, std::shared_ptr<GatewayProbe> probe, const Clock* clock);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// Who calls: by its token or its certificate, or, of a node that knows no identities (null), by its own
  /// word. Errors: unauthenticated, invalid_argument.
  Result<void> identify(const api::Identities* identities);
  /// Reads reason and request id; mints the latter if it is absent. Errors: invalid_argument.
  Result<void> read_metadata(Random& random);

  void answer(http::Response response);
  void fail(const Error& error) { answer(http::error_response(error)); }
  /// For answers that are streams: from here on they belong to the caller.
  http::ReplyPtr take_reply(int status);

  const http::Request request;
  std::string_view route = "none";    ///< the pattern, for figures
  std::vector<std::string> captured;  ///< what stood at the pattern's {places}
  api::Identity identity;
  std::string caller;  ///< the identity's
  std::string reason;
  std::string request_id;
  std::uint32_t level = 0;  ///< the feature level that its command needs beyond its body's
  Index index;              ///< of a read: what the state was at least; answered as a header

 private:
  http::ReplyPtr reply_;
  const std::shared_ptr<GatewayProbe> probe_;  // A reader may answer after the gateway's end.
  const Clock* clock_;
  const Moment arrived_;
};
using CallPtr = std::shared_ptr<Call>;

/// The path's n-th captured place as an id. Errors: invalid_argument.
template <class Id>
Result<Id> captured_id(const Call& call, std::size_t place = 0) {
  auto id = parse_uuid<Id>(call.captured.at(place));
  if (!id.ok()) return Error{ErrorCode::invalid_argument, "the id in the path is no UUID"};
  return id;
}

}  // namespace troupe::gateway
