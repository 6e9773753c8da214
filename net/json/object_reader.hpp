#pragma once
// Maps a JSON object to a record, collecting every complaint instead of stopping at the first.

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/json/value.hpp"

namespace troupe::json {

constexpr std::size_t violations_max = 32;  ///< beyond: one last violation "and more"

void add_violation(std::vector<Violation>& violations, std::string path, std::string message, Position at);
/// invalid_argument for a non-empty list.
Error violations_error(std::vector<Violation> violations);

struct IntegerBounds {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};
struct NumberBounds {
  double min = std::numeric_limits<double>::lowest();
  double max = std::numeric_limits<double>::max();
};

/// Reads the fields of one object. Refers to the Value and the list of violations: both must outlive it.
///
/// An optional field that is absent or null yields nothing. A field that is wrong yields a violation and then
/// nothing (or the type's zero, where required): go on reading, and look at the violations when all is read.
/// Ask for every field that is allowed, then call finish(): what was not asked for is unknown and refused. If
/// the value is no object, that is the one violation and the reader behaves as empty.
class ObjectReader {
 public:
  ObjectReader(const Value& value, std::string path, std::vector<Violation>& violations);

  std::string required_string(std::string_view name);
  std::optional<std::string> optional_string(std::string_view name);
  bool required_bool(std::string_view name);
  std::optional<bool> optional_bool(std::string_view name);
  std::int64_t required_integer(std::string_view name, IntegerBounds bounds = {});
  std::optional<std::int64_t> optional_integer(std::string_view name, IntegerBounds bounds = {});
  double required_number(std::string_view name, NumberBounds bounds = {});  ///< integers are numbers too
  std::optional<double> optional_number(std::string_view name, NumberBounds bounds = {});
  /// Null values are refused, as anything else that is no string.
  std::map<std::string, std::string> required_string_map(std::string_view name);
  std::optional<std::map<std::string, std::string>> optional_string_map(std::string_view name);
  std::vector<std::string> required_string_list(std::string_view name);
  std::optional<std::vector<std::string>> optional_string_list(std::string_view name);
  std::optional<ObjectReader> required_object(std::string_view name);  ///< nothing: absent or wrong
  std::optional<ObjectReader> optional_object(std::string_view name);
  std::vector<ObjectReader> required_object_list(std::string_view name);
  std::vector<ObjectReader> optional_object_list(std::string_view name);
  /// The one name that is present; several or none are a violation. The field itself is read by a call of its
  /// own.
  std::optional<std::string> exactly_one_of(std::initializer_list<std::string_view> names);

  /// Present and not null. Makes the name known.
  bool has(std::string_view name);
  /// The field as it stands, for shapes of its own; null if absent. Makes the name known.
  const Value* field(std::string_view name);
  void ignore(std::string_view name) { field(name); }  ///< allowed, but without a meaning here
  /// A complaint about a field (at its position) or, with an empty name, about the object.
  void complain(std::string_view name, std::string message);
  /// Refuses the fields nobody asked for.
  void finish();

  const std::string& path() const { return path_; }
  std::string path_of(std::string_view name) const;

 private:
  const Value* present(std::string_view name);
  const Value* required(std::string_view name);
  void expected(std::string_view name, std::string_view what, const Value& found);
  std::optional<std::string> string_at(std::string_view name, const Value* value);
  std::optional<bool> bool_at(std::string_view name, const Value* value);
  std::optional<std::int64_t> integer_at(std::string_view name, const Value* value, IntegerBounds bounds);
  std::optional<double> number_at(std::string_view name, const Value* value, NumberBounds bounds);
  std::optional<std::map<std::string, std::string>> map_at(std::string_view name, const Value* value);
  std::optional<std::vector<std::string>> list_at(std::string_view name, const Value* value);
  std::optional<ObjectReader> object_at(std::string_view name, const Value* value);
  std::vector<ObjectReader> objects_at(std::string_view name, const Value* value);

  const Value* value_;
  std::string path_;
  std::vector<Violation>* violations_;
  std::vector<std::string> known_{};
};

}  // namespace troupe::json
