#include "net/api/openapi.hpp"

#include <array>

#include "net/api/audit_json.hpp"
#include "net/api/query.hpp"
#include "net/api/schema_text.hpp"
#include "net/json/value.hpp"
#include "net/json/writer.hpp"
#include "storage/base/check.hpp"

namespace troupe::api {
namespace {

constexpr std::size_t schema_bytes_max = 1024 * 1024;  // our own texts
constexpr std::string_view unique = "Idempotency-Key";

char upper_case(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

void put_schema(json::Writer& writer, std::string_view text) {
  json::Limits limits;
  limits.bytes = schema_bytes_max;
  const auto value = json::parse(text, limits);
  TROUPE_CHECK(value.ok());
  json::write_value(writer, value.value());
}

void member(json::Writer& writer, std::string_view name, std::string_view text) {
  writer.key(name);
  writer.text(text);
}

void parameter(json::Writer& writer, std::string_view name, std::string_view in, std::string_view help,
               std::string_view shape) {
  writer.begin_object();
  member(writer, "name", name);
  member(writer, "in", in);
  if (in == "path") {
    writer.key("required");
    writer.boolean(true);
  }
  if (!help.empty()) member(writer, "description", help);
  writer.key("schema");
  put_schema(writer, shape);
  writer.end_object();
}

/// "{id}" of a path, in order.
std::vector<std::string_view> places_of(std::string_view path) {
  std::vector<std::string_view> places;
  while (true) {
    const auto open = path.find('{');
    if (open == std::string_view::npos) return places;
    const auto close = path.find('}', open);
    places.push_back(path.substr(open + 1, close - open - 1));
    path.remove_prefix(close);
  }
}

void parameters(json::Writer& writer, const Operation& operation) {
  writer.key("parameters");
  writer.begin_array();
  for (const auto place : places_of(operation.path)) parameter(writer, place, "path", {}, schema::text());
  for (const auto& one : parameters_of(operation.says.takes))
    parameter(writer, one.name, "query", one.help, one.schema);
  if (operation.method != "GET") {
    parameter(writer, unique, "header", "repeating a request with the same key is safe", schema::text());
    parameter(writer, "X-Titus-CallReason", "header", "why, for the audit", schema::text());
  } else {
    parameter(writer, "X-Troupe-Index", "header", "the answer is at least as new as this log index",
              schema::digits());
  }
  parameter(writer, "X-Titus-CallerId", "header", "who is calling", schema::text());
  writer.end_array();
}

/// "POST /api/v3/jobs/{id}/enable" is postJobsByIdEnable: what generated clients call the operation. It
/// follows from the route alone, so that it stays as long as that does.
std::string operation_id(const Operation& operation) {
  std::string id;
  for (const char c : operation.method) id += static_cast<char>(c - 'A' + 'a');
  std::string_view path = operation.path;
  for (const std::string_view prefix : {"/api/v3", "/api/v2/management"})
    if (path.starts_with(prefix)) path.remove_prefix(prefix.size());
  while (!path.empty()) {
    path.remove_prefix(1);
    std::string word(path.substr(0, path.find('/')));
    path.remove_prefix(word.size());
    if (word.starts_with('{'))
      word = "by" + std::string(1, upper_case(word[1])) + word.substr(2, word.size() - 3);
    word.resize(std::min(word.size(), word.find('.')));  // openapi.json
    if (word.empty()) continue;
    id += upper_case(word.front());
    id.append(word, 1);
  }
  return id;
}

std::string_view media_text(Media media) {
  switch (media) {
    case Media::json:
      return "application/json";
    case Media::events:
      return "text/event-stream";
    case Media::text:
      return "text/plain";
    case Media::octets:
      return "application/octet-stream";
  }
  return {};
}

void content(json::Writer& writer, Media media, std::string_view name) {
  writer.key("content");
  writer.begin_object();
  writer.key(media_text(media));
  writer.begin_object();
  writer.key("schema");
  put_schema(writer, media == Media::json ? schema::ref(name) : schema::text());
  writer.end_object();
  writer.end_object();
}

void answer(json::Writer& writer, std::string_view status, std::string_view help, Media media,
            std::string_view name) {
  writer.key(status);
  writer.begin_object();
  member(writer, "description", help);
  content(writer, media, name);
  writer.end_object();
}

void operation_json(json::Writer& writer, const Operation& operation) {
  writer.begin_object();
  member(writer, "operationId", operation_id(operation));
  member(writer, "summary", operation.says.summary);
  writer.key("x-troupe-roles");
  writer.begin_array();
  for (const Role role : {Role::submitter, Role::cell_operator, Role::agent})
    if (lets_in(operation.access, role)) writer.text(role_text(role));
  writer.end_array();
  parameters(writer, operation);
  if (!operation.says.body.empty()) {
    writer.key("requestBody");
    writer.begin_object();
    writer.key("required");
    writer.boolean(true);
    content(writer, Media::json, operation.says.body);
    writer.end_object();
  }
  writer.key("responses");
  writer.begin_object();
  answer(writer, std::to_string(operation.says.status), "well", operation.says.media, operation.says.answer);
  answer(writer, "default", "it did not happen, or nobody knows: `code` and `retry` say which", Media::json,
         "Error");
  writer.end_object();
  writer.end_object();
}

std::string lower(std::string_view method) {
  std::string out;
  for (const char c : method) out.push_back(static_cast<char>(c - 'A' + 'a'));
  return out;
}

void paths(json::Writer& writer, std::span<const Operation> operations) {
  std::map<std::string_view, std::vector<const Operation*>> by_path;
  for (const Operation& operation : operations) by_path[operation.path].push_back(&operation);
  writer.begin_object();
  for (const auto& [path, all] : by_path) {
    writer.key(path);
    writer.begin_object();
    for (const Operation* operation : all) {
      writer.key(lower(operation->method));
      operation_json(writer, *operation);
    }
    writer.end_object();
  }
  writer.end_object();
}

}  // namespace

std::vector<ParameterDoc> parameters_of(Takes takes) {
  constexpr std::array<std::string_view, 2> consistencies{"linearizable", "stale"};
  constexpr std::array<std::string_view, 2> streams{"stdout", "stderr"};
  const ParameterDoc consistency{"consistency", schema::enumeration(consistencies),
                                 "stale: at once, from what this node has"};
  switch (takes) {
    case Takes::nothing:
      return {};
    case Takes::consistency:
      return {consistency};
    case Takes::fields:
      return {
          {"fields", schema::text(), "names, dotted, with commas; others are left out, required ones too"},
          consistency};
    case Takes::jobs:
      return query_parameters(ListOf::jobs);
    case Takes::tasks:
      return query_parameters(ListOf::tasks);
    case Takes::events:
      return query_parameters(ListOf::events);
    case Takes::hosts:
      return query_parameters(ListOf::hosts);
    case Takes::audit:
      return audit_parameters();
    case Takes::attribute_keys:
      return {{"keys", schema::text(), "names, with commas"}};
    case Takes::task_end:
      return {{"shrink", schema::boolean(), "the service gets smaller by one"},
              {"preventMinSizeUpdate", schema::boolean(), "with shrink: refused below min"}};
    case Takes::logs:
      return {{"stream", schema::enumeration(streams)},
              {"follow", schema::boolean(), "until the task has ended"},
              {"offset", schema::integer(), "first byte"},
              {"limit", schema::integer(), "bytes at most"}};
    case Takes::console:
      return {{"command", schema::text()}, {"node", schema::integer(1)}};
    case Takes::actors:
      return {{"where", schema::text(), "a condition"},
              {"node", schema::integer(1), "the asked one if absent"},
              {"limit", schema::integer(1), "items at most"}};
    case Takes::range:
      return {{"offset", schema::integer(), "first byte"}, {"limit", schema::integer(), "bytes at most"}};
  }
  return {};
}

std::string openapi_json(std::span<const Operation> operations) {
  json::Writer writer;
  writer.begin_object();
  member(writer, "openapi", "3.1.0");
  writer.key("info");
  writer.begin_object();
  member(writer, "title", "Troupe");
  member(writer, "version", "3");
  member(writer, "description",
         "Jobs and tasks as in Titus v3, and what Troupe adds. 64-bit numbers are digits in strings.");
  writer.end_object();
  writer.key("paths");
  paths(writer, operations);
  writer.key("components");
  writer.begin_object();
  writer.key("schemas");
  writer.begin_object();
  for (const auto& [name, text] : schemas()) {
    writer.key(name);
    put_schema(writer, text);
  }
  writer.end_object();
  writer.end_object();
  writer.end_object();
  return writer.take();
}

}  // namespace troupe::api
