#include "actors/runtime/recent_log.hpp"

namespace troupe::logging {

void RecentLog::add(Instant at, Level level, std::string_view text) {
  RecentLine line{at, level, std::string(text.substr(0, line_bytes_max))};
  const std::lock_guard lock(mutex_);
  bytes_ += line.text.size();
  lines_.push_back(std::move(line));
  while (lines_.size() > lines_max || bytes_ > bytes_max) {
    bytes_ -= lines_.front().text.size();
    lines_.pop_front();
    ++gone_;
  }
}

RecentLog::Told RecentLog::all() const {
  const std::lock_guard lock(mutex_);
  return {{lines_.begin(), lines_.end()}, gone_};
}

RecentLog& recent_log() {
  // Never destroyed: a thread that outlives main() may still log.
  static auto* const log = new RecentLog();
  return *log;
}

std::string_view level_text(Level level) {
  switch (level) {
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
    case Level::silent:
      break;
  }
  return "silent";
}

}  // namespace troupe::logging
