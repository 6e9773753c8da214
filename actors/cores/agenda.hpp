#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "storage/base/id.hpp"
#include "storage/base/time.hpp"

namespace troupe::cores {

/// When each of many tasks wants to be looked at next; one time per task.
class Agenda {
 public:
  void set(const TaskId& task, std::optional<Instant> at) {
    if (const auto had = at_.find(task); had != at_.end()) {
      order_.erase({had->second, task});
      at_.erase(had);
    }
    if (!at) return;
    at_.emplace(task, *at);
    order_.emplace(*at, task);
  }
  std::optional<Instant> first() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }
  /// The first one due, taken out.
  std::optional<TaskId> take(Instant now) {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    const TaskId task = order_.begin()->second;
    set(task, std::nullopt);
    return task;
  }
  void clear() {
    at_.clear();
    order_.clear();
  }

 private:
  std::map<TaskId, Instant> at_;
  std::set<std::pair<Instant, TaskId>> order_;
};

}  // namespace troupe::cores
