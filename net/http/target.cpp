#include "net/http/target.hpp"

#include <optional>

#include "net/json/utf8.hpp"

namespace troupe::http {
namespace {

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus { itself, space };

std::optional<std::string> decoded(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0) return std::nullopt;
      c = static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else if (c == '+' && plus == Plus::space) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    out += c;
  }
  if (!json::is_utf8(out)) return std::nullopt;
  return out;
}

std::string_view cut(std::string_view& text, char at) {
  const std::size_t end = text.find(at);
  const std::string_view front = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return front;
}

/// "http://host/path" to "/path".
std::string_view without_origin(std::string_view target) {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t slash = target.find('/', scheme.size());
    return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  return target;
}

Error bad(std::string_view what) {
  return Error{ErrorCode::invalid_argument,
               "the " + std::string(what) + " of the request's target is malformed"};
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  target = without_origin(target);
  target = target.substr(0, target.find('#'));
  if (!target.starts_with('/')) return bad("path");
  Target out;
  auto path = decoded(cut(target, '?'), Plus::itself);
  if (!path) return bad("path");
  out.path = std::move(*path);
  while (!target.empty()) {
    std::string_view value = cut(target, '&');
    if (value.empty()) continue;
    auto name = decoded(cut(value, '='), Plus::space);
    auto text = decoded(value, Plus::space);
    if (!name || !text) return bad("query");
    out.query.emplace_back(std::move(*name), std::move(*text));
  }
  return out;
}

}  // namespace troupe::http
