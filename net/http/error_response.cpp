#include "net/http/error_response.hpp"

#include <algorithm>

namespace troupe::http {
namespace {

void put(json::Writer& writer, std::string_view name, std::string_view text) {
  writer.key(name);
  writer.text(text);
}
void put(json::Writer& writer, std::string_view name, std::uint64_t number) {
  writer.key(name);
  writer.uint(number);
}

void violation_json(json::Writer& writer, const Violation& violation) {
  writer.begin_object();
  put(writer, "path", violation.path);
  put(writer, "message", violation.message);
  if (violation.line != 0) {
    put(writer, "line", violation.line);
    put(writer, "column", violation.column);
  }
  writer.end_object();
}

}  // namespace

std::string_view retry_text(Retry retry) {
  switch (retry) {
    case Retry::never:
      return "never";
    case Retry::elsewhere:
      return "elsewhere";
    case Retry::later:
      return "later";
    case Retry::unknown:
      return "unknown";
  }
  return {};
}

std::string_view hint_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "correct the request and send it again";
    case ErrorCode::unauthenticated:
      return "say who is calling";
    case ErrorCode::permission_denied:
      return "ask an operator of the cell for the right to do this";
    case ErrorCode::not_found:
      return "check the id; what ended long ago is forgotten";
    case ErrorCode::method_not_allowed:
      return "use one of the methods in the Allow header";
    case ErrorCode::request_timeout:
      return "send the request faster, or in smaller parts";
    case ErrorCode::job_terminating:
    case ErrorCode::task_terminating:
      return "nothing to do: it is ending already";
    case ErrorCode::sequence_in_use:
      return "choose another jobGroupInfo.sequence, or end the job that has it";
    case ErrorCode::conflict:
      return "read the entity again and repeat";
    case ErrorCode::body_too_large:
      return "send a smaller body";
    case ErrorCode::unsupported_media_type:
      return "send application/json";
    case ErrorCode::request_id_reused:
      return "use a new Idempotency-Key for a new request";
    case ErrorCode::limit_exceeded:
      return "wait and repeat, or ask for a higher limit";
    case ErrorCode::header_too_large:
      return "send smaller headers";
    case ErrorCode::internal:
      return "tell the operators of the cell";
    case ErrorCode::not_leader:
      return "ask another node";
    case ErrorCode::unavailable:
    case ErrorCode::overloaded:
      return "it did not happen: repeat after a pause";
    case ErrorCode::outcome_unknown:
      return "it may have happened: repeat with the same Idempotency-Key, or look at the entity";
    case ErrorCode::fenced:
    case ErrorCode::precondition_failed:
      return "the entity has changed: read it again";
    case ErrorCode::corrupt:
    case ErrorCode::io:
      return "tell the operators of the cell";
  }
  return {};
}

void error_json(json::Writer& writer, const Error& error, const ErrorContext& context) {
  writer.begin_object();
  writer.key("statusCode");
  writer.integer(http_status(error.code));
  put(writer, "code", code_text(error.code));
  put(writer, "message", error.message);
  put(writer, "retry", retry_text(retry_class(error.code)));
  put(writer, "hint", hint_of(error.code));
  if (!context.request_id.empty()) put(writer, "requestId", context.request_id);
  if (!context.entity_url.empty()) put(writer, "entityUrl", context.entity_url);
  if (error.limit) {
    writer.key("limit");
    writer.begin_object();
    put(writer, "name", error.limit->name);
    put(writer, "max", error.limit->max);
    put(writer, "used", error.limit->used);
    writer.key("retryAfterMs");
    writer.integer(error.limit->retry_after_ms);
    writer.end_object();
  }
  if (!error.violations.empty()) {
    writer.key("violations");
    writer.begin_array();
    for (const auto& violation : error.violations) violation_json(writer, violation);
    writer.end_array();
  }
  writer.end_object();
}

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.emplace("content-type", "application/json");
  response.body = std::move(body);
  return response;
}

Response error_response(const Error& error, const ErrorContext& context, milliseconds retry_after) {
  json::Writer writer;
  error_json(writer, error, context);
  auto response = json_response(http_status(error.code), writer.take());
  const Retry retry = retry_class(error.code);
  if (error.limit && error.limit->retry_after_ms > 0) retry_after = milliseconds(error.limit->retry_after_ms);
  if (retry == Retry::later || retry == Retry::elsewhere)
    response.headers.emplace("retry-after",
                             std::to_string(std::max<std::int64_t>(1, (retry_after.count() + 999) / 1000)));
  return response;
}

}  // namespace troupe::http
