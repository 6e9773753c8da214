#include "net/json/utf8.hpp"

#include <cstdint>

namespace troupe::json {
namespace {

/// The bytes from the front that belong together, and whether they are a whole character.
struct Step {
  std::size_t size;
  bool whole;
};

struct Lead {
  std::size_t size;         ///< of the character; 0: no lead byte
  std::uint8_t second_min;  ///< the second byte alone has narrower bounds
  std::uint8_t second_max;
};

Lead lead_of(std::uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xc2) return {0, 0, 0};
  if (byte < 0xe0) return {2, 0x80, 0xbf};
  if (byte < 0xf0) {
    const std::uint8_t min = byte == 0xe0 ? 0xa0 : 0x80;
    const std::uint8_t max = byte == 0xed ? 0x9f : 0xbf;
    return {3, min, max};
  }
  if (byte < 0xf5) {
    const std::uint8_t min = byte == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t max = byte == 0xf4 ? 0x8f : 0xbf;
    return {4, min, max};
  }
  return {0, 0, 0};
}

Step step(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const Lead lead = lead_of(at(0));
  if (lead.size == 0) return {1, false};
  for (std::size_t i = 1; i < lead.size; ++i) {
    const std::uint8_t min = i == 1 ? lead.second_min : 0x80;
    const std::uint8_t max = i == 1 ? lead.second_max : 0xbf;
    if (i >= bytes.size() || at(i) < min || at(i) > max) return {i, false};
  }
  return {lead.size, true};
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const Step next = step(bytes);
    if (!next.whole) return false;
    bytes.remove_prefix(next.size);
  }
  return true;
}

std::string utf8_with_replacements(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + 8);
  while (!bytes.empty()) {
    const Step next = step(bytes);
    out.append(next.whole ? bytes.substr(0, next.size) : std::string_view("\xef\xbf\xbd"));
    bytes.remove_prefix(next.size);
  }
  return out;
}

}  // namespace troupe::json
