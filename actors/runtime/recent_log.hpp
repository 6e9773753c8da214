#pragma once
// The last lines of the process's log, for whoever asks what went before.

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "actors/runtime/logging.hpp"
#include "storage/base/time.hpp"

namespace troupe::logging {

struct RecentLine {
  Instant at;
  Level level = Level::info;
  std::string text;
};

/// Thread-safe; adding costs one copy of the line under a lock. Beyond a limit the oldest lines go.
class RecentLog {
 public:
  static constexpr std::size_t lines_max = 4'096;
  static constexpr std::size_t bytes_max = 1'024 * 1'024;   ///< of text, in all lines
  static constexpr std::size_t line_bytes_max = 8 * 1'024;  ///< a longer line is cut

  void add(Instant at, Level level, std::string_view text);

  struct Told {
    std::vector<RecentLine> lines;  ///< oldest first
    std::uint64_t gone = 0;         ///< lines that went before them
  };
  Told all() const;

 private:
  mutable std::mutex mutex_;  ///< guards all below
  std::deque<RecentLine> lines_;
  std::size_t bytes_ = 0;
  std::uint64_t gone_ = 0;
};

/// What write() keeps: all that was not dropped unformatted.
RecentLog& recent_log();
std::string_view level_text(Level level);

}  // namespace troupe::logging
