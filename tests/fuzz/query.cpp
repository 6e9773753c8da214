// Request targets with their query strings, cursors, and the ids with which streams are resumed.

#include "net/api/query.hpp"

#include "net/api/event_json.hpp"
#include "net/http/target.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

namespace {

void check_query(const http::Request& request, api::ListOf what) {
  const auto query = api::parse_query(request, what);
  if (!query.ok()) {
    fuzz::must(query.error().code == ErrorCode::invalid_argument && !query.error().violations.empty());
    for (const Violation& one : query.error().violations)
      fuzz::must(!one.message.empty() && one.path.size() <= 64);
    return;
  }
  fuzz::must(query.value().paging.page_size >= 1 && query.value().paging.page_size <= api::page_size_max);
  const JobDescriptor descriptor;
  (void)api::matches(query.value().criteria, descriptor);
  (void)api::project(R"({"id":"1","a":{"b":1},"c":[{"d":2}]})", query.value().fields);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView text = fuzz::view(data, size);
  const auto target = http::parse_target(text);
  if (target.ok()) {
    fuzz::must(!target.value().path.empty() && target.value().path.find('\0') == std::string::npos);
    http::Request request;
    request.query = target.value().query;
    for (const auto what : {api::ListOf::jobs, api::ListOf::tasks, api::ListOf::hosts, api::ListOf::events})
      check_query(request, what);
  } else {
    fuzz::must(target.error().code == ErrorCode::invalid_argument);
  }
  if (const auto cursor = api::decode_cursor(text); cursor.ok())
    fuzz::must(api::decode_cursor(api::encode_cursor(cursor.value())).value() == cursor.value());
  if (const auto id = api::parse_event_id(text); id.ok())
    fuzz::must(api::parse_event_id(api::event_id_text(id.value())).value() == id.value());
  return 0;
}
