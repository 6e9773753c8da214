#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// Of a store that can tell how it is inside: for a diagnosis, names and all may change. Thread-safe; a few
/// look-ups, no disk.
class TellsStoreFigures {
 public:
  virtual ~TellsStoreFigures() = default;
  virtual std::vector<std::pair<std::string, std::uint64_t>> figures() const = 0;
};

}  // namespace troupe
