#include "actors/gateway/call.hpp"

#include <algorithm>

namespace troupe::gateway {
namespace {

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Result<std::string> header_text(const http::Request& request, std::string_view name, std::size_t chars_max) {
  const auto value = request.header(name);
  if (value.size() > chars_max || !is_printable(value))
    return Error{ErrorCode::invalid_argument, "the header " + std::string(name) + " must have at most " +
                                                  std::to_string(chars_max) + " printable ASCII characters"};
  return std::string(value);
}

/// The address without its port: a caller's request ids must mean the same on its next connection.
std::string_view address_of(std::string_view peer) { return peer.substr(0, peer.rfind(':')); }

/// Where certificates count, nobody else may go by the name of one.
Result<api::Identity> by_its_own_word(const http::Request& request) {
  constexpr std::string_view name = "x-titus-callerid";
  auto said = header_text(request, name, caller_chars_max);
  if (!said.ok()) return said.error();
  if (said.value().empty()) return api::unverified("anonymous@" + std::string(address_of(request.peer)));
  if (request.asks_for_certificate && api::is_like_a_subject(said.value()))
    return Error{ErrorCode::unauthenticated, "the header " + std::string(name) +
                                                 " has the form of a certificate's subject: " +
                                                 "show the certificate, or choose another name"};
  return api::unverified(std::move(said).value());
}

}  // namespace

Call::Call(http::Request r, http::ReplyPtr reply, std::shared_ptr<GatewayProbe> probe, const Clock* clock)
    : request(std::move(r)),
      reply_(std::move(reply)),
      probe_(std::move(probe)),
      clock_(clock),
      arrived_(clock->steady()) {}

Call::~Call() {
  if (!reply_) return;
  const bool only_reads = request.method == "GET" || request.method == "HEAD";
  const Error error{only_reads ? ErrorCode::unavailable : ErrorCode::outcome_unknown,
                    "this node stopped before it could answer"};
  answer(http::error_response(error, {.request_id = only_reads ? std::string_view() : request_id}));
}

Result<void> Call::identify(const api::Identities* identities) {
  auto known = identities != nullptr ? identities->of({request.header("authorization"), request.certificate})
               : request.certificate ? api::certified(*request.certificate)
                                     : by_its_own_word(request);
  if (!known.ok()) return known.error();
  identity = std::move(known).value();
  caller = identity.caller;
  return {};
}

Result<void> Call::read_metadata(Random& random) {
  auto said_reason = header_text(request, "x-titus-callreason", call_reason_chars_max);
  if (!said_reason.ok()) return said_reason.error();
  auto said_id = header_text(request, "idempotency-key", request_id_chars_max);
  if (!said_id.ok()) return said_id.error();
  reason = std::move(said_reason).value();
  request_id = said_id.value().empty() ? to_text(random.uuid<Uuid<struct RequestTag>>()) : said_id.value();
  return {};
}

void Call::answer(http::Response response) {
  if (!reply_) return;
  if (index.value != 0) response.headers.emplace("x-troupe-index", to_text(index));
  probe_->answered(route, response.status, clock_->steady() - arrived_);
  std::exchange(reply_, nullptr)->send(std::move(response));
}

http::ReplyPtr Call::take_reply(int status) {
  probe_->answered(route, status, clock_->steady() - arrived_);
  return std::exchange(reply_, nullptr);
}

}  // namespace troupe::gateway
