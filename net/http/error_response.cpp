#include "net/http/http.hpp"
#include "net/json/writer.hpp"

namespace troupe::http {
namespace {

std::string_view usual_hint(ErrorCode code) {
  switch (retry_class(code)) {
    case Retry::never:
      return "Change the request; the same one would fail again.";
    case Retry::elsewhere:
      return "Ask another node.";
    case Retry::later:
      return "Nothing was done. Try again after a pause.";
    case Retry::unknown:
      return "It may have been done. Look, or repeat with the same request id.";
  }
  return "";
}

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
  return "";
}

void write_violation(json::Writer& writer, const Violation& violation) {
  writer.begin_object();
  writer.key("path");
  writer.text(violation.path);
  writer.key("message");
  writer.text(violation.message);
  if (violation.line != 0) {
    writer.key("line");
    writer.uint(violation.line);
    writer.key("column");
    writer.uint(violation.column);
  }
  writer.end_object();
}

}  // namespace

Response error_response(const Error& error, std::string_view hint) {
  Response response;
  response.status = http_status(error.code);
  response.headers["content-type"] = "application/json";
  const bool later = retry_class(error.code) == Retry::later || retry_class(error.code) == Retry::elsewhere;
  if (later && (response.status == 429 || response.status == 503)) response.headers["retry-after"] = "1";
  json::Writer writer;
  writer.begin_object();
  writer.key("statusCode");
  writer.integer(response.status);
  writer.key("code");
  writer.text(code_text(error.code));
  writer.key("message");
  writer.text(error.message);
  writer.key("retry");
  writer.text(retry_text(retry_class(error.code)));
  writer.key("violations");
  writer.begin_array();
  for (const Violation& violation : error.violations) write_violation(writer, violation);
  writer.end_array();
  writer.key("hint");
  writer.text(hint.empty() ? usual_hint(error.code) : hint);
  writer.end_object();
  response.body = writer.take();
  return response;
}

}  // namespace troupe::http
