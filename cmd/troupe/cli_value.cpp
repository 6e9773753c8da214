#include "cmd/troupe/cli_value.hpp"

#include <algorithm>
#include <charconv>

#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

/// The longest member whose name `path` begins with, since names may contain dots; null if there is none.
const json::Member* member_of(const json::Value& value, std::string_view path) {
  const json::Member* best = nullptr;
  if (!value.object()) return best;
  for (const auto& member : *value.object()) {
    const bool fits =
        path.starts_with(member.name) && (path.size() == member.name.size() ||
                                          path[member.name.size()] == '.' || path[member.name.size()] == '[');
    if (fits && (!best || member.name.size() > best->name.size())) best = &member;
  }
  return best;
}

const json::Value* element_of(const json::Value& value, std::string_view& path) {
  std::size_t index = 0;
  const auto close = path.find(']');
  if (!value.array() || close == std::string_view::npos) return nullptr;
  std::from_chars(path.data() + 1, path.data() + close, index);
  path.remove_prefix(close + 1);
  return index < value.array()->size() ? &(*value.array())[index] : nullptr;
}

}  // namespace

const json::Value* value_at(const json::Value& value, std::string_view path) {
  const json::Value* at = &value;
  while (at && !path.empty()) {
    const auto slash = path.find('/');
    at = at->find(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return at;
}

const json::Value* value_named(const json::Value& value, std::string_view name) {
  const json::Value* at = &value;
  while (at && !name.empty()) {
    const json::Member* member = member_of(*at, name);
    if (!member) return nullptr;
    name.remove_prefix(std::min(name.size(), member->name.size() + 1));
    at = &member->value;
  }
  return at;
}

std::string text_at(const json::Value& value, std::string_view path) {
  const json::Value* found = value_at(value, path);
  if (!found || found->is_null() || found->object() || found->array()) return {};
  return found->text() ? *found->text() : json::to_json(*found);
}

std::int64_t integer_at(const json::Value& value, std::string_view path) {
  const std::string text = text_at(value, path);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is_true_at(const json::Value& value, std::string_view path) {
  const json::Value* found = value_at(value, path);
  return found && found->boolean() && *found->boolean();
}

const std::vector<json::Value>& items_of(const json::Value& value) {
  static const std::vector<json::Value> none;
  if (value.array()) return *value.array();
  const json::Value* items = value.find("items");
  return items && items->array() ? *items->array() : none;
}

json::Position position_of(const json::Value& document, std::string_view path) {
  const json::Value* at = &document;
  json::Position position = document.at();
  while (!path.empty()) {
    if (path.starts_with('.')) path.remove_prefix(1);
    if (path.starts_with('[')) {
      at = element_of(*at, path);
    } else {
      const json::Member* member = member_of(*at, path);
      if (!member) return position;
      path.remove_prefix(member->name.size());
      at = &member->value;
    }
    if (!at) return position;
    position = at->at();
  }
  return position;
}

}  // namespace troupe::cli
