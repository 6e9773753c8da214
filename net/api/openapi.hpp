#pragma once
// The contract: an OpenAPI 3.1 document, made from the table of routes and from the declarations that also
// read and write. Tests hold every answer of the gateway against it.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/api/identity.hpp"
#include "net/api/parameter_doc.hpp"

namespace troupe::api {

enum class Media : std::uint8_t { json, events, text, octets };

/// Which query parameters an operation takes.
enum class Takes : std::uint8_t {
  nothing,
  consistency,
  fields,  ///< of one entity: what lists take is understood, too
  jobs,
  tasks,
  hosts,
  events,
  audit,
  attribute_keys,
  task_end,
  logs,
  console,
  actors,
  range,
};
std::vector<ParameterDoc> parameters_of(Takes takes);

/// What the table of routes says of one of its rows.
struct Says {
  std::string_view summary{};
  std::string_view answer = "Nothing";  ///< a schema's name, for JSON
  std::string_view body{};              ///< likewise; empty: none
  int status = 200;
  Takes takes = Takes::nothing;
  Media media = Media::json;
};
struct Operation {
  std::string_view method;
  std::string_view path;
  Says says;
  Access access = Access::submitters;
};

/// Named schemas, as JSON.
std::map<std::string_view, std::string> schemas();
std::string openapi_json(std::span<const Operation> operations);

}  // namespace troupe::api
