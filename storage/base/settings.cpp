#include "storage/base/settings.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace troupe {

std::int64_t Settings::get(const Setting& setting) const {
  const auto found = values_.find(setting.name);
  return found == values_.end() ? setting.fallback : found->second;
}

Result<void> Settings::set(std::string_view name, std::string_view value,
                           const std::vector<const Setting*>& declared) {
  const auto found =
      std::find_if(declared.begin(), declared.end(), [&](const Setting* s) { return s->name == name; });
  if (found == declared.end())
    return Error{ErrorCode::invalid_argument,
                 fmt::format("unknown setting '{}'; `troupe settings` lists them", name)};
  const Setting& setting = **found;
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (problem != std::errc{} || end != value.data() + value.size())
    return Error{ErrorCode::invalid_argument,
                 fmt::format("setting '{}': '{}' is not a whole number", name, value)};
  if (number < setting.low || number > setting.high)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("setting '{}': {} is outside {}..{}", name, number, setting.low, setting.high)};
  values_[std::string(name)] = number;
  return {};
}

void Settings::set(const Setting& setting, std::int64_t value) {
  TROUPE_CHECK(value >= setting.low && value <= setting.high);
  values_[std::string(setting.name)] = value;
}

}  // namespace troupe
