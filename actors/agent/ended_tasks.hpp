#pragma once
// Folders of discarded tasks, whose logs stay for a while.

#include <cstdint>
#include <deque>
#include <filesystem>

#include "storage/base/id.hpp"

namespace troupe::agent {

/// Owner: the process driver's watcher thread. Bounded by number and bytes; the newest always stays.
class EndedTasks {
 public:
  EndedTasks(std::filesystem::path folder, std::size_t kept_max, std::uint64_t bytes_max);
  /// Takes what an earlier life left, oldest end first.
  void load();
  /// Moves a task's folder in; its working directory is deleted.
  void take(const TaskId& task, const std::filesystem::path& from);

 private:
  struct Kept {
    TaskId task;
    std::uint64_t bytes = 0;
  };
  void trim();
  std::filesystem::path folder_;
  std::size_t kept_max_;
  std::uint64_t bytes_max_;
  std::deque<Kept> kept_;
  std::uint64_t bytes_ = 0;
};

}  // namespace troupe::agent
