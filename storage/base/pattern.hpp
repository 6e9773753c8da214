#pragma once

#include <cstddef>
#include <string_view>

namespace troupe {

/// `*` stands for any characters, `any_one` for one; '\0': no character does.
///
/// Greedy, with one place to go back to: at worst pattern × text steps.
inline bool fits_pattern(std::string_view pattern, std::string_view text, char any_one = '\0') {
  std::size_t p = 0, t = 0, star = std::string_view::npos, after_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = t;
    } else if (p < pattern.size() && (pattern[p] == text[t] || (any_one != '\0' && pattern[p] == any_one))) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace troupe
