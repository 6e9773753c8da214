#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

constexpr std::size_t debug_line_bytes_max = 800;
constexpr std::size_t debug_section_lines_max = 24;

/// A debug document as lines for the log, a few per section: `section=NAME …`, as many parts of it in a line
/// as fit. A section with more than that many lines is cut and says so. The recent log is left out: it is
/// there already. Comments and zeros are left out of the metrics. Pure.
std::vector<std::string> debug_lines(std::string_view document);

}  // namespace troupe
