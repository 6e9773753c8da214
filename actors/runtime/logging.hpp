#pragma once
// The process's log: one event per line, `name key=value …`. Formats at the call are checked by the compiler,
// but turned into text in one place, because spdlog's own calls bring fmt's whole machinery into each file.

#include <fmt/core.h>

namespace troupe::logging {

enum class Level { info, warn, error, silent };

/// What is below it is dropped unformatted, in the whole process. Any thread.
void set_least(Level level);
/// Any thread.
void write(Level level, fmt::string_view format, fmt::format_args values);

template <class... Value>
void info(fmt::format_string<Value...> format, Value&&... values) {
  write(Level::info, format, fmt::make_format_args(values...));
}
template <class... Value>
void warn(fmt::format_string<Value...> format, Value&&... values) {
  write(Level::warn, format, fmt::make_format_args(values...));
}
template <class... Value>
void error(fmt::format_string<Value...> format, Value&&... values) {
  write(Level::error, format, fmt::make_format_args(values...));
}

}  // namespace troupe::logging
