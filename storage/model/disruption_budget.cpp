#include "storage/model/disruption_budget.hpp"

#include <array>

namespace troupe {
namespace {

constexpr std::array<std::string_view, 7> days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                               "Friday", "Saturday", "Sunday"};

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

}  // namespace troupe
