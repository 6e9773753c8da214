#include "net/api/selection_values.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "net/json/nearest.hpp"

namespace troupe::api {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array sizes{Unit{"MB", 1},           Unit{"M", 1},           Unit{"MiB", 1},
                           Unit{"GB", 1024},        Unit{"G", 1024},        Unit{"GiB", 1024},
                           Unit{"TB", 1024 * 1024}, Unit{"T", 1024 * 1024}, Unit{"TiB", 1024 * 1024}};
constexpr std::array durations_ms{Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
                                  Unit{"d", 86'400'000}};

/// The number that a word begins with, and what follows it.
std::optional<std::pair<double, std::string_view>> split_number(std::string_view word) {
  double number = 0;
  const auto [stop, fault] =
      std::from_chars(word.data(), word.data() + word.size(), number, std::chars_format::fixed);
  if (fault != std::errc{} || !std::isfinite(number)) return std::nullopt;
  return std::pair(number, word.substr(static_cast<std::size_t>(stop - word.data())));
}

template <std::size_t N>
std::optional<double> with_unit(const std::array<Unit, N>& units, std::string_view word) {
  const auto split = split_number(word);
  if (!split) return std::nullopt;
  for (const Unit& unit : units)
    if (unit.name == split->second) return split->first * unit.factor;
  return std::nullopt;
}

std::optional<Condition::Amount> plain(std::optional<double> number) {
  if (!number) return std::nullopt;
  return Condition::Amount{*number};
}

char lower_of(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool ends_with_part(std::string_view name, std::string_view part) {
  if (name.size() <= part.size() || name[name.size() - part.size() - 1] != '.') return false;
  const auto tail = name.substr(name.size() - part.size());
  for (std::size_t n = 0; n < part.size(); ++n)
    if (lower_of(tail[n]) != lower_of(part[n])) return false;
  return true;
}

}  // namespace

std::optional<double> decimal_of(std::string_view word) {
  const auto split = split_number(word);
  if (!split || !split->second.empty()) return std::nullopt;
  return split->first;
}

std::string_view expected_value(FieldType type) {
  switch (type) {
    case FieldType::text:
    case FieldType::list:
      return "a word, or a text in quotes";
    case FieldType::map:
      return "a word, a number, or a text in quotes";
    case FieldType::word:
      return "one of its words";
    case FieldType::number:
      return "a number";
    case FieldType::megabytes:
      return "a number of megabytes, or a size such as 4GB";
    case FieldType::seconds:
      return "a number of seconds, or a duration such as 10m";
    case FieldType::time:
      return "a duration back from now such as 10m, or milliseconds since 1970";
    case FieldType::flag:
      return "true or false";
  }
  return {};
}

std::optional<Condition::Amount> amount_of(FieldType type, std::string_view word) {
  const auto number = decimal_of(word);
  switch (type) {
    case FieldType::text:
    case FieldType::list:
    case FieldType::word:
    case FieldType::flag:
      return std::nullopt;
    case FieldType::number:
    case FieldType::map:
      return plain(number);
    case FieldType::megabytes:
      return plain(number ? number : with_unit(sizes, word));
    case FieldType::seconds: {
      if (number) return plain(number);
      const auto ms = with_unit(durations_ms, word);
      return plain(ms ? std::optional(*ms / 1000) : std::nullopt);
    }
    case FieldType::time: {
      if (number) return plain(number);
      const auto ms = with_unit(durations_ms, word);
      if (!ms) return std::nullopt;
      return Condition::Amount{*ms, true};
    }
  }
  return std::nullopt;
}

std::string field_hint(SelectionKind kind, std::string_view name) {
  json::Nearest nearest(name);
  const auto last = name.substr(name.rfind('.') + 1);
  for (const SelectionField& field : selection_fields(kind)) {
    if (field.type == FieldType::map && field.name == name)
      return "; did you mean " + std::string(name) + ".NAME?";
    if (ends_with_part(field.name, name)) return "; did you mean " + std::string(field.name) + "?";
    if (field.type == FieldType::map)
      nearest.consider(std::string(field.name) + '.' + std::string(last));
    else
      nearest.consider(field.name);
  }
  return nearest.hint();
}

}  // namespace troupe::api
