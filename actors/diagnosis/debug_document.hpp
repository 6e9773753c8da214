#pragma once

#include <string>
#include <string_view>

#include "storage/base/result.hpp"

namespace troupe {

/// One JSON object with a member per section. Whatever a section says is redacted (redact.hpp); one that
/// could not be had, or is too large, is {"missing": why}. Single-threaded.
class DebugDocument {
 public:
  static constexpr std::size_t section_bytes_max = std::size_t{2} << 20;
  static constexpr std::size_t document_bytes_max = std::size_t{8} << 20;  ///< beyond: missing, too

  /// `json`: any JSON value; the names are ours, each given once.
  void add(std::string_view name, const Result<std::string>& json);
  std::string take();

 private:
  void put(std::string_view name, std::string_view json);
  std::string text_ = "{";
};

}  // namespace troupe
