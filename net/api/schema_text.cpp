#include "net/api/schema_text.hpp"

#include "net/json/writer.hpp"

namespace troupe::api::schema {
namespace {

Text quoted(std::string_view value) {
  // The writer makes whole values only: a list of one, without its brackets.
  json::Writer writer;
  writer.begin_array();
  writer.text(value);
  writer.end_array();
  const Text list = writer.take();
  return list.substr(1, list.size() - 2);
}

Text members_of(std::span<const Property> properties) {
  Text members, required;
  for (const Property& property : properties) {
    members.append(members.empty() ? "" : ",")
        .append(quoted(property.name))
        .append(":")
        .append(property.schema);
    if (property.must == Must::be) required.append(required.empty() ? "" : ",").append(quoted(property.name));
  }
  Text out = R"({"type":"object","properties":{)" + members + "}";
  if (!required.empty()) out += R"(,"required":[)" + required + "]";
  return out;
}

std::span<const Property> span_of(std::initializer_list<Property> list) {
  return {list.begin(), list.size()};
}

}  // namespace

Text object(std::span<const Property> properties) {
  return members_of(properties) + R"(,"additionalProperties":false})";
}
Text object(std::initializer_list<Property> properties) { return object(span_of(properties)); }
Text open_object(std::initializer_list<Property> properties) { return members_of(span_of(properties)) + "}"; }
Property may(std::string_view name, Text schema) { return {name, std::move(schema), Must::may}; }

Text text() { return R"({"type":"string"})"; }
Text text_like(std::string_view pattern) { return R"({"type":"string","pattern":)" + quoted(pattern) + "}"; }
Text uuid() { return text_like("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"); }
Text boolean() { return R"({"type":"boolean"})"; }
Text number() { return R"({"type":"number"})"; }
Text integer(std::int64_t min) { return R"({"type":"integer","minimum":)" + std::to_string(min) + "}"; }
Text integer(std::int64_t min, std::int64_t max) {
  return R"({"type":"integer","minimum":)" + std::to_string(min) + R"(,"maximum":)" + std::to_string(max) +
         "}";
}
Text digits() { return text_like("^-?[0-9]+$"); }
Text digits_or_integer() { return one_of({digits(), R"({"type":"integer"})"}); }

Text one_of(std::initializer_list<Text> any) {
  Text list;
  for (const Text& one : any) list.append(list.empty() ? "" : ",").append(one);
  return R"({"anyOf":[)" + list + "]}";
}

Text enumeration(std::span<const std::string_view> values) {
  Text list;
  for (const auto value : values) list.append(list.empty() ? "" : ",").append(quoted(value));
  return R"({"type":"string","enum":[)" + list + "]}";
}

Text array_of(Text items) { return R"({"type":"array","items":)" + items + "}"; }
Text map_of(Text values) { return R"({"type":"object","additionalProperties":)" + values + "}"; }
Text ref(std::string_view component) {
  return R"({"$ref":)" + quoted("#/components/schemas/" + std::string(component)) + "}";
}

}  // namespace troupe::api::schema
