#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::cli {

/// A line as words: separated by blanks, unless in single or double quotes; in double ones \ keeps the next
/// character. Nothing: the quotes do not end.
std::optional<std::vector<std::string>> shell_words(std::string_view line);

/// What is wrong with a line before it is looked at: too long, or with characters that nobody types. Empty:
/// nothing.
std::string line_complaint(std::string_view line);
constexpr std::size_t line_bytes_max = 16 * 1024;

}  // namespace troupe::cli
