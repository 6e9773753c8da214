#include "actors/scheduler/free_tree.hpp"

#include <algorithm>

namespace troupe::scheduler {

Resources FreeTree::most(const Resources& a, const Resources& b) {
  return {std::max(a.cpu_milli, b.cpu_milli),
          std::max(a.memory_mb, b.memory_mb),
          std::max(a.disk_mb, b.disk_mb),
          std::max(a.network_mbps, b.network_mbps),
          std::max(a.gpu, b.gpu),
          std::max(a.ports, b.ports)};
}

void FreeTree::grow(std::size_t places) {
  std::size_t leaves = std::max<std::size_t>(leaves_, 1);
  while (leaves < places) leaves *= 2;
  std::vector<Resources> nodes(2 * leaves, nothing);
  for (std::size_t i = 0; i < leaves_; ++i) nodes[leaves + i] = nodes_[leaves_ + i];
  for (std::size_t i = leaves - 1; i >= 1; --i) nodes[i] = most(nodes[2 * i], nodes[2 * i + 1]);
  nodes_ = std::move(nodes);
  leaves_ = leaves;
}

void FreeTree::set(std::size_t place, const Resources& free) {
  if (place >= leaves_) grow(place + 1);
  std::size_t at = leaves_ + place;
  nodes_[at] = free;
  for (at /= 2; at >= 1; at /= 2) {
    const Resources above = most(nodes_[2 * at], nodes_[2 * at + 1]);
    if (above == nodes_[at]) return;  // Nothing further up depends on it.
    nodes_[at] = above;
  }
}

std::optional<std::size_t> FreeTree::find(std::size_t from, const Resources& need, std::size_t& looked_at,
                                          std::size_t looked_at_max) const {
  if (from >= leaves_) return std::nullopt;
  std::size_t at = leaves_ + from;
  // In order: down into a subtree that may have a place, else on to the next subtree to the right.
  while (looked_at < looked_at_max) {
    ++looked_at;
    if (need.fits_into(nodes_[at])) {
      if (at >= leaves_) return at - leaves_;
      at *= 2;
      continue;
    }
    while ((at & 1U) != 0) at /= 2;
    if (at == 0) return std::nullopt;
    ++at;
  }
  return std::nullopt;
}

}  // namespace troupe::scheduler
