#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <optional>

#include "storage/model/resources.hpp"

namespace troupe::scheduler {

/// Where searches of a part for so much have come to, for the next class that asks for as much: classes come
/// and go with their tasks. Of `kept_max` all are forgotten, and begin anew. Owner: a part of a pool.
class SearchStarts {
 public:
  static constexpr std::size_t kept_max = 4'096;

  /// No place before `at`, or none at all, has enough, but such as have improved since `seen`.
  struct Start {
    std::size_t at = 0;
    std::uint64_t seen = 0;
    bool has_no_room = false;
  };
  void keep(const Resources& need, const Start& start);
  std::optional<Start> find(const Resources& need) const;
  std::size_t size() const { return starts_.size(); }

 private:
  using Key = std::array<std::int64_t, 6>;
  static Key key_of(const Resources& need);
  absl::flat_hash_map<Key, Start> starts_;  ///< looked up by key, and never walked
};

}  // namespace troupe::scheduler
