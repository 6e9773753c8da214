#include "actors/agent/ended_tasks.hpp"

#include <algorithm>
#include <vector>

namespace troupe::agent {
namespace {

std::uint64_t bytes_below(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(folder, problem)) {
    const auto size = entry.is_regular_file(problem) ? entry.file_size(problem) : 0;
    if (!problem) bytes += size;
  }
  return bytes;
}

}  // namespace

EndedTasks::EndedTasks(std::filesystem::path folder, std::size_t kept_max, std::uint64_t bytes_max)
    : folder_(std::move(folder)), kept_max_(std::max<std::size_t>(kept_max, 1)), bytes_max_(bytes_max) {}

void EndedTasks::load() {
  std::vector<std::pair<std::filesystem::file_time_type, TaskId>> found;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, problem)) {
    const auto task = parse_uuid<TaskId>(entry.path().filename().string());
    if (task.ok())
      found.emplace_back(std::filesystem::last_write_time(entry.path() / "exit", problem), task.value());
  }
  std::sort(found.begin(), found.end());
  for (const auto& [ended, task] : found) {
    kept_.push_back({task, bytes_below(folder_ / to_text(task))});
    bytes_ += kept_.back().bytes;
  }
  trim();
}

void EndedTasks::take(const TaskId& task, const std::filesystem::path& from) {
  std::error_code problem;
  if (!std::filesystem::exists(from, problem)) return;  // Discarding twice is allowed.
  std::filesystem::remove_all(from / "work", problem);
  std::filesystem::rename(from, folder_ / to_text(task), problem);
  if (problem) return;  // It stays where it is, and is reported again by the agent's next life.
  kept_.push_back({task, bytes_below(folder_ / to_text(task))});
  bytes_ += kept_.back().bytes;
  trim();
}

void EndedTasks::trim() {
  while (kept_.size() > 1 && (kept_.size() > kept_max_ || bytes_ > bytes_max_)) {
    std::error_code problem;
    std::filesystem::remove_all(folder_ / to_text(kept_.front().task), problem);
    bytes_ -= kept_.front().bytes;
    kept_.pop_front();
  }
}

}  // namespace troupe::agent
