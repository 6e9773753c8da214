#include "tests/storage/raft/scenario/script.hpp"

#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace troupe::raft::test {

std::string Line::word(std::size_t at) const {
  if (at >= words.size()) throw std::runtime_error("a word is missing");
  return words[at];
}

std::uint32_t Line::node(std::size_t at) const {
  return static_cast<std::uint32_t>(std::strtoul(word(at).c_str(), nullptr, 10));
}

std::uint64_t Line::number_of(const std::string& key, std::uint64_t otherwise) const {
  const auto at = values.find(key);
  return at == values.end() ? otherwise : std::strtoull(at->second.c_str(), nullptr, 10);
}

std::vector<Line> parse(const std::string& text) {
  std::vector<Line> out;
  std::istringstream in(text);
  std::size_t number = 0;
  for (std::string row; std::getline(in, row);) {
    Line line{.number = ++number, .text = row, .verb = {}, .words = {}, .values = {}, .outcome = {}};
    std::istringstream words(row.substr(0, row.find('#')));
    for (std::string word; words >> word;) {
      const auto equals = word.find('=');
      if (word == "->")
        words >> line.outcome;
      else if (line.verb.empty())
        line.verb = word;
      else if (equals == std::string::npos)
        line.words.push_back(word);
      else
        line.values[word.substr(0, equals)] = word.substr(equals + 1);
    }
    if (!line.verb.empty()) out.push_back(std::move(line));
  }
  return out;
}

std::vector<std::uint64_t> numbers(const std::string& text) {
  std::vector<std::uint64_t> out;
  std::istringstream in(text == "none" ? "" : text);
  for (std::string one; std::getline(in, one, ',');) out.push_back(std::strtoull(one.c_str(), nullptr, 10));
  return out;
}

}  // namespace troupe::raft::test
