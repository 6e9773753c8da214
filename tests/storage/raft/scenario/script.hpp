#pragma once
// The language of the scenario files: one command a line, words and key=value pairs. README.md lists the
// commands.

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::raft::test {

/// One line. `propose 1 a -> not_leader` has the verb propose, the words 1 and a, and the outcome not_leader.
struct Line {
  std::size_t number = 0;
  std::string text;
  std::string verb;
  std::vector<std::string> words;
  std::map<std::string, std::string> values;
  std::string outcome;  ///< empty: it succeeds

  /// The word at a position; a test failure when it is missing.
  std::string word(std::size_t at) const;
  std::uint32_t node(std::size_t at) const;
  std::uint64_t number_of(const std::string& key, std::uint64_t otherwise) const;
};

/// Comments and empty lines left out.
std::vector<Line> parse(const std::string& text);

/// "1,1,2" as numbers; "none" or nothing as none.
std::vector<std::uint64_t> numbers(const std::string& text);

}  // namespace troupe::raft::test
