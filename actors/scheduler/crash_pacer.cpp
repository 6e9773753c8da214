#include "actors/scheduler/crash_pacer.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "storage/base/msgpack.hpp"

namespace troupe::scheduler {
namespace {

// Many small plans rather than few large ones: others are placed between them.
constexpr std::uint32_t releases_per_second = 100;

BucketRule rule_of(std::uint32_t per_second) {
  return {std::max(per_second / releases_per_second, 1U), std::uint64_t{60} * per_second};
}

}  // namespace

CrashPacer::CrashPacer(std::uint32_t per_second) : rule_(rule_of(per_second)) {}

std::uint64_t CrashPacer::program_of(const JobDescriptor& descriptor) {
  Bytes text;
  PackWriter w(text);
  for (const std::string* part : {&descriptor.application_name, &descriptor.capacity_group}) pack(w, *part);
  pack(w, descriptor.image);
  pack(w, descriptor.entry_point);
  pack(w, descriptor.command);
  pack(w, descriptor.env);
  // Users' own say nothing of what runs; these may.
  const std::string_view ours = "troupe.";
  for (auto own = descriptor.attributes.lower_bound(std::string(ours));
       own != descriptor.attributes.end() && own->first.starts_with(ours); ++own) {
    pack(w, own->first);
    pack(w, own->second);
  }
  return XXH3_64bits(text.data(), text.size());
}

std::uint32_t CrashPacer::faded(const Crashes& crashes, Instant now) {
  constexpr std::int64_t halvings_max = 31;
  const std::int64_t halvings = (now - crashes.at) / half_life;
  return crashes.count >> std::clamp<std::int64_t>(halvings, 0, halvings_max);
}

bool CrashPacer::crashes_again(const JobDescriptor& descriptor, Instant now) const {
  if (crashes_.empty()) return false;
  const auto found = crashes_.find(program_of(descriptor));
  return found != crashes_.end() && faded(found->second, now) >= crashes_until_paced;
}

void CrashPacer::ended(const JobDescriptor& descriptor, Reason reason, Instant now) {
  const bool has_crashed = reason == Reason::failed;
  if (rule_.is_none() || !(has_crashed || (reason == Reason::normal && is_alert()))) return;
  sweep(now);
  const std::uint64_t program = program_of(descriptor);
  const auto found = crashes_.find(program);
  if (has_crashed && (found != crashes_.end() || crashes_.size() < programs_max)) {
    Crashes& crashes = crashes_[program];
    crashes = {std::min(faded(crashes, now) + 1, crashes_max), now};
  } else if (!has_crashed && found != crashes_.end()) {
    found->second.count /= 2;
  }
}

/// Not more often than something can have faded: a walk over all of them.
void CrashPacer::sweep(Instant now) {
  if (now - swept_ < half_life) return;
  swept_ = now;
  std::erase_if(crashes_, [now](const auto& entry) { return faded(entry.second, now) == 0; });
}

bool CrashPacer::hold(const QueuedTask& task, Launch launch, Instant now) {
  if (rule_.is_none() || task.gang != 0) return false;
  if (!holds(task.task) && launch == Launch::first && !crashes_again(*task.descriptor, now)) return false;
  forget(task.task);
  stay_within(now);
  const auto line =
      lines_.try_emplace({task.descriptor->capacity_group, task.descriptor->application_name}).first;
  const Turn turn = turn_of(task);
  line->second.emplace(turn, task);
  held_.emplace(task.task, Place{line, turn});
  return true;
}

void CrashPacer::forget(const TaskId& task) {
  if (const auto place = held_.find(task); place != held_.end()) erase(place);
}

void CrashPacer::erase(absl::flat_hash_map<TaskId, Place>::iterator place) {
  const auto line = place->second.line;
  line->second.erase(place->second.turn);
  if (line->second.empty()) lines_.erase(line);
  held_.erase(place);
}

void CrashPacer::forget_all() {
  held_.clear();
  lines_.clear();
}

/// The cell's time may step back: the bucket must not fill from a moment that never was.
void CrashPacer::stay_within(Instant now) {
  const std::int64_t latest = now.ms * 1'000 + rule_.tokens_max() * rule_.interval_us();
  bucket_.full_at_us = std::min(bucket_.full_at_us, latest);
}

std::vector<QueuedTask> CrashPacer::release(Instant now) {
  std::vector<QueuedTask> released;
  stay_within(now);
  while (!lines_.empty() && bucket_.has_one(rule_, now)) {
    bucket_.take(rule_, now);
    auto line = lines_.upper_bound(last_);
    if (line == lines_.end()) line = lines_.begin();
    last_ = line->first;
    released.push_back(line->second.begin()->second);
    forget(released.back().task);
  }
  return released;
}

std::optional<Instant> CrashPacer::next_release() const {
  if (held_.empty()) return std::nullopt;
  return bucket_.next_at(rule_, std::min<std::uint64_t>(held_.size(), rule_.burst));
}

std::string CrashPacer::why_held(const TaskId& task) const {
  const auto place = held_.find(task);
  if (place == held_.end()) return {};
  const auto& [application, line] = *place->second.line;
  const auto before = std::distance(line.begin(), line.find(place->second.turn));
  return "launches that follow a crash, or are of what crashes again and again, are held to " +
         std::to_string(rule_.per_minute / 60) + " a second in all: " + std::to_string(before) +
         " of application " + application.second + " are before it";
}

}  // namespace troupe::scheduler
