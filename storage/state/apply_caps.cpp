// The caps on what lives. A refusal says which one, what it is and what is there now.

#include <fmt/core.h>

#include "storage/base/planted_bug.hpp"
#include "storage/state/apply.hpp"

namespace troupe {
namespace {

constexpr std::int64_t cap_retry_ms = 5'000;  // Work ends when it ends; sooner only adds to the load.

struct Cap {
  std::string_view name;
  std::string whose;
  std::string_view what;
  std::uint64_t max = 0;
  std::uint64_t used = 0;
};

std::optional<Error> check_cap(const Cap& cap, std::uint64_t more) {
  if (more == 0 || (cap.used < cap.max && more <= cap.max - cap.used)) return std::nullopt;
  Error error{
      ErrorCode::limit_exceeded,
      fmt::format("the limit of {} is {} {}: {} are live and {} more were asked for; try again when some "
                  "have ended",
                  cap.whose, cap.max, cap.what, cap.used, more)};
  error.limit =
      std::make_shared<const LimitHit>(LimitHit{std::string(cap.name), cap.max, cap.used, cap_retry_ms});
  return error;
}

/// Where a limit of 0 is none.
std::optional<Error> check_optional_cap(const Cap& cap, std::uint64_t more) {
  return cap.max == 0 ? std::nullopt : check_cap(cap, more);
}

}  // namespace

CommandApply::Check CommandApply::check_caps(const JobDescriptor& descriptor, std::string_view caller,
                                             More more) const {
  if (Check full = check_cell_caps(more)) return full;
  if (Check full = check_group_caps(descriptor.capacity_group, more)) return full;
  return check_caller_caps(caller, more);
}

CommandApply::Check CommandApply::check_cell_caps(More more) const {
  const CellPolicy& policy = stage_.cell().policy;
  const CellTables& cell = stage_.tables().cell;
  if (!planted(Bug::caps_ignored))
    if (Check full = check_cap({"cell.jobs", "the cell", "jobs", policy.jobs_max, cell.live_jobs}, more.jobs))
      return full;
  return check_cap({"cell.tasks", "the cell", "tasks", policy.tasks_max, cell.wanted_tasks}, more.tasks);
}

CommandApply::Check CommandApply::check_group_caps(const std::string& name, More more) const {
  const CellTables& cell = stage_.tables().cell;
  const auto group = cell.groups.find(name);
  if (group == cell.groups.end()) return std::nullopt;
  const auto entry = cell.group_entries.find(name);
  const GroupUse use = entry == cell.group_entries.end() ? GroupUse{} : entry->second.use;
  const std::string whose = "capacity group " + name;
  if (Check full = check_optional_cap({"capacityGroup.jobs", whose, "jobs", group->second.jobs_max, use.jobs},
                                      more.jobs))
    return full;
  return check_optional_cap({"capacityGroup.tasks", whose, "tasks", group->second.tasks_max, use.wanted},
                            more.tasks);
}

CommandApply::Check CommandApply::check_caller_caps(std::string_view caller, More more) const {
  const CellPolicy& policy = stage_.cell().policy;
  const auto& callers = stage_.tables().cell.callers;
  const auto found = callers.find(caller);
  const CallerUse use = found == callers.end() ? CallerUse{} : found->second;
  const std::string whose = "caller " + std::string(caller);
  if (Check full =
          check_optional_cap({"caller.jobs", whose, "jobs", policy.caller_jobs_max, use.jobs}, more.jobs))
    return full;
  return check_optional_cap({"caller.tasks", whose, "tasks", policy.caller_tasks_max, use.wanted},
                            more.tasks);
}

}  // namespace troupe
