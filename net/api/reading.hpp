#pragma once
// Readings that several bodies share, on top of json::ObjectReader.

#include <optional>
#include <string>
#include <string_view>

#include "net/json/object_reader.hpp"
#include "storage/base/result.hpp"

namespace troupe::api {

/// An integer, or as proto3 JSON writes 64-bit ones, its digits in a string. Nothing: absent or complained
/// about.
std::optional<std::int64_t> read_integer(json::ObjectReader& reader, std::string_view name,
                                         json::IntegerBounds bounds);
std::int64_t read_required_integer(json::ObjectReader& reader, std::string_view name,
                                   json::IntegerBounds bounds);
/// Cpus with at most three decimals, as thousandths.
std::optional<std::int64_t> read_milli(json::ObjectReader& reader, std::string_view name,
                                       json::IntegerBounds milli);
/// A text of at most `bytes_max` without control characters; empty if absent.
std::string read_name(json::ObjectReader& reader, std::string_view name, std::size_t bytes_max);
/// A field of Titus that this build cannot honour: accepted only with its default value.
void refuse_unsupported(json::ObjectReader& reader, std::string_view name);

/// A complaint about one entry of a map-like field, at its position.
void complain_entry(json::ObjectReader& reader, std::string_view field, std::string_view entry,
                    std::string message);

bool has_control_character(std::string_view text);
bool is_blank(std::string_view text);
/// Decimal digits with an optional minus sign; nothing if there is anything else or it does not fit.
std::optional<std::int64_t> integer_of(std::string_view digits);

/// Parses a text and reads it; the reader's complaints become the error.
template <class T, class Read>
Result<T> read_body(std::string_view text, Read read) {
  auto value = json::parse(text);
  if (!value.ok()) return value.error();
  std::vector<Violation> violations;
  T out = read(value.value(), violations);
  if (!violations.empty()) return json::violations_error(std::move(violations));
  return out;
}

}  // namespace troupe::api
