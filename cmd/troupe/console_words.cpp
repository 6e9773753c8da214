#include "cmd/troupe/console_words.hpp"

#include <algorithm>

namespace troupe::cli {

std::optional<std::vector<std::string>> shell_words(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (quote == 0 && (c == ' ' || c == '\t')) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
    else if (c == quote)
      quote = 0;
    else if (quote == '"' && c == '\\' && at + 1 < line.size())
      words.back() += line[++at];
    else
      words.back() += c;
  }
  if (quote != 0) return std::nullopt;
  return words;
}

std::string line_complaint(std::string_view line) {
  if (line.size() > line_bytes_max)
    return "the line has " + std::to_string(line.size()) + " bytes, at most " +
           std::to_string(line_bytes_max) + " are read";
  const bool has_control = std::any_of(line.begin(), line.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
  return has_control ? "the line has control characters: it was not run" : "";
}

}  // namespace troupe::cli
