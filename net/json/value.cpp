#include "net/json/value.hpp"

#include <array>

namespace troupe::json {

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
