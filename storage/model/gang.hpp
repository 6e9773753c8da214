#pragma once
// Gangs: batch jobs that start all their tasks at once, or none within a time.

#include <optional>
#include <string_view>

#include "storage/model/records.hpp"

namespace troupe {

/// A batch job's attribute: the seconds after which a task that has no place yet is ended.
inline constexpr std::string_view gang_attribute = "troupe.gangSeconds";
inline constexpr std::int64_t gang_seconds_max = 86'400;
/// nullopt: the text is none, of 1 to `gang_seconds_max`.
std::optional<milliseconds> gang_patience_from_text(std::string_view text);
/// nullopt: the job is no gang.
std::optional<milliseconds> gang_patience(const JobDescriptor& descriptor);
/// A gang is one at its first start; a task that follows another in its slot starts alone.
inline bool starts_with_gang(const TaskRecord& task) { return task.resubmits == 0; }

}  // namespace troupe
