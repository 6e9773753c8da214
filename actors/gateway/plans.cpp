// POST /api/v3/plan: where tasks would go; and a job that is submitted, or grows, exactly so.

#include <algorithm>

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "actors/gateway/pin_image.hpp"
#include "actors/scheduler/plan_told.hpp"
#include "net/api/plan.hpp"

namespace troupe::gateway {
namespace {

/// What is planned: its places have their slots, and no hosts yet.
struct Wanted {
  api::PlanText plan;
  DescriptorPtr descriptor;
  JobId job;  ///< for the scheduler
};

void place_json(json::Writer& writer, SlotNumber slot, const PlanTold::Place& place) {
  const auto member = [&](std::string_view key, std::string_view value) {
    writer.key(key);
    writer.text(value);
  };
  writer.begin_object();
  writer.key("slot");
  writer.uint(slot.value);
  member("host", place.host_name);
  member("hostVersion", to_text(place.eligibility));
  writer.key("waits");
  writer.boolean(place.waits);
  writer.key("preempted");
  writer.begin_array();
  for (const PlanTold::Ended& ended : place.victims) {
    writer.begin_object();
    member("taskId", to_text(ended.victim.task));
    member("taskVersion", to_text(ended.victim.version));
    member("jobId", to_text(ended.job));
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
}

/// What can be promised. One that waits for tasks that are ending anyway is left to the scheduler.
api::PlanText promised(const Wanted& wanted, const PlanTold& told) {
  api::PlanText plan = wanted.plan;
  plan.index = told.index;
  plan.places.clear();
  for (std::size_t n = 0; n < told.places.size(); ++n) {
    const PlanTold::Place& at = told.places[n];
    if (at.waits && at.victims.empty()) continue;
    PlannedPlace place = wanted.plan.places[n];
    place.host = at.host;
    place.eligibility = at.eligibility;
    for (const PlanTold::Ended& ended : at.victims) place.victims.push_back(ended.victim);
    plan.places.push_back(std::move(place));
  }
  return plan;
}

std::string answer_json(const Wanted& wanted, const PlanTold& told) {
  json::Writer writer;
  writer.begin_object();
  writer.key("index");
  writer.text(to_text(told.index));
  writer.key("tasks");
  writer.uint(wanted.plan.places.size());
  writer.key("waiting");
  writer.uint(wanted.plan.places.size() - told.places.size());
  writer.key("placements");
  writer.begin_array();
  for (std::size_t n = 0; n < told.places.size(); ++n)
    place_json(writer, wanted.plan.places[n].slot, told.places[n]);
  writer.end_array();
  writer.key("plan");
  writer.text(api::plan_text(promised(wanted, told)));
  writer.end_object();
  std::string text = writer.take();
  // The scheduler wrote it already.
  if (!told.why.empty()) text.replace(text.size() - 1, 1, ",\"why\":" + told.why + "}");
  return text;
}

void ask(Services& services, const CallPtr& call, const Wanted& wanted) {
  const AskedPlan asked{wanted.job, wanted.descriptor, static_cast<std::uint32_t>(wanted.plan.places.size())};
  services.ask_plan(asked, [call, wanted](const Result<Bytes>& bytes) {
    if (!bytes.ok()) return call->fail(bytes.error());
    const auto told = unpacked<PlanTold>(bytes.value());
    if (!told.ok() || told.value().places.size() > wanted.plan.places.size())
      return call->fail({ErrorCode::internal, "the scheduler's answer cannot be read"});
    call->answer(http::json_response(200, answer_json(wanted, told.value())));
  });
}

/// The slots of a service that are empty below its new size. Those that still have a task keep it.
Result<Wanted> wanted_of(const Reads& reads, const api::PlanRequest& request) {
  Wanted wanted;
  std::uint32_t from = 0;
  Result<void> checked = {};
  const bool lives = reads.with_job(request.resized, [&](const JobView& view) {
    const JobRecord& job = view.record;
    if (job.descriptor->is_batch())
      checked = Error{ErrorCode::invalid_argument, "a batch job cannot be resized"};
    else if (request.desired < job.capacity.min || request.desired > job.capacity.max)
      checked = Error{ErrorCode::invalid_argument, "desired is outside the job's min and max"};
    wanted.descriptor = job.descriptor;
    from = job.capacity.desired;
    for (std::uint32_t n = job.capacity.desired; n < request.desired; ++n) {
      const SlotRecord slot = n < view.slots.size() ? view.slots[n].record : SlotRecord{};
      if (slot.state != SlotState::running)
        wanted.plan.places.push_back({SlotNumber{n}, slot.task, {}, {}, {}, {}});
    }
  });
  if (!lives) return Error{ErrorCode::not_found, "there is no live job " + to_text(request.resized)};
  if (!checked.ok()) return checked.error();
  wanted.job = wanted.plan.resized = request.resized;
  wanted.plan.desired = request.desired;
  wanted.plan.from = from;
  return wanted;
}

Result<void> check_size(const Wanted& wanted) {
  if (wanted.plan.places.size() <= planned_places_max) return {};
  return Error{ErrorCode::invalid_argument,
               "a plan is of at most " + std::to_string(planned_places_max) + " tasks"};
}

/// The tasks get their ids when they are made.
std::vector<PlannedPlace> with_ids(std::vector<PlannedPlace> places, const JobId& job, Random& random) {
  for (PlannedPlace& place : places) place.task = random.task_of(job);
  return places;
}

Error broken(const std::vector<std::string>& differences) {
  constexpr std::size_t told_max = 5;
  std::string text;
  for (std::size_t n = 0; n < std::min(told_max, differences.size()); ++n)
    text += (n == 0 ? "" : "; ") + differences[n];
  if (differences.size() > told_max)
    text += "; and " + std::to_string(differences.size() - told_max) + " more";
  return {ErrorCode::conflict, "the plan does not hold any more: " + text + "; make a new plan"};
}

/// Without ids of tasks nothing can come of it but the answer to an earlier attempt of this request.
template <class Body>
void ask_for_answer(Services& services, const CallPtr& call, Body body, MutationAnswer answer,
                    const std::vector<std::string>& differences) {
  for (PlannedPlace& place : body.places) place.task = {};
  answer.conflict = broken(differences);
  mutate(services, call, std::move(body), std::move(answer));
}

/// Apply knows room and versions; what else a placement must heed, the leader's scheduler knows.
template <class Body>
void submit(Services& services, const CallPtr& call, AskedPlan asked, Body body, MutationAnswer answer) {
  if (asked.places.empty()) return mutate(services, call, std::move(body), std::move(answer));
  services.ask_plan(std::move(asked), [&services, call, body = std::move(body),
                                       answer = std::move(answer)](const Result<Bytes>& bytes) {
    if (!bytes.ok()) return call->fail(bytes.error());
    const auto checked = unpacked<PlanChecked>(bytes.value());
    if (!checked.ok()) return call->fail({ErrorCode::internal, "the scheduler's answer cannot be read"});
    const std::vector<std::string>& differences = checked.value().differences;
    if (differences.empty()) return mutate(services, call, body, answer);
    ask_for_answer(services, call, body, answer, differences);
  });
}

void submit_resize(Services& services, const CallPtr& call, const api::PlanText& text) {
  const ResizeJob body{
      text.resized, {}, text.desired, {}, with_ids(text.places, text.resized, services.random())};
  const MutationAnswer answer{.status = 202, .entity_url = job_url(text.resized)};
  DescriptorPtr descriptor;
  std::uint32_t size = 0;
  services.node().reads().with_job(text.resized, [&](const JobView& view) {
    descriptor = view.record.descriptor;
    size = view.record.capacity.desired;
  });
  if (descriptor == nullptr) return mutate(services, call, body, answer);
  if (text.from && size != *text.from && size != text.desired) {
    const std::vector<std::string> grown{"the job has " + std::to_string(size) + " tasks by now, it had " +
                                         std::to_string(*text.from)};
    if (text.places.empty()) return call->fail(broken(grown));
    return ask_for_answer(services, call, body, answer, grown);
  }
  const auto count = static_cast<std::uint32_t>(text.places.size());
  submit(services, call, AskedPlan{text.resized, descriptor, count, text.places}, body, answer);
}

void submit_job(Services& services, const CallPtr& call, DescriptorPtr job,
                const std::vector<PlannedPlace>& places) {
  CreateJob body{services.random().uuid<JobId>(), std::move(job), {}};
  body.places = with_ids(places, body.job, services.random());
  AskedPlan asked{body.job, body.descriptor, body.descriptor->initial_capacity().desired, places};
  submit(services, call, std::move(asked), std::move(body),
         {.status = 202,
          .entity_url = job_url(body.job),
          .body = [](const Outcome& outcome) { return "{\"id\":\"" + outcome.entity + "\"}"; },
          .made_under = "/api/v3/jobs/"});
}

}  // namespace

void plan(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  auto request = api::parse_plan_request(call->request.body);
  if (!request.ok()) return call->fail(request.error());
  if (request.value().job) {
    Wanted wanted;
    wanted.job = services.random().uuid<JobId>();
    wanted.plan.job_hash = api::job_hash(*request.value().job);
    wanted.descriptor = std::make_shared<const JobDescriptor>(std::move(*request.value().job));
    for (std::uint32_t n = 0; n < wanted.descriptor->initial_capacity().desired; ++n)
      wanted.plan.places.push_back({SlotNumber{n}, {}, {}, {}, {}, {}});
    if (const auto checked = check_size(wanted); !checked.ok()) return call->fail(checked.error());
    return ask(services, call, wanted);
  }
  services.when_fresh(call, api::Consistency::linearizable, [&services, call, asked = request.value()] {
    const auto wanted = wanted_of(services.node().reads(), asked);
    if (!wanted.ok()) return call->fail(wanted.error());
    if (const auto checked = check_size(wanted.value()); !checked.ok()) return call->fail(checked.error());
    ask(services, call, wanted.value());
  });
}

void submit_plan(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  auto request = api::parse_planned_submit(call->request.body);
  if (!request.ok()) return call->fail(request.error());
  auto& job = request.value().job;
  const auto plan = api::parse_plan_text(request.value().plan);
  if (!plan.ok()) return call->fail(plan.error());
  const api::PlanText& text = plan.value();
  if (text.resized.is_nil() != job.has_value() || (job && api::job_hash(*job) != text.job_hash))
    return call->fail({ErrorCode::invalid_argument,
                       "the plan was made for something else; send the job that was planned, and nothing "
                       "with a plan for a resize"});
  if (!job)
    return services.when_fresh(call, api::Consistency::linearizable,
                               [&services, call, text] { submit_resize(services, call, text); });
  pin_image(services, call, std::move(*job), [&services, call, places = text.places](DescriptorPtr stored) {
    submit_job(services, call, std::move(stored), places);
  });
}

}  // namespace troupe::gateway
