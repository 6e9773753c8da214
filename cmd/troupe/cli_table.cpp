#include "cmd/troupe/cli_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <ostream>

namespace troupe::cli {
namespace {

constexpr std::int64_t duration_units_max = 1'000'000'000;

/// Characters, not bytes: continuation bytes of UTF-8 take no room.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

void Table::add(std::vector<std::string> row) {
  for (auto& cell : row) cell = cell.empty() ? "-" : printable(cell);
  rows_.push_back(std::move(row));
}

void Table::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out << row[i];
      if (i + 1 < row.size()) out << std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    out << '\n';
  }
}

void Sheet::add(std::string name, std::string value) {
  if (!value.empty()) lines_.emplace_back(std::move(name), printable(value));
}

void Sheet::print(std::ostream& out) const {
  std::size_t width = 0;
  for (const auto& [name, value] : lines_) width = std::max(width, width_of(name));
  for (const auto& [name, value] : lines_)
    out << name << ':' << std::string(width - width_of(name) + 1, ' ') << value << '\n';
}

std::string age_text(Instant since, Instant now) {
  if (!since.is_set()) return "-";
  const std::int64_t seconds = std::max<std::int64_t>(0, (now - since).count() / 1000);
  if (seconds < 120) return std::to_string(seconds) + "s";
  if (seconds < 7200) return std::to_string(seconds / 60) + "m";
  if (seconds < 172'800) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86'400) + "d";
}

std::optional<milliseconds> duration_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || number < 0 || number > duration_units_max) return std::nullopt;
  const std::string_view unit(stop, static_cast<std::size_t>(text.data() + text.size() - stop));
  if (unit == "ms") return milliseconds(number);
  if (unit == "s" || unit.empty()) return milliseconds(number * 1000);
  if (unit == "m") return milliseconds(number * 60'000);
  if (unit == "h") return milliseconds(number * 3'600'000);
  return std::nullopt;
}

}  // namespace troupe::cli
