// Places that a plan promised: a job is made, or grows, with its tasks where the plan put them, or not at
// all.

#include <fmt/core.h>

#include <algorithm>

#include "storage/model/feature_level.hpp"
#include "storage/model/gang.hpp"
#include "storage/state/apply.hpp"

namespace troupe {
namespace {

constexpr std::size_t differences_told_max = 5;

}  // namespace

bool CommandApply::wants_alone(const JobDescriptor& descriptor) {
  const auto asked = descriptor.hard_constraints.find("exclusiveHost");
  return asked != descriptor.hard_constraints.end() && asked->second == "true";
}

/// Who wants a host alone has it alone: of several tasks there none does.
CommandApply::Check CommandApply::check_company(HostId id, const JobDescriptor& descriptor) const {
  const auto host = stage_.tables().cell.hosts.find(id);
  if (host == stage_.tables().cell.hosts.end()) return Error{ErrorCode::not_found, "no such host"};
  const auto& tasks = host->second.tasks;
  const auto here = company_.find(id);
  const Company placed = here == company_.end() ? Company{} : here->second;
  if (wants_alone(descriptor) && (!tasks.empty() || placed.tasks > 0))
    return Error{ErrorCode::conflict, "other tasks are there"};
  const TaskRecord* only = tasks.size() == 1 ? stage_.task(*tasks.begin()) : nullptr;
  const JobRecord* job = only == nullptr ? nullptr : stage_.job(only->job);
  if (placed.alone > 0 || (job != nullptr && wants_alone(*job->descriptor)))
    return Error{ErrorCode::conflict, "a task is there that wants the host alone"};
  return std::nullopt;
}

/// Of a gang of which some wait for others to end, none starts before: the scheduler places it whole.
CommandApply::Starts CommandApply::start_of(const JobId& job, const std::vector<PlannedPlace>& places) const {
  const bool waits = stage_.cell().level >= level_of_gang_plans &&
                     gang_patience(*stage_.job(job)->descriptor) &&
                     std::ranges::any_of(places, [](const auto& place) { return !place.victims.empty(); });
  return waits ? Starts::with_its_gang : Starts::now;
}

CommandApply::Check CommandApply::keep_place(const PlaceTasks::Item& item) {
  if (Check refusal = check_spot(item)) return refusal;
  book(item, Booking::take);
  kept_.push_back(item);
  return std::nullopt;
}

CommandApply::Check CommandApply::take_place(const JobId& job, const PlannedPlace& place, Starts when) {
  if (place.task.is_nil()) return Error{ErrorCode::conflict, "the scheduler did not allow it"};
  const DescriptorPtr descriptor = stage_.job(job)->descriptor;
  if (place.victims.empty())
    if (Check refusal = check_company(place.host, *descriptor)) return refusal;
  const SlotRecord* known = stage_.slot(job, place.slot);
  const SlotRecord before = known == nullptr ? SlotRecord{} : *known;
  if (before.task != place.last || before.state == SlotState::running || is_closed(before.state))
    return Error{ErrorCode::precondition_failed, fmt::format("slot {} has moved on", place.slot.value)};
  if (Check refusal =
          start_task({job, place.slot, place.last, SlotState::running, place.task, {}, {}}, before))
    return refusal;
  const PlaceTasks::Item item{place.task, stage_.index(), place.host, place.eligibility};
  if (place.victims.empty()) return when == Starts::now ? this->place(item) : keep_place(item);
  if (Check refusal = check_pauses(place.host, descriptor->capacity_group)) return refusal;
  if (Check refusal = check_host(place.host)) return refusal;
  if (stage_.host(place.host)->eligibility != place.eligibility)
    return Error{ErrorCode::conflict, "the host has changed"};
  return evict({*descriptor, job, place.task}, place.host, place.victims);
}

Result<void> CommandApply::take_places(const JobId& job, const std::vector<PlannedPlace>& places) {
  if (places.size() > planned_places_max)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("a plan has at most {} places", planned_places_max)};
  const Starts when = start_of(job, places);
  std::string differences;
  std::size_t count = 0;
  for (const PlannedPlace& place : places) {
    const Check refusal = take_place(job, place, when);
    if (!refusal || ++count > differences_told_max) continue;
    const HostRecord* host = stage_.host(place.host);
    differences +=
        fmt::format("{}slot {} on {}: {}", count == 1 ? "" : "; ", place.slot.value,
                    host == nullptr ? "a host that is gone" : "host " + host->name, refusal->message);
  }
  for (const PlaceTasks::Item& item : kept_) book(item, Booking::give_back);
  if (count == 0) return {};
  if (count > differences_told_max) differences += fmt::format("; and {} more", count - differences_told_max);
  return Error{ErrorCode::conflict, "the plan does not hold any more: " + differences + "; make a new plan"};
}

}  // namespace troupe
