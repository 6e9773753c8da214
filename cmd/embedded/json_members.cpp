#include "cmd/embedded/json_members.hpp"

#include <charconv>

namespace troupe::embedded {

std::string text_member(const json::Value* object, std::string_view name) {
  const json::Value* found = object == nullptr ? nullptr : object->find(name);
  const std::string* text = found == nullptr ? nullptr : found->text();
  return text == nullptr ? std::string() : *text;
}

std::int64_t number_member(const json::Value* object, std::string_view name) {
  const json::Value* found = object == nullptr ? nullptr : object->find(name);
  if (found == nullptr) return 0;
  if (const std::int64_t* number = found->integer()) return *number;
  std::int64_t number = 0;
  if (const std::string* text = found->text())
    std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace troupe::embedded
