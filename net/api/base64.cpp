#include "net/api/base64.hpp"

#include <cstdint>

namespace troupe::api {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::optional<std::uint32_t> digit_of(char c) {
  if (c == '+') c = '-';
  if (c == '/') c = '_';
  const auto at = alphabet.find(c);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint32_t>(at);
}

}  // namespace

std::string base64_text(std::string_view bytes) {
  std::string out;
  std::uint32_t word = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    word = word << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += alphabet[word >> (bits - 6) & 63];
  }
  if (bits > 0) out += alphabet[word << (6 - bits) & 63];
  return out;
}

std::optional<std::string> base64_bytes(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  std::uint32_t word = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const auto digit = digit_of(c);
    if (!digit) return std::nullopt;
    word = word << 6 | *digit;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(word >> bits & 0xff);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  return out;
}

}  // namespace troupe::api
