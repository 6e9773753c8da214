#include "cmd/embedded/policy_names.hpp"

#include <charconv>
#include <functional>
#include <map>

namespace troupe::embedded {
namespace {

using SetPolicy = std::function<void(CellPolicy& policy, std::int64_t value)>;

SetPolicy count(std::uint64_t CellPolicy::*member) {
  return [member](CellPolicy& policy, std::int64_t value) {
    policy.*member = static_cast<std::uint64_t>(value);
  };
}
SetPolicy span(milliseconds CellPolicy::*member) {
  return [member](CellPolicy& policy, std::int64_t value) { policy.*member = milliseconds(value); };
}

const std::map<std::string_view, SetPolicy>& policies() {
  static const std::map<std::string_view, SetPolicy> all{
      {"jobs_max", count(&CellPolicy::jobs_max)},
      {"tasks_max", count(&CellPolicy::tasks_max)},
      {"requests_max", count(&CellPolicy::requests_max)},
      {"request_memory_ms", span(&CellPolicy::request_memory)},
      {"launched_ms_max", span(&CellPolicy::launched_max)},
      {"start_initiated_ms_max", span(&CellPolicy::start_initiated_max)},
      {"kill_initiated_ms_max", span(&CellPolicy::kill_initiated_max)},
      {"host_lost_after_ms", span(&CellPolicy::host_lost_after)},
      {"relaunch_burst", count(&CellPolicy::relaunch_burst)},
      {"relaunches_per_minute", count(&CellPolicy::relaunches_per_minute)},
      {"launch_burst", count(&CellPolicy::launch_burst)},
      {"launches_per_minute", count(&CellPolicy::launches_per_minute)},
      {"launches_max", count(&CellPolicy::launches_max)},
      {"host_launch_burst", count(&CellPolicy::host_launch_burst)},
      {"host_launches_per_minute", count(&CellPolicy::host_launches_per_minute)},
      {"host_launches_max", count(&CellPolicy::host_launches_max)},
      {"host_rest_ms", span(&CellPolicy::host_rest_first)},
      {"host_rest_ms_max", span(&CellPolicy::host_rest_max)}};
  return all;
}

}  // namespace

Result<bool> set_policy(CellPolicy& policy, std::string_view name, std::string_view value) {
  const auto found = policies().find(name);
  if (found == policies().end()) return false;
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (problem != std::errc{} || end != value.data() + value.size() || number <= 0)
    return Error{ErrorCode::invalid_argument, std::string(name) + " must be a whole number above 0"};
  found->second(policy, number);
  return true;
}

}  // namespace troupe::embedded
