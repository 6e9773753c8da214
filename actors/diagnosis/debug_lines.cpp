#include "actors/diagnosis/debug_lines.hpp"

#include "actors/diagnosis/debug_document.hpp"
#include "net/json/writer.hpp"

namespace troupe {
namespace {

constexpr std::size_t document_values_max = 2'000'000;

/// Fills lines with parts; each begins with the section's name.
class Lines {
 public:
  Lines(std::vector<std::string>& out, std::string_view section) : out_(out), head_("section=") {
    head_ += section;
  }
  void add(std::string_view part) {
    part = part.substr(0, debug_line_bytes_max);
    if (!line_.empty() && line_.size() + 1 + part.size() > debug_line_bytes_max) end_line();
    line_ += ' ';
    line_ += part;
  }
  void finish() {
    if (!line_.empty()) end_line();
    if (left_out_ > 0) out_.push_back(head_ + " lines_left_out=" + std::to_string(left_out_));
  }

 private:
  void end_line() {
    if (written_ < debug_section_lines_max) {
      out_.push_back(head_ + line_);
      ++written_;
    } else {
      ++left_out_;
    }
    line_.clear();
  }
  std::vector<std::string>& out_;
  std::string head_;
  std::string line_;
  std::size_t written_ = 0;
  std::size_t left_out_ = 0;
};

/// Lists are told item by item, objects member by member; what they hold stays together as JSON.
void add_value(Lines& lines, const std::string& name, const json::Value& value) {
  if (const auto* list = value.array()) {
    for (const json::Value& item : *list) lines.add(name + '=' + json::to_json(item));
    return;
  }
  lines.add(name + '=' + json::to_json(value));
}

void add_metrics(Lines& lines, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool is_histogram = line.find("_bucket{") != line.npos;
    if (!line.empty() && line.front() != '#' && !line.ends_with(" 0") && !is_histogram) lines.add(line);
  }
}

void add_section(Lines& lines, const json::Member& section) {
  const auto* object = section.value.object();
  if (object == nullptr) return add_value(lines, section.name, section.value);
  for (const json::Member& member : *object) {
    if (section.name == "metrics" && member.name == "text" && member.value.text() != nullptr)
      add_metrics(lines, *member.value.text());
    else
      add_value(lines, member.name, member.value);
  }
}

}  // namespace

std::vector<std::string> debug_lines(std::string_view document) {
  json::Limits limits;
  limits.bytes = DebugDocument::document_bytes_max;
  limits.values = document_values_max;
  const auto parsed = json::parse(document, limits);
  std::vector<std::string> out;
  if (!parsed.ok() || parsed.value().object() == nullptr) return {"section=none why=\"no JSON object\""};
  for (const json::Member& section : *parsed.value().object()) {
    if (section.name == "log") continue;
    Lines lines(out, section.name);
    add_section(lines, section);
    lines.finish();
  }
  return out;
}

}  // namespace troupe
