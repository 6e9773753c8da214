#pragma once
// Plans: what is asked of POST /api/v3/plan, and the text that a plan is known by afterwards.

#include <optional>
#include <string>
#include <string_view>

#include "net/api/descriptor.hpp"
#include "storage/model/command.hpp"

namespace troupe::api {

/// {"job": DESCRIPTOR} or {"resize": {"jobId", "desired"}}. To submit by a plan, {"plan": TEXT} besides; a
/// resize stands in the plan itself and is left out.
struct PlanRequest {
  std::optional<JobDescriptor> job;
  JobId resized;  ///< nil: a new job
  std::uint32_t desired = 0;
  std::string plan;
};
/// Errors: invalid_argument.
Result<PlanRequest> parse_plan_request(std::string_view text, const DescriptorLimits& limits = {});
Result<PlanRequest> parse_planned_submit(std::string_view text, const DescriptorLimits& limits = {});

/// What a plan's text stands for. Nobody keeps it but who asked for it.
struct PlanText {
  std::uint32_t version = 1;
  std::uint64_t job_hash = 0;  ///< of the new job's descriptor
  JobId resized;
  std::uint32_t desired = 0;
  Index index;                          ///< of the state that the plan was made from
  std::vector<PlannedPlace> places;     ///< without ids of tasks
  std::optional<std::uint32_t> from{};  ///< of a resize: the size then; nullopt: an older build's plan
  static constexpr std::size_t fields_at_first = 6;
  static constexpr auto fields() {
    using P = PlanText;
    return field_list(field("version", &P::version), field("job_hash", &P::job_hash),
                      field("resized", &P::resized), field("desired", &P::desired), field("index", &P::index),
                      field("places", &P::places), field("from", &P::from));
  }
};
std::string plan_text(const PlanText& plan);
/// Errors: invalid_argument.
Result<PlanText> parse_plan_text(std::string_view text);
std::uint64_t job_hash(const JobDescriptor& descriptor);

}  // namespace troupe::api
