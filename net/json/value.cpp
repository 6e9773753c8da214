#include "net/json/value.hpp"

#include <array>
#include <utility>

namespace troupe::json {

Value::Value() = default;
Value::Value(Any any, Position at) : any_(std::move(any)), at_(at) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

const Value* Value::find(std::string_view name) const {
  if (const Object* members = object())
    for (const Member& member : *members)
      if (member.name == name) return &member.value;
  return nullptr;
}

std::string_view Value::kind_text() const {
  constexpr std::array<std::string_view, 8> texts{"null",     "a boolean", "an integer", "an integer",
                                                  "a number", "a string",  "a list",     "an object"};
  static_assert(texts.size() == std::variant_size_v<Any>);
  return texts[any_.index()];
}

}  // namespace troupe::json
