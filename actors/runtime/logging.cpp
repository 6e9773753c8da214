#include "actors/runtime/logging.hpp"

#include <spdlog/spdlog.h>

#include "actors/runtime/recent_log.hpp"

namespace troupe::logging {
namespace {

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::silent:
      break;
  }
  return spdlog::level::off;
}

}  // namespace

void set_least(Level level) { spdlog::set_level(level_of(level)); }

void write(Level level, fmt::string_view format, fmt::format_args values) {
  spdlog::logger& logger = *spdlog::default_logger_raw();
  if (!logger.should_log(level_of(level))) return;
  const std::string text = fmt::vformat(format, values);
  recent_log().add(SystemClock().wall(), level, text);
  logger.log(level_of(level), text);
}

}  // namespace troupe::logging
