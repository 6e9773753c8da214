#pragma once
// Looking into the cell's answers. What is absent or of another kind reads as empty: an older client shows
// less of a newer cell, but does not break.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/json/value.hpp"

namespace troupe::cli {

/// The value at a path of names separated by '/', since names may contain dots; null if there is none.
const json::Value* value_at(const json::Value& value, std::string_view path);
/// The value at a name as conditions have it, its parts separated by dots; members may have dots in their own
/// names.
const json::Value* value_named(const json::Value& value, std::string_view name);
/// A string as it is, numbers and booleans as text.
std::string text_at(const json::Value& value, std::string_view path);
/// An integer, also one in a string. 0 if there is none.
std::int64_t integer_at(const json::Value& value, std::string_view path);
bool is_true_at(const json::Value& value, std::string_view path);
/// The list itself, or the list under "items" of an object.
const std::vector<json::Value>& items_of(const json::Value& value);

/// Where a violation's path (container.env.PATH, command[1]) points to in a document.
json::Position position_of(const json::Value& document, std::string_view path);

}  // namespace troupe::cli
