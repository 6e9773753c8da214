#include "actors/agent/oci/uid_ranges.hpp"

namespace troupe::agent {

std::optional<std::uint32_t> UidRanges::take(const TaskId& task) {
  if (const auto found = by_task_.find(task); found != by_task_.end()) return found->second;
  for (std::uint32_t i = 0; i < count_; ++i) {
    const std::uint32_t first = first_ + i * uids_per_container;
    if (!used_.insert(first).second) continue;
    by_task_[task] = first;
    return first;
  }
  return std::nullopt;
}

void UidRanges::adopt(const TaskId& task, std::uint32_t first) {
  by_task_[task] = first;
  used_.insert(first);
}

void UidRanges::release(const TaskId& task) {
  const auto found = by_task_.find(task);
  if (found == by_task_.end()) return;
  used_.erase(found->second);
  by_task_.erase(found);
}

}  // namespace troupe::agent
