#include "actors/console/entity_report.hpp"

#include <algorithm>
#include <charconv>

#include "actors/console/record_json.hpp"
#include "actors/cores/group_core.hpp"
#include "storage/state/archive.hpp"

namespace troupe::console {
namespace {

const Error no_target{ErrorCode::invalid_argument,
                      "name an entity: job/ID, task/ID, host/NAME (or its number) or group/NAME"};

std::optional<HostId> host_of(const Reads& reads, std::string_view text) {
  if (const auto named = reads.host_id(text)) return named;
  HostId host;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), host.value);
  if (fault != std::errc{} || stop != text.data() + text.size() || !reads.host_facts(host))
    return std::nullopt;
  return host;
}

void put_slots(json::Writer& writer, std::size_t count, const auto& slot_at) {
  put(writer, "slotsLeftOut", count - std::min(count, slots_listed_max));
  writer.key("slots");
  writer.begin_array();
  for (std::size_t n = 0; n < std::min(count, slots_listed_max); ++n) put_value(writer, slot_at(n));
  writer.end_array();
}

void put_counts(json::Writer& writer, const JobCounts& counts) {
  writer.key("tasks");
  writer.begin_object();
  for (std::size_t state = 0; state + 1 < task_state_count; ++state)
    put(writer, state_text(static_cast<TaskState>(state)), counts.tasks[state]);
  writer.end_object();
}

Result<void> put_job(json::Writer& writer, const Reads& reads, const JobId& id) {
  const bool lives = reads.with_job(id, [&](const JobView& view) {
    put(writer, "archived", false);
    put(writer, "record", view.record);
    put_counts(writer, view.counts);
    put_slots(
        writer, view.slots.size(), [&](std::size_t n) -> const auto& { return view.slots[n].record; });
  });
  if (lives) return {};
  const auto archived = reads.archived_job(id);
  if (!archived.ok()) return archived.error();
  if (!archived.value()) return Error{ErrorCode::not_found, "there is no job " + to_text(id)};
  put(writer, "archived", true);
  put(writer, "record", archived.value()->record);
  const auto& slots = archived.value()->slots;
  put_slots(
      writer, slots.size(), [&](std::size_t n) -> const auto& { return slots[n]; });
  return {};
}

Result<void> put_task(json::Writer& writer, const Reads& reads, const TaskId& id) {
  std::optional<TaskRecord> record;
  if (auto facts = reads.task(id)) record = std::move(facts->record);
  put(writer, "archived", !record.has_value());
  if (!record) {
    auto archived = reads.archived_task(id);
    if (!archived.ok()) return archived.error();
    record = std::move(archived).value();
  }
  if (!record) return Error{ErrorCode::not_found, "there is no task " + to_text(id)};
  put(writer, "record", *record);
  return {};
}

Result<void> put_host(json::Writer& writer, const Reads& reads, HostId id) {
  auto view = reads.host(id);
  if (!view) return Error{ErrorCode::not_found, "there is no host " + to_text(id)};
  put(writer, "record", view->record);
  if (view->pause) put(writer, "paused", *view->pause);
  put(writer, "used", view->used);
  put(writer, "tasksLeftOut", view->tasks.size() - std::min(view->tasks.size(), tasks_listed_max));
  view->tasks.resize(std::min(view->tasks.size(), tasks_listed_max));
  put(writer, "tasks", view->tasks);
  return {};
}

Result<void> put_group(json::Writer& writer, const Reads& reads, const std::string& name) {
  const auto view = reads.group(name);
  if (!view) return Error{ErrorCode::not_found, "there is no capacity group " + name};
  const cores::GroupStanding standing = cores::group_standing(view->record, view->use);
  put(writer, "record", view->record);
  put(writer, "condition", view->condition);
  if (view->pause) put(writer, "paused", *view->pause);
  put(writer, "jobs", view->use.jobs);
  put(writer, "tasks", view->use.tasks);
  put(writer, "tasksWanted", view->use.wanted);
  put(writer, "waiting", view->waiting);
  put(writer, "waitingSince", view->waiting_since);
  put(writer, "placed", view->use.placed);
  put(writer, "reservation", standing.reservation);
  put(writer, "headroom", standing.headroom);
  put(writer, "aboveReservation", standing.above);
  put(writer, "overCap", standing.is_over_cap);
  return {};
}

Result<void> put_record(json::Writer& writer, const Reads& reads, const Target& target) {
  switch (target.entity.kind) {
    case EntityKind::job:
      return put_job(writer, reads, target.entity.job());
    case EntityKind::task:
      return put_task(writer, reads, target.entity.task());
    case EntityKind::host:
      return put_host(writer, reads, target.entity.host());
    case EntityKind::group:
      return put_group(writer, reads, target.group);
  }
  return no_target;
}

void put_duty(json::Writer& writer, const NodeContext& context, ShardId shard, const EntityRef& entity) {
  const auto duties = context.reads().duties(shard, Instant{INT64_MAX}, duties_walked_max);
  const auto found =
      std::find_if(duties.begin(), duties.end(), [&](const Duty& duty) { return duty.entity == entity; });
  writer.key("duty");
  if (found != duties.end()) return writer.text(due_text(found->due));
  duties.size() < duties_walked_max ? writer.null() : writer.text("not among the shard's earliest");
}

void put_standing(json::Writer& writer, const NodeContext& context, const EntityRef& entity) {
  const ShardRecord shard = context.reads().shard(context.reads().shard_of(entity));
  put(writer, "shard", shard.id);
  put(writer, "owner", shard.owner);
  put(writer, "epoch", shard.epoch);
  put_duty(writer, context, shard.id, entity);
  if (const std::string next = next_step(context, entity); !next.empty()) put(writer, "next", next);
}

}  // namespace

std::string text_of(const Reads& reads, const EntityRef& entity) {
  if (entity.kind != EntityKind::group) return entity.text();
  const auto name = reads.group_name(entity);
  return name ? "group/" + *name : entity.text();
}

Result<Target> target_of(const Reads& reads, std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos || slash + 1 == text.size()) return no_target;
  const std::string_view kind = text.substr(0, slash);
  const std::string_view name = text.substr(slash + 1);
  if (kind == kind_text(EntityKind::group)) {
    if (reads.group(name)) return Target{EntityRef::of_group(name), std::string(name)};
    return Error{ErrorCode::not_found, "there is no capacity group " + std::string(name)};
  }
  if (kind == kind_text(EntityKind::host)) {
    if (const auto host = host_of(reads, name)) return Target{EntityRef::of(*host), {}};
    return Error{ErrorCode::not_found, "there is no host " + std::string(name)};
  }
  const bool is_job = kind == kind_text(EntityKind::job);
  if (!is_job && kind != kind_text(EntityKind::task)) return no_target;
  const auto bytes = uuid_bytes(name);
  if (!bytes.ok()) return Error{ErrorCode::invalid_argument, "\"" + std::string(name) + "\" is no whole id"};
  if (is_job) return Target{EntityRef::of(JobId{bytes.value()}), {}};
  return Target{EntityRef::of(TaskId{bytes.value()}), {}};
}

Result<std::string> show_json(const NodeContext& context, const Target& target, const json::Value& actor) {
  json::Writer writer;
  writer.begin_object();
  put(writer, "entity", target.text());
  if (const auto put_it = put_record(writer, context.reads(), target); !put_it.ok()) return put_it.error();
  put_standing(writer, context, target.entity);
  writer.key("actor");
  json::write_value(writer, actor);
  writer.end_object();
  return writer.take();
}

}  // namespace troupe::console
