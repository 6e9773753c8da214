#pragma once
// One shape for every error: {statusCode, code, message, retry, hint, requestId?, entityUrl?, limit?,
// violations?}. `limit` says which limit refused: {name, max, used, retryAfterMs}.

#include <string_view>

#include "net/http/http.hpp"
#include "net/json/writer.hpp"
#include "storage/base/error.hpp"

namespace troupe::http {

/// What the answer to a failed request refers to; what is empty is left out.
struct ErrorContext {
  std::string_view request_id{};  ///< with which the same mutation may be repeated
  std::string_view entity_url{};  ///< where to look what became of it
};
void error_json(json::Writer& writer, const Error& error, const ErrorContext& context = {});

/// "never", "elsewhere", "later", "unknown".
std::string_view retry_text(Retry retry);
/// What to do about it, for people.
std::string_view hint_of(ErrorCode code);
constexpr milliseconds retry_after_default{1'000};

/// The whole answer; with Retry-After (whole seconds, at least 1) where retrying later helps: the limit's own
/// if it knows better.
Response error_response(const Error& error, const ErrorContext& context = {},
                        milliseconds retry_after = retry_after_default);
/// status and application/json.
Response json_response(int status, std::string body);

}  // namespace troupe::http
