#pragma once
// The cell's limits and time-outs as JSON: one declaration of each for reading, writing and the contract.

#include <span>
#include <string_view>

#include "net/json/writer.hpp"
#include "storage/base/result.hpp"
#include "storage/model/records.hpp"

namespace troupe::api {

struct PolicyCount {
  std::string_view name;
  std::uint64_t CellPolicy::*member;
  std::int64_t min;
  std::int64_t max;
  std::string_view help;
};
struct PolicyTime {
  std::string_view name;  ///< in milliseconds
  milliseconds CellPolicy::*member;
  std::int64_t min_ms;
  std::int64_t max_ms;
  std::string_view help;
};
std::span<const PolicyCount> policy_counts();
std::span<const PolicyTime> policy_times();

void policy_json(json::Writer& writer, const CellPolicy& policy);
void rate_json(json::Writer& writer, const RateRule& rule);
/// PUT /cell/policy: what is given replaces what `now` has; `rates` as a whole. Errors: invalid_argument.
Result<CellPolicy> parse_policy_change(std::string_view text, const CellPolicy& now);

}  // namespace troupe::api
