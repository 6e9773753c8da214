#include "net/api/plan.hpp"

#include "net/api/base64.hpp"
#include "net/json/object_reader.hpp"

namespace troupe::api {
namespace {

enum class Purpose : std::uint8_t { ask, submit };

void read_job(const json::Value& value, const DescriptorLimits& limits, std::vector<Violation>& violations,
              PlanRequest& out) {
  auto job = parse_job_descriptor(value, limits);
  if (job.ok()) {
    out.job = std::move(job).value();
    return;
  }
  for (Violation violation : job.error().violations) {
    violation.path = violation.path.empty() ? "job" : "job." + violation.path;
    violations.push_back(std::move(violation));
  }
}

void read_resize(json::ObjectReader& top, const DescriptorLimits& limits, PlanRequest& out) {
  auto resize = top.optional_object("resize");
  if (!resize) return;
  const auto id = parse_uuid<JobId>(resize->required_string("jobId"));
  if (id.ok())
    out.resized = id.value();
  else
    resize->complain("jobId", "must be a UUID");
  out.desired = static_cast<std::uint32_t>(resize->required_integer("desired", {0, limits.service_size_max}));
  resize->finish();
}

Result<PlanRequest> parse(std::string_view text, const DescriptorLimits& limits, Purpose purpose) {
  const auto value = json::parse(text);
  if (!value.ok()) return value.error();
  std::vector<Violation> violations;
  json::ObjectReader top(value.value(), "", violations);
  PlanRequest out;
  if (purpose == Purpose::submit) {
    out.plan = top.required_string("plan");
    top.optional_object("job");
  } else if (value.value().object()) {
    top.exactly_one_of({"job", "resize"});
    top.optional_object("job");
    read_resize(top, limits, out);
  }
  if (const json::Value* job = value.value().find("job"); job != nullptr)
    read_job(*job, limits, violations, out);
  top.finish();
  if (!violations.empty()) return json::violations_error(std::move(violations));
  return out;
}

}  // namespace

Result<PlanRequest> parse_plan_request(std::string_view text, const DescriptorLimits& limits) {
  return parse(text, limits, Purpose::ask);
}

Result<PlanRequest> parse_planned_submit(std::string_view text, const DescriptorLimits& limits) {
  return parse(text, limits, Purpose::submit);
}

std::string plan_text(const PlanText& plan) { return base64_text(packed(plan)); }

Result<PlanText> parse_plan_text(std::string_view text) {
  const Error wrong{ErrorCode::invalid_argument,
                    "the plan cannot be read; send the text `plan` of an answer to POST /api/v3/plan"};
  const auto bytes = base64_bytes(text);
  if (!bytes) return wrong;
  auto plan = unpacked<PlanText>(*bytes);
  if (!plan.ok() || plan.value().version != PlanText{}.version ||
      plan.value().places.size() > planned_places_max)
    return wrong;
  return plan;
}

std::uint64_t job_hash(const JobDescriptor& descriptor) {
  return request_hash(CreateJob{{}, std::make_shared<const JobDescriptor>(descriptor)});
}

}  // namespace troupe::api
