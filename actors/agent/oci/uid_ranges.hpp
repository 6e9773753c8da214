#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "storage/base/id.hpp"

namespace troupe::agent {

constexpr std::uint32_t uids_per_container = 65'536;

/// Which range of user ids each container of a host has to itself. Owner: the oci driver, under its lock.
class UidRanges {
 public:
  UidRanges(std::uint32_t first, std::uint32_t count) : first_(first), count_(count) {}
  /// The lowest free one's first id, the same for a task that has one; nothing: all are taken.
  std::optional<std::uint32_t> take(const TaskId& task);
  /// As an earlier life gave it.
  void adopt(const TaskId& task, std::uint32_t first);
  void release(const TaskId& task);
  std::size_t taken() const { return by_task_.size(); }

 private:
  std::uint32_t first_, count_;
  std::map<TaskId, std::uint32_t> by_task_;
  std::set<std::uint32_t> used_;
};

}  // namespace troupe::agent
