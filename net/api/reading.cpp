#include "net/api/reading.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe::api {
namespace {

std::string milli_text(std::int64_t milli) {
  std::string text = std::to_string(static_cast<double>(milli) / 1000.0);
  while (text.ends_with('0') && !text.ends_with(".0")) text.pop_back();
  return text;
}

bool is_default_scalar(const json::Value& value) {
  if (value.is_null()) return true;
  if (const bool* boolean = value.boolean()) return !*boolean;
  if (const std::int64_t* integer = value.integer()) return *integer == 0;
  if (const double* real = value.real()) return *real == 0;
  const std::string* text = value.text();
  return text && (text->empty() || *text == "0");
}

/// What proto3 JSON writes for a message that nobody filled in.
bool is_default(const json::Value& value) {
  if (const json::Array* array = value.array()) return array->empty();
  const json::Object* object = value.object();
  if (!object) return is_default_scalar(value);
  return std::all_of(object->begin(), object->end(),
                     [](const json::Member& member) { return is_default_scalar(member.value); });
}

}  // namespace

std::optional<std::int64_t> integer_of(std::string_view digits) {
  std::int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, fault] = std::from_chars(digits.data(), end, number);
  if (fault != std::errc{} || stop != end || digits.empty()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> read_integer(json::ObjectReader& reader, std::string_view name,
                                         json::IntegerBounds bounds) {
  const json::Value* value = reader.field(name);
  if (!value || !value->text()) return reader.optional_integer(name, bounds);
  const auto number = integer_of(*value->text());
  if (number && *number >= bounds.min && *number <= bounds.max) return number;
  reader.complain(name,
                  number ? "must be from " + std::to_string(bounds.min) + " to " + std::to_string(bounds.max)
                         : "must be an integer, is a string that holds none");
  return std::nullopt;
}

std::int64_t read_required_integer(json::ObjectReader& reader, std::string_view name,
                                   json::IntegerBounds bounds) {
  if (!reader.has(name)) return reader.required_integer(name, bounds);
  return read_integer(reader, name, bounds).value_or(0);
}

std::optional<std::int64_t> read_milli(json::ObjectReader& reader, std::string_view name,
                                       json::IntegerBounds milli) {
  const auto number = reader.optional_number(name);
  if (!number) return std::nullopt;
  // Compared before rounding: a number beyond 64 bits has no rounded value.
  if (*number * 1000 > static_cast<double>(milli.max) + 0.5 ||
      *number * 1000 < static_cast<double>(milli.min) - 0.5) {
    reader.complain(name, "must be from " + milli_text(milli.min) + " to " + milli_text(milli.max));
    return std::nullopt;
  }
  const std::int64_t rounded = std::llround(*number * 1000);
  if (static_cast<double>(rounded) / 1000.0 == *number) {
    if (rounded >= milli.min && rounded <= milli.max) return rounded;
    reader.complain(name, "must be from " + milli_text(milli.min) + " to " + milli_text(milli.max));
    return std::nullopt;
  }
  reader.complain(name, "must have at most three decimals");
  return std::nullopt;
}

void complain_entry(json::ObjectReader& reader, std::string_view field, std::string_view entry,
                    std::string message) {
  if (auto object = reader.optional_object(field)) object->complain(entry, std::move(message));
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

std::string read_name(json::ObjectReader& reader, std::string_view name, std::size_t bytes_max) {
  std::string text = reader.optional_string(name).value_or("");
  if (text.size() > bytes_max)
    reader.complain(name, "must have at most " + std::to_string(bytes_max) + " bytes");
  else if (has_control_character(text))
    reader.complain(name, "must not contain control characters");
  return text;
}

void refuse_unsupported(json::ObjectReader& reader, std::string_view name) {
  const json::Value* value = reader.field(name);
  if (value && !is_default(*value)) reader.complain(name, "is not supported by this cell");
}

}  // namespace troupe::api
