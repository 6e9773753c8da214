#include "actors/agent/task_book.hpp"

namespace troupe::agent {
namespace {

constexpr std::string_view key_prefix = "t/";

Bytes key_of(const TaskId& task) {
  return Bytes(key_prefix) + Bytes(reinterpret_cast<const char*>(task.bytes.data()), task.bytes.size());
}

TaskReport first_report(const TaskId& task, Instant wall) {
  return {.task = task, .state = TaskState::launched, .message = {}, .at = wall};
}

}  // namespace

bool TaskBook::is_task_key(BytesView key) { return key.starts_with(key_prefix); }

Result<void> TaskBook::restore(BytesView key, BytesView value) {
  auto record = unpacked<TaskRecord>(value);
  if (!record.ok()) return record.error();
  const TaskId task = record.value().spec.task;
  const bool has_end = record.value().end.has_value();
  if (key != key_of(task) || has_end == (record.value().phase == TaskPhase::live) || tasks_.contains(task))
    return Error{ErrorCode::corrupt, "the agent's journal contradicts itself about task " + to_text(task)};
  KnownTask& known = tasks_[task];
  known.record = std::move(record).value();
  known.latest = has_end ? *known.record.end : first_report(task, {});
  ++counts_[static_cast<std::size_t>(known.record.phase)];
  if (known.record.phase == TaskPhase::settled) {
    settled_[known.record.settled_order] = task;
    next_settled_ = std::max(next_settled_, known.record.settled_order + 1);
  }
  return {};
}

KnownTask* TaskBook::find(const TaskId& task) {
  const auto known = tasks_.find(task);
  return known == tasks_.end() ? nullptr : &known->second;
}

void TaskBook::save(const KnownTask& task, JournalChanges& journal) const {
  journal.push_back({key_of(task.record.spec.task), packed(task.record)});
}

void TaskBook::move(KnownTask& task, TaskPhase phase) {
  TROUPE_CHECK(phase > task.record.phase);
  --counts_[static_cast<std::size_t>(task.record.phase)];
  ++counts_[static_cast<std::size_t>(phase)];
  task.record.phase = phase;
}

KnownTask& TaskBook::accept(const ContainerSpec& spec, Instant wall, JournalChanges& journal) {
  const auto [known, fresh] = tasks_.try_emplace(spec.task);
  TROUPE_CHECK(fresh);
  KnownTask& task = known->second;
  task.record.spec = spec;
  task.latest = first_report(spec.task, wall);
  task.is_with_driver = true;
  ++counts_[static_cast<std::size_t>(TaskPhase::live)];
  save(task, journal);
  return task;
}

KnownTask& TaskBook::found(const TaskId& task, Instant wall, JournalChanges& journal) {
  ContainerSpec spec;
  spec.task = task;
  return accept(spec, wall, journal);
}

void TaskBook::end(KnownTask& task, const TaskReport& end, JournalChanges& journal) {
  move(task, TaskPhase::ended);
  task.record.end = end;
  task.latest = end;
  // What it was to run is not needed any more; the record stays small while it waits.
  ContainerSpec rest;
  rest.task = task.record.spec.task;
  rest.job = task.record.spec.job;
  rest.slot = task.record.spec.slot;
  task.record.spec = std::move(rest);
  save(task, journal);
}

void TaskBook::settle(KnownTask& task, JournalChanges& journal) {
  move(task, TaskPhase::settled);
  task.record.settled_order = next_settled_++;
  settled_[task.record.settled_order] = task.record.spec.task;
  save(task, journal);
  while (settled_.size() > settled_max_) {
    const TaskId oldest = settled_.begin()->second;
    settled_.erase(settled_.begin());
    --counts_[static_cast<std::size_t>(TaskPhase::settled)];
    journal.push_back({key_of(oldest), std::nullopt});
    tasks_.erase(oldest);
  }
}

KnownTask& TaskBook::end_unrun(const ContainerSpec& spec, const TaskReport& report, JournalChanges& journal) {
  JournalChanges never_durable;  // Only the end is worth a write.
  KnownTask& task = accept(spec, report.at, never_durable);
  end(task, report, journal);
  return task;
}

}  // namespace troupe::agent
