#pragma once
// Members of the objects that are answered: a key and its value in one call.

#include <string>
#include <string_view>

#include "net/json/writer.hpp"

namespace troupe::api {

inline void text_json(json::Writer& writer, std::string_view name, std::string_view text) {
  writer.key(name);
  writer.text(text);
}
inline void text_unless_empty(json::Writer& writer, std::string_view name, std::string_view text) {
  if (!text.empty()) text_json(writer, name, text);
}
inline void number_json(json::Writer& writer, std::string_view name, std::uint64_t number) {
  writer.key(name);
  writer.uint(number);
}
inline void amount_json(json::Writer& writer, std::string_view name, std::int64_t amount) {
  writer.key(name);
  writer.integer(amount);
}
/// Milliseconds since 1970 as a string, as Titus has it.
inline void time_json(json::Writer& writer, std::string_view name, Instant at) {
  text_json(writer, name, std::to_string(at.ms));
}
inline void time_unless_unset(json::Writer& writer, std::string_view name, Instant at) {
  if (at.is_set()) time_json(writer, name, at);
}

}  // namespace troupe::api
