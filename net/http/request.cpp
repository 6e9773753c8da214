#include "net/http/http.hpp"

namespace troupe::http {

std::string_view Request::header(std::string_view lower_name) const {
  const auto found = headers.find(lower_name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return {};
}

}  // namespace troupe::http
