#include "cmd/troupe/cli_yaml.hpp"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <set>

namespace troupe::cli {
namespace {

json::Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

Error refusal(std::string path, std::string message, json::Position at) {
  return {ErrorCode::invalid_argument, message, {{std::move(path), message, at.line, at.column}}};
}

template <class T>
std::optional<T> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T number{};
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  if (text.empty() || fault != std::errc{} || stop != end) return std::nullopt;
  return number;
}

bool looks_like_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("+-.0123456789eE") == std::string_view::npos &&
         text.find_first_of("0123456789") != std::string_view::npos;
}

json::Value::Any scalar_of(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() != "?") return text;  // Quoted, or tagged: a string.
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text == "null" || text == "~" || text.empty()) return std::monostate{};
  if (!looks_like_number(text)) return text;
  if (const auto number = number_of<std::int64_t>(text)) return *number;
  if (const auto number = number_of<double>(text)) return *number;
  return text;
}

class Converter {
 public:
  Result<json::Value> convert(const YAML::Node& node, const std::string& path, std::size_t depth) {
    const auto at = position_of(node.Mark());
    if (depth > limits_.depth) return refusal(path, "is nested too deeply", at);
    if (++values_ > limits_.values) return refusal(path, "the document has too many values", at);
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        return json::Value(std::monostate{}, at);
      case YAML::NodeType::Scalar:
        return json::Value(scalar_of(node), at);
      case YAML::NodeType::Sequence:
        return sequence(node, path, depth);
      case YAML::NodeType::Map:
        return map(node, path, depth);
    }
    return refusal(path, "is of no known kind", at);
  }

 private:
  Result<json::Value> sequence(const YAML::Node& node, const std::string& path, std::size_t depth) {
    json::Array out;
    for (const auto& item : node) {
      auto value = convert(item, path + '[' + std::to_string(out.size()) + ']', depth + 1);
      if (!value.ok()) return value;
      out.push_back(std::move(value).value());
    }
    return json::Value(std::move(out), position_of(node.Mark()));
  }

  Result<json::Value> map(const YAML::Node& node, const std::string& path, std::size_t depth) {
    json::Object out;
    std::set<std::string> names;
    for (const auto& member : node) {
      const YAML::Node& name = member.first;
      const auto at = position_of(name.Mark());
      if (!name.IsScalar()) return refusal(path, "must have plain names", at);
      const std::string below = path.empty() ? name.Scalar() : path + '.' + name.Scalar();
      if (!names.insert(name.Scalar()).second) return refusal(below, "is there twice", at);
      auto value = convert(member.second, below, depth + 1);
      if (!value.ok()) return value;
      out.push_back({name.Scalar(), at, std::move(value).value()});
    }
    return json::Value(std::move(out), position_of(node.Mark()));
  }

  const json::Limits limits_{};
  std::size_t values_ = 0;
};

}  // namespace

Result<json::Value> parse_yaml(std::string_view text) {
  if (text.size() > json::Limits{}.bytes) return refusal("", "the document is too large", {});
  try {
    return Converter().convert(YAML::Load(std::string(text)), "", 0);
  } catch (const YAML::Exception& error) {
    return refusal("", error.msg, position_of(error.mark));
  }
}

}  // namespace troupe::cli
