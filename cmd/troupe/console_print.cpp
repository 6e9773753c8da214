#include "cmd/troupe/console_print.hpp"

#include <algorithm>
#include <cctype>
#include <ostream>

#include "cmd/troupe/cli_table.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

std::string text_of(const json::Value& value) {
  if (value.is_null()) return {};
  return value.text() ? *value.text() : json::to_json(value);
}

bool is_table(const json::Value& value) {
  return value.array() && !value.array()->empty() && value.array()->front().object();
}

bool is_empty(const json::Value& value) {
  return (value.array() && value.array()->empty()) || (value.object() && value.object()->empty());
}

/// mailboxMax -> MAILBOX MAX
std::string heading_of(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isupper(letter) && !out.empty()) out += ' ';
    out += static_cast<char>(std::toupper(letter));
  }
  return out;
}

void print_table(std::ostream& out, const json::Array& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows)
    if (row.object())
      for (const auto& [name, at, value] : *row.object())
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  std::vector<std::string> header;
  for (const auto& name : names) header.push_back(heading_of(name));
  Table table(header);
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const auto& name : names) {
      const json::Value* value = row.find(name);
      cells.push_back(value ? text_of(*value) : "");
    }
    table.add(std::move(cells));
  }
  table.print(out);
}

struct Found {
  Sheet lines;
  std::vector<std::pair<std::string, const json::Array*>> tables;
  bool has_lines = false;
};

void collect(Found& found, const std::string& name, const json::Value& value) {
  if (is_empty(value)) return;
  if (is_table(value)) {
    found.tables.emplace_back(name, value.array());
  } else if (value.object()) {
    for (const auto& member : *value.object())
      collect(found, name.empty() ? member.name : name + '.' + member.name, member.value);
  } else {
    const std::string text = text_of(value);
    found.has_lines = found.has_lines || !text.empty();
    found.lines.add(name, text);
  }
}

}  // namespace

void print_value(std::ostream& out, const json::Value& value) {
  Found found;
  collect(found, value.object() ? "" : "answer", value);
  found.lines.print(out);
  bool needs_gap = found.has_lines;
  for (const auto& [name, rows] : found.tables) {
    if (needs_gap) out << '\n';
    if (found.tables.size() > 1) out << name << ":\n";
    print_table(out, *rows);
    needs_gap = true;
  }
}

}  // namespace troupe::cli
