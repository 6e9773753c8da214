#include "storage/model/disruption_budget.hpp"

#include <algorithm>
#include <array>

namespace troupe {
namespace {

constexpr std::array<std::string_view, 7> days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                               "Friday", "Saturday", "Sunday"};
constexpr std::uint32_t whole_milli_percent = 100'000;
constexpr std::int64_t hour_ms = 3'600'000;
constexpr milliseconds rate_hour{hour_ms};

std::uint32_t part_of(std::uint32_t count, std::uint32_t milli_percent) {
  return static_cast<std::uint32_t>(std::uint64_t{count} * milli_percent / whole_milli_percent);
}

std::uint32_t less(std::uint32_t from, std::uint32_t amount) { return from > amount ? from - amount : 0; }

std::uint32_t left_by_policy(const DisruptionBudget& budget, const JobHealth& job) {
  switch (budget.policy) {
    case DisruptionBudget::Policy::none:
    case DisruptionBudget::Policy::relocations:
      return disruptions_unlimited;
    case DisruptionBudget::Policy::self_managed:
      return 0;
    case DisruptionBudget::Policy::availability_percentage:
      // What may be missing is rounded down, so what must be there is rounded up.
      return less(job.healthy,
                  job.wanted - part_of(job.wanted, less(whole_milli_percent, budget.policy_milli_percent)));
    case DisruptionBudget::Policy::unhealthy_tasks:
      return less(budget.policy_limit, less(job.wanted, job.healthy));
  }
  return 0;
}

milliseconds interval_of(const DisruptionBudget& budget) {
  return budget.rate == DisruptionBudget::Rate::percentage_per_hour ? rate_hour : budget.interval;
}

bool is_over(const DisruptionBudget& budget, const Disruptions& disrupted, Instant now) {
  return !disrupted.since.is_set() || now - disrupted.since >= interval_of(budget);
}

std::uint32_t left_by_rate(const DisruptionBudget& budget, const JobHealth& job, Instant now) {
  if (budget.rate == DisruptionBudget::Rate::unlimited) return disruptions_unlimited;
  const std::uint32_t most = budget.rate == DisruptionBudget::Rate::per_interval
                                 ? budget.rate_limit
                                 : part_of(job.wanted, budget.rate_milli_percent);
  return is_over(budget, job.disrupted, now) ? most : less(most, job.disrupted.count);
}

bool is_open(const DisruptionWindow& window, Instant now) {
  if (!window.time_zone.empty() && window.time_zone != "UTC") return false;
  constexpr std::int64_t day_hours = 24, week_days = 7, first_day = 3;  // 1970 began on a Thursday.
  const std::int64_t hours = now.ms / hour_ms;
  const auto day = static_cast<DisruptionWindow::Day>((hours / day_hours + first_day) % week_days);
  const auto hour = static_cast<std::uint32_t>(hours % day_hours);
  const bool is_day =
      window.days.empty() || std::find(window.days.begin(), window.days.end(), day) != window.days.end();
  return is_day && (window.hours.empty() ||
                    std::any_of(window.hours.begin(), window.hours.end(),
                                [&](const auto& span) { return span.start <= hour && hour < span.end; }));
}

}  // namespace

std::string_view policy_text(DisruptionBudget::Policy policy) {
  switch (policy) {
    case DisruptionBudget::Policy::none:
      return "";
    case DisruptionBudget::Policy::self_managed:
      return "selfManaged";
    case DisruptionBudget::Policy::availability_percentage:
      return "availabilityPercentageLimit";
    case DisruptionBudget::Policy::unhealthy_tasks:
      return "unhealthyTasksLimit";
    case DisruptionBudget::Policy::relocations:
      return "relocationLimit";
  }
  return {};
}

std::string_view rate_text(DisruptionBudget::Rate rate) {
  switch (rate) {
    case DisruptionBudget::Rate::unlimited:
      return "rateUnlimited";
    case DisruptionBudget::Rate::percentage_per_hour:
      return "ratePercentagePerHour";
    case DisruptionBudget::Rate::per_interval:
      return "ratePerInterval";
    case DisruptionBudget::Rate::percentage_per_interval:
      return "ratePercentagePerInterval";
  }
  return {};
}

std::string_view day_text(DisruptionWindow::Day day) { return days.at(static_cast<std::size_t>(day)); }

std::optional<DisruptionWindow::Day> day_from_text(std::string_view text) {
  for (std::size_t n = 0; n < days.size(); ++n)
    if (days[n] == text) return static_cast<DisruptionWindow::Day>(n);
  return std::nullopt;
}

std::uint32_t disruptions_left(const DisruptionBudget& budget, const JobHealth& job, Instant now) {
  if (!budget.is_set()) return disruptions_unlimited;
  if (!budget.windows.empty() &&
      std::none_of(budget.windows.begin(), budget.windows.end(),
                   [&](const DisruptionWindow& window) { return is_open(window, now); }))
    return 0;
  return std::min(left_by_policy(budget, job), left_by_rate(budget, job, now));
}

bool may_relocate(const DisruptionBudget& budget, std::uint32_t relocations) {
  return budget.policy != DisruptionBudget::Policy::relocations || relocations < budget.policy_limit;
}

Disruptions disrupted_after(const DisruptionBudget& budget, Disruptions before, Instant now,
                            std::uint32_t more) {
  if (!budget.is_set() || budget.rate == DisruptionBudget::Rate::unlimited) return before;
  if (is_over(budget, before, now)) return {now, more};
  return {before.since, before.count + more};
}

}  // namespace troupe
