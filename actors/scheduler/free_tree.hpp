#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "storage/model/resources.hpp"

namespace troupe::scheduler {

/// A tree of maxima over what many places have free: finds the next place that has enough in about the
/// logarithm of their number. In the worst case (no place has enough of all, but each subtree has enough of
/// each) it looks at all.
class FreeTree {
 public:
  static constexpr Resources nothing{-1, -1, -1, -1, -1, -1};
  /// Of each resource the greater amount.
  static Resources most(const Resources& a, const Resources& b);

  /// Grows as needed; new places have nothing.
  void set(std::size_t place, const Resources& free);
  const Resources& free(std::size_t place) const { return nodes_[leaves_ + place]; }
  /// The first at or after `from` that has enough. `looked_at` grows by the nodes visited; none is found when
  /// it reaches `looked_at_max`.
  std::optional<std::size_t> find(std::size_t from, const Resources& need, std::size_t& looked_at,
                                  std::size_t looked_at_max = SIZE_MAX) const;
  std::size_t size() const { return leaves_; }

 private:
  void grow(std::size_t places);
  std::vector<Resources> nodes_;  ///< 1 is the root; the children of i are 2i and 2i + 1
  std::size_t leaves_ = 0;        ///< a power of two, or 0
};

}  // namespace troupe::scheduler
