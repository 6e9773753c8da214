#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/model/resources.hpp"

namespace troupe::scheduler {

/// Amounts that no place of a part had free: whoever asks for as much of everything needs no search of its
/// own. Of amounts where one asks for less of everything only that one is kept; of more than `kept_max` the
/// oldest gives way. Owner: a part of a pool.
class VainSearches {
 public:
  static constexpr std::size_t kept_max = 64;

  /// No place has so much free, but such as have improved since that number.
  void note(const Resources& need, std::uint64_t since);
  /// Since when only what has improved may have so much free: the latest that is known.
  std::optional<std::uint64_t> since(const Resources& need) const;
  std::size_t size() const { return kept_.size(); }

 private:
  struct Found {
    Resources need;
    std::uint64_t since = 0;
  };
  std::vector<Found> kept_;  ///< the oldest first
};

}  // namespace troupe::scheduler
