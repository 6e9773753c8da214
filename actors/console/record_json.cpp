#include "actors/console/record_json.hpp"

#include <cctype>

namespace troupe::console {

std::string_view text_of(SlotState state) {
  switch (state) {
    case SlotState::empty:
      return "Empty";
    case SlotState::running:
      return "Running";
    case SlotState::ended:
      return "Ended";
    case SlotState::waiting:
      return "Waiting";
    case SlotState::done:
      return "Done";
    case SlotState::failed:
      return "Failed";
  }
  return {};
}

std::string_view text_of(RetryPolicy::Kind kind) {
  switch (kind) {
    case RetryPolicy::Kind::immediate:
      return "Immediate";
    case RetryPolicy::Kind::delayed:
      return "Delayed";
    case RetryPolicy::Kind::exponential:
      return "Exponential";
  }
  return {};
}

std::string camel_case(std::string_view name) {
  std::string out;
  bool starts_word = false;
  for (const char c : name) {
    if (c != '_') out += starts_word ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    starts_word = c == '_';
  }
  return out;
}

}  // namespace troupe::console
