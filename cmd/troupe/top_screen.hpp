#pragma once
// A terminal's whole screen: ncurses behind a plain face.

#include <memory>
#include <optional>
#include <utility>

#include "cmd/troupe/top_core.hpp"

namespace troupe::cli {

/// Owns the terminal while it lives and gives it back as it was. One at a time; one thread.
class TopScreen {
 public:
  TopScreen();
  ~TopScreen();
  TopScreen(const TopScreen&) = delete;
  TopScreen& operator=(const TopScreen&) = delete;

  std::pair<std::size_t, std::size_t> size() const;  ///< width, height
  void show(const std::vector<TopLine>& lines);
  /// Waits a tenth of a second at most. Nothing: no key was pressed, or one that means nothing.
  std::optional<TopStroke> key();
};

}  // namespace troupe::cli
