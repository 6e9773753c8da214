#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/time.hpp"

namespace troupe::cli {

/// Rows of aligned columns for people. Control characters become '?', so that no name can write to the
/// terminal.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { add(std::move(header)); }
  void add(std::vector<std::string> row);
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Aligned "name: value" lines.
class Sheet {
 public:
  void add(std::string name, std::string value);  ///< an empty value is left out
  void print(std::ostream& out) const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

std::string printable(std::string_view text);
/// "17s", "5m", "3h", "12d"; "-" for an unset time.
std::string age_text(Instant since, Instant now);
/// "500ms", "30s", "5m", "2h" or bare seconds. Nothing: it is none.
std::optional<milliseconds> duration_of(std::string_view text);

}  // namespace troupe::cli
