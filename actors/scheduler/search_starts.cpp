#include "actors/scheduler/search_starts.hpp"

namespace troupe::scheduler {

SearchStarts::Key SearchStarts::key_of(const Resources& need) {
  return {need.cpu_milli, need.memory_mb, need.disk_mb, need.network_mbps, need.gpu, need.ports};
}

void SearchStarts::keep(const Resources& need, const Start& start) {
  if (starts_.size() >= kept_max) starts_.clear();
  starts_[key_of(need)] = start;
}

std::optional<SearchStarts::Start> SearchStarts::find(const Resources& need) const {
  const auto found = starts_.find(key_of(need));
  return found == starts_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace troupe::scheduler
