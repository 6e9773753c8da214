#include "net/json/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace troupe::json {
namespace {

constexpr std::size_t hint_name_size_max = 64;  // Longer names get no hint: the comparison is quadratic.

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Levenshtein distance without regard to case, in one row (Wagner and Fischer, 1974).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

Nearest::Nearest(std::string_view name)
    : name_(name), best_distance_(1 + std::max<std::size_t>(1, name.size() / 3)) {}

void Nearest::consider(std::string_view known) {
  if (name_.size() > hint_name_size_max || known.size() > hint_name_size_max) return;
  const std::size_t away = distance(name_, known);
  if (away >= best_distance_) return;
  best_distance_ = away;
  best_ = known;
}

std::string Nearest::hint() const { return best_.empty() ? "" : "; did you mean " + best_ + "?"; }

}  // namespace troupe::json
