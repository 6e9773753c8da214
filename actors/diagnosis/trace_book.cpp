#include "actors/diagnosis/trace_book.hpp"

#include "actors/diagnosis/mentions.hpp"
#include "storage/model/command_table.hpp"

namespace troupe {
namespace {

std::string state_of(const Event& event) {
  switch (event.kind) {
    case EventKind::task_created:
    case EventKind::task_changed:
    case EventKind::task_archived:
    case EventKind::task_moved:
      return std::string(state_text(event.task_state)) +
             (event.reason == Reason::none ? "" : ", " + std::string(reason_text(event.reason))) +
             (event.host.value == 0 ? "" : ", on host/" + to_text(event.host));
    case EventKind::job_created:
    case EventKind::job_changed:
    case EventKind::job_archived:
      return std::string(state_text(event.job_state));
    case EventKind::slot_changed:
      return "slot " + to_text(event.slot);
    case EventKind::host_changed:
    case EventKind::shard_assigned:
    case EventKind::group_changed:
    case EventKind::cell_changed:
      return {};
  }
  return {};
}

}  // namespace

Result<void> TraceBook::begin(TraceOrder order, Index applied, Moment now) {
  const std::lock_guard lock(mutex_);
  auto begun = core_.begin(std::move(order), now);
  if (begun.ok()) applied_ = applied;
  on_ = core_.is_on();
  return begun;
}

Result<void> TraceBook::stop(std::string_view id) {
  const std::lock_guard lock(mutex_);
  auto stopped = core_.stop(id);
  on_ = core_.is_on();
  return stopped;
}

Result<std::string> TraceBook::json(std::string_view id, Moment now) {
  // The applier waits for this lock: what takes long is done without it.
  return seen(now).json(id);
}

TraceCore TraceBook::seen(Moment now) {
  const std::lock_guard lock(mutex_);
  core_.look(now);
  on_ = core_.is_on();
  return core_.seen();
}

/// Under the lock. Whatever comes looks at the time, or a trace of what is never mentioned again would stay
/// on.
bool TraceBook::is_over(Now now) {
  core_.look(now.steady);
  on_ = core_.is_on();
  return !on_;
}

/// Under the lock.
void TraceBook::note(TraceNote note, Now now) {
  note.index = applied_;
  note.at = now.at;
  core_.note(std::move(note), now.steady);
  on_ = core_.is_on();
}

/// Once for each followed entity that it is about.
template <class About>
void TraceBook::note_of(const About& about, const EntityRef* also, TraceNote note, Now now) {
  const std::lock_guard lock(mutex_);
  if (is_over(now)) return;
  std::set<EntityRef> concerned;
  if (also != nullptr && core_.follows(*also)) concerned.insert(*also);
  std::optional<JobId> job;
  each_mentioned(about, [&](const EntityRef& entity) {
    // Where both are named, the job comes first.
    if (entity.kind == EntityKind::job) job = entity.job();
    if (entity.kind == EntityKind::task && job) core_.follow(*job, entity.task());
    if (core_.follows(entity)) concerned.insert(entity);
  });
  for (const EntityRef& entity : concerned) {
    note.entity = entity;
    this->note(note, now);
  }
}

void TraceBook::handled(const EntityRef& entity, std::string_view message, Now now) {
  const std::lock_guard lock(mutex_);
  if (!is_over(now) && core_.follows(entity)) note({TraceKind::handled, entity, message}, now);
}

void TraceBook::settled(const EntityRef& entity, const Error* error, Now now) {
  const std::lock_guard lock(mutex_);
  if (is_over(now) || !core_.follows(entity)) return;
  note({TraceKind::settled, entity, error == nullptr ? "taken" : "refused",
        error == nullptr ? "" : std::string(code_text(error->code)) + ": " + error->message},
       now);
}

void TraceBook::proposed(const Command& command, Now now) {
  note_of(command.body, nullptr,
          {TraceKind::proposed,
           {},
           command_row(command.number()).name,
           command.caller.empty() ? "" : "by " + command.caller},
          now);
}

void TraceBook::travels(TraceKind kind, BytesView bytes, NodeId other, Now now) {
  {
    const std::lock_guard lock(mutex_);
    if (is_over(now)) return;
  }
  const auto command = decode_command(bytes);
  if (!command.ok()) return;
  const ProposalId& id = command.value().proposal;
  note_of(command.value().body, nullptr,
          {kind,
           {},
           command_row(command.value().number()).name,
           (kind == TraceKind::forwarded ? "to node " : "from node ") + to_text(other),
           to_text(id.node) + '/' + std::to_string(id.count)},
          now);
}

void TraceBook::applied(const Applied& applied, Now now) {
  const std::lock_guard lock(mutex_);
  if (is_over(now)) return;
  for (const Event& event : applied.events) {
    if (!event.task.is_nil()) core_.follow(event.job, event.task);
    const EntityRef entity = event.entity();
    if (!core_.follows(entity)) continue;
    applied_ = event.id.index;
    note({TraceKind::applied, entity, kind_text(event.kind), state_of(event),
          to_text(event.id.index) + '.' + std::to_string(event.id.ordinal)},
         now);
  }
  applied_ = applied.index;
}

void TraceBook::ordered(const EntityRef& host, const agent::ToAgent& order, Now now) {
  note_of(order, &host, {TraceKind::ordered, {}, order_text(order), host.text()}, now);
}

void TraceBook::reported(const EntityRef& host, const agent::Report& report, Now now) {
  note_of(report, &host, {TraceKind::reported, {}, report.full ? "all tasks" : "tasks", host.text()}, now);
}

}  // namespace troupe
