#include "storage/base/settings.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace troupe {
namespace {

/// Levenshtein's distance: letters to insert, drop or exchange.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t n = 0; n <= b.size(); ++n) row[n] = n;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t n = 1; n <= b.size(); ++n) {
      const std::size_t exchanged = diagonal + (a[i - 1] == b[n - 1] ? 0 : 1);
      diagonal = row[n];
      row[n] = std::min({exchanged, row[n] + 1, row[n - 1] + 1});
    }
  }
  return row[b.size()];
}

constexpr std::size_t near_max = 3;
constexpr std::size_t name_bytes_max = 64;  // Of what was typed; a longer one is near to nothing.

/// "; did you mean a, b?", nearest first; empty if nothing is near.
std::string near_names(std::string_view name, const std::vector<const Setting*>& declared) {
  std::vector<std::pair<std::size_t, std::string_view>> near;
  if (name.size() >= 3 && name.size() <= name_bytes_max)
    for (const Setting* setting : declared) {
      const std::size_t far = distance(name, setting->name);
      const bool is_part = setting->name.find(name) != std::string_view::npos;
      if (is_part || far <= std::max<std::size_t>(2, name.size() / 4)) near.emplace_back(far, setting->name);
    }
  std::sort(near.begin(), near.end());
  std::string text;
  for (std::size_t n = 0; n < std::min(near.size(), near_max); ++n)
    text.append(n == 0 ? "; did you mean " : " or ").append(near[n].second);
  return text.empty() ? text : text + "?";
}

}  // namespace

std::int64_t Settings::get(const Setting& setting) const {
  const auto found = values_.find(setting.name);
  return found == values_.end() ? setting.fallback : found->second;
}

Result<void> Settings::set(std::string_view name, std::string_view value,
                           const std::vector<const Setting*>& declared) {
  const auto found =
      std::find_if(declared.begin(), declared.end(), [&](const Setting* s) { return s->name == name; });
  if (found == declared.end())
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("unknown setting '{}'{}; `troupe settings` lists all", name, near_names(name, declared))};
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
