#include "actors/gateway/router.hpp"

#include <optional>

namespace troupe::gateway {
namespace {

std::string_view take_segment(std::string_view& rest) {
  rest.remove_prefix(1);  // the slash
  const auto segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

std::optional<std::vector<std::string>> captured_of(std::string_view pattern, std::string_view path) {
  std::vector<std::string> captured;
  while (!pattern.empty() && !path.empty() && path.front() == '/') {
    const auto wanted = take_segment(pattern);
    const auto found = take_segment(path);
    if (!wanted.empty() && wanted.front() == '{') {
      if (found.empty()) return std::nullopt;
      captured.emplace_back(found);
    } else if (wanted != found) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return captured;
}

}  // namespace

Match match_route(std::span<const Route> table, std::string_view method, std::string_view path) {
  Match match;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const Route& route : table) {
    auto captured = captured_of(route.pattern, path);
    if (!captured) continue;
    if (route.method == wanted) return {&route, std::move(*captured), {}};
    match.allow.append(match.allow.empty() ? "" : ", ").append(route.method);
  }
  return match;
}

}  // namespace troupe::gateway
