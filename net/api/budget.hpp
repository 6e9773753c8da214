#pragma once
// Disruption budgets as JSON. The cell itself moves no task yet, so that every budget holds; it is kept for
// whoever does.

#include "net/json/object_reader.hpp"
#include "net/json/writer.hpp"
#include "storage/model/disruption_budget.hpp"

namespace troupe::api {

constexpr std::size_t windows_max = 32;  ///< and days and hours of each
constexpr std::size_t health_providers_max = 8;

/// {policy, rate, timeWindows, containerHealthProviders} with Titus' names; exactly one policy.
DisruptionBudget read_budget(json::ObjectReader& reader);
void budget_json(json::Writer& writer, const DisruptionBudget& budget);

}  // namespace troupe::api
