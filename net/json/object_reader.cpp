#include "net/json/object_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "net/json/nearest.hpp"

namespace troupe::json {
namespace {

constexpr std::size_t quoted_name_size_max = 128;

std::string joined(std::string_view path, std::string_view name) {
  std::string out(path);
  if (!out.empty() && !name.empty()) out += '.';
  if (name.size() <= quoted_name_size_max) return out.append(name);
  return out.append(name.substr(0, quoted_name_size_max)).append("...");
}

std::string number_text(double number) {
  std::array<char, 32> digits{};
  return std::string(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

template <class T>
std::string range_text(T min, T max) {
  if constexpr (std::is_same_v<T, double>)
    return "from " + number_text(min) + " to " + number_text(max);
  else
    return "from " + std::to_string(min) + " to " + std::to_string(max);
}

}  // namespace

void add_violation(std::vector<Violation>& violations, std::string path, std::string message, Position at) {
  if (violations.size() < violations_max)
    violations.push_back({std::move(path), std::move(message), at.line, at.column});
  else if (violations.size() == violations_max)
    violations.push_back({"", "and more", at.line, at.column});
}

Error violations_error(std::vector<Violation> violations) {
  TROUPE_CHECK(!violations.empty());
  std::string message = violations.front().path.empty() ? "" : violations.front().path + ": ";
  message += violations.front().message;
  if (violations.size() > 1) message += " (and " + std::to_string(violations.size() - 1) + " more)";
  return Error{ErrorCode::invalid_argument, std::move(message), std::move(violations)};
}

ObjectReader::ObjectReader(const Value& value, std::string path, std::vector<Violation>& violations)
    : value_(&value), path_(std::move(path)), violations_(&violations) {
  if (!value.object()) expected("", "an object", value);
}

std::string ObjectReader::path_of(std::string_view name) const { return joined(path_, name); }

const Value* ObjectReader::field(std::string_view name) {
  known_.emplace_back(name);
  return value_->find(name);
}

const Value* ObjectReader::present(std::string_view name) {
  const Value* found = field(name);
  return found && !found->is_null() ? found : nullptr;
}

const Value* ObjectReader::required(std::string_view name) {
  const Value* found = present(name);
  if (!found && value_->object()) {
    const Value* null = value_->find(name);
    add_violation(*violations_, path_of(name), "is required", (null ? null : value_)->at());
  }
  return found;
}

bool ObjectReader::has(std::string_view name) { return present(name) != nullptr; }

void ObjectReader::expected(std::string_view name, std::string_view what, const Value& found) {
  std::string message = "must be ";
  message.append(what).append(", is ").append(found.kind_text());
  add_violation(*violations_, path_of(name), std::move(message), found.at());
}

void ObjectReader::complain(std::string_view name, std::string message) {
  const Value* at = name.empty() ? value_ : value_->find(name);
  add_violation(*violations_, path_of(name), std::move(message), (at ? at : value_)->at());
}

std::optional<std::string> ObjectReader::string_at(std::string_view name, const Value* value) {
  if (!value) return std::nullopt;
  if (const std::string* text = value->text()) return *text;
  expected(name, "a string", *value);
  return std::nullopt;
}

std::optional<bool> ObjectReader::bool_at(std::string_view name, const Value* value) {
  if (!value) return std::nullopt;
  if (const bool* boolean = value->boolean()) return *boolean;
  expected(name, "a boolean", *value);
  return std::nullopt;
}

std::optional<std::int64_t> ObjectReader::integer_at(std::string_view name, const Value* value,
                                                     IntegerBounds bounds) {
  if (!value) return std::nullopt;
  const std::int64_t* integer = value->integer();
  if (integer && *integer >= bounds.min && *integer <= bounds.max) return *integer;
  if (integer || value->big_integer())
    add_violation(*violations_, path_of(name), "must be " + range_text(bounds.min, bounds.max), value->at());
  else
    expected(name, "an integer", *value);
  return std::nullopt;
}

std::optional<double> ObjectReader::number_at(std::string_view name, const Value* value,
                                              NumberBounds bounds) {
  if (!value) return std::nullopt;
  double number = 0;
  if (const double* real = value->real())
    number = *real;
  else if (const std::int64_t* integer = value->integer())
    number = static_cast<double>(*integer);
  else if (const std::uint64_t* big = value->big_integer())
    number = static_cast<double>(*big);
  else {
    expected(name, "a number", *value);
    return std::nullopt;
  }
  if (number >= bounds.min && number <= bounds.max) return number;
  add_violation(*violations_, path_of(name), "must be " + range_text(bounds.min, bounds.max), value->at());
  return std::nullopt;
}

std::optional<std::map<std::string, std::string>> ObjectReader::map_at(std::string_view name,
                                                                       const Value* value) {
  if (!value) return std::nullopt;
  if (!value->object()) {
    expected(name, "an object of strings", *value);
    return std::nullopt;
  }
  std::map<std::string, std::string> out;
  for (const Member& member : *value->object()) {
    if (const std::string* text = member.value.text())
      out.emplace(member.name, *text);
    else
      add_violation(*violations_, joined(path_of(name), member.name),
                    "must be a string, is " + std::string(member.value.kind_text()), member.value.at());
  }
  return out;
}

std::optional<std::vector<std::string>> ObjectReader::list_at(std::string_view name, const Value* value) {
  if (!value) return std::nullopt;
  if (!value->array()) {
    expected(name, "a list of strings", *value);
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < value->array()->size(); ++i) {
    const Value& item = (*value->array())[i];
    if (const std::string* text = item.text())
      out.push_back(*text);
    else
      expected(std::string(name) + "[" + std::to_string(i) + "]", "a string", item);
  }
  return out;
}

std::optional<ObjectReader> ObjectReader::object_at(std::string_view name, const Value* value) {
  if (!value) return std::nullopt;
  if (value->object()) return ObjectReader(*value, path_of(name), *violations_);
  expected(name, "an object", *value);
  return std::nullopt;
}

std::vector<ObjectReader> ObjectReader::objects_at(std::string_view name, const Value* value) {
  std::vector<ObjectReader> out;
  if (!value) return out;
  if (!value->array()) {
    expected(name, "a list of objects", *value);
    return out;
  }
  for (std::size_t i = 0; i < value->array()->size(); ++i)
    if (auto item = object_at(std::string(name) + "[" + std::to_string(i) + "]", &(*value->array())[i]))
      out.push_back(std::move(*item));
  return out;
}

std::string ObjectReader::required_string(std::string_view name) {
  return string_at(name, required(name)).value_or("");
}
std::optional<std::string> ObjectReader::optional_string(std::string_view name) {
  return string_at(name, present(name));
}
bool ObjectReader::required_bool(std::string_view name) {
  return bool_at(name, required(name)).value_or(false);
}
std::optional<bool> ObjectReader::optional_bool(std::string_view name) {
  return bool_at(name, present(name));
}
std::int64_t ObjectReader::required_integer(std::string_view name, IntegerBounds bounds) {
  return integer_at(name, required(name), bounds).value_or(0);
}
std::optional<std::int64_t> ObjectReader::optional_integer(std::string_view name, IntegerBounds bounds) {
  return integer_at(name, present(name), bounds);
}
double ObjectReader::required_number(std::string_view name, NumberBounds bounds) {
  return number_at(name, required(name), bounds).value_or(0);
}
std::optional<double> ObjectReader::optional_number(std::string_view name, NumberBounds bounds) {
  return number_at(name, present(name), bounds);
}
std::map<std::string, std::string> ObjectReader::required_string_map(std::string_view name) {
  return map_at(name, required(name)).value_or(std::map<std::string, std::string>{});
}
std::optional<std::map<std::string, std::string>> ObjectReader::optional_string_map(std::string_view name) {
  return map_at(name, present(name));
}
std::vector<std::string> ObjectReader::required_string_list(std::string_view name) {
  return list_at(name, required(name)).value_or(std::vector<std::string>{});
}
std::optional<std::vector<std::string>> ObjectReader::optional_string_list(std::string_view name) {
  return list_at(name, present(name));
}
std::optional<ObjectReader> ObjectReader::required_object(std::string_view name) {
  return object_at(name, required(name));
}
std::optional<ObjectReader> ObjectReader::optional_object(std::string_view name) {
  return object_at(name, present(name));
}
std::vector<ObjectReader> ObjectReader::required_object_list(std::string_view name) {
  return objects_at(name, required(name));
}
std::vector<ObjectReader> ObjectReader::optional_object_list(std::string_view name) {
  return objects_at(name, present(name));
}

std::optional<std::string> ObjectReader::exactly_one_of(std::initializer_list<std::string_view> names) {
  std::optional<std::string> found;
  std::string all;
  std::size_t count = 0;
  for (const std::string_view name : names) {
    all.append(all.empty() ? "" : ", ").append(name);
    if (!has(name)) continue;
    ++count;
    found = std::string(name);
  }
  if (count == 1) return found;
  if (value_->object())
    add_violation(*violations_, path_, "must have exactly one of " + all + ", has " + std::to_string(count),
                  value_->at());
  return std::nullopt;
}

void ObjectReader::finish() {
  if (!value_->object()) return;
  for (const Member& member : *value_->object()) {
    if (std::find(known_.begin(), known_.end(), member.name) != known_.end()) continue;
    if (violations_->size() > violations_max) return;
    Nearest nearest(member.name);
    for (const std::string& known : known_) nearest.consider(known);
    add_violation(*violations_, path_of(member.name), "is not a known field" + nearest.hint(), member.at);
  }
}

}  // namespace troupe::json
