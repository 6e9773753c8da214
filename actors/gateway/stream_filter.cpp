#include "actors/gateway/stream_filter.hpp"

namespace troupe::gateway {
namespace {

bool is_about_task(EventKind kind) {
  return kind == EventKind::task_created || kind == EventKind::task_changed ||
         kind == EventKind::task_archived || kind == EventKind::task_moved || kind == EventKind::slot_changed;
}

}  // namespace

void StreamFilter::begin(const Reads& reads, Tells tells) {
  for (const TaskId& id : criteria_.tasks) {
    if (const auto task = reads.task(id)) {
      of_tasks_.insert(task->record.job);
    } else if (const auto archived = reads.archived_task(id); archived.ok() && archived.value()) {
      of_tasks_.insert(archived.value()->job);
    }
  }
  if (tells == Tells::new_ones || !remembers()) return;
  reads.each_job({}, [&](const JobView& view) {
    wants(view.record);
    return true;
  });
}

bool StreamFilter::matches_job(const JobId& id, const JobDescriptor* descriptor, const Reads& reads) const {
  if (!criteria_.jobs.empty() && !criteria_.jobs.contains(id)) return false;
  if (!criteria_.tasks.empty() && !of_tasks_.contains(id)) return false;
  if (descriptor != nullptr) return api::matches(criteria_, *descriptor);
  DescriptorPtr found;
  if (!reads.with_job(id, [&](const JobView& view) { found = view.record.descriptor; }))
    if (const auto archived = reads.archived_job(id); archived.ok() && archived.value())
      found = archived.value()->record.descriptor;
  return found != nullptr && api::matches(criteria_, *found);
}

bool StreamFilter::wants(const JobRecord& job) {
  if (!criteria_.jobs.empty() && !criteria_.jobs.contains(job.id)) return false;
  if (!criteria_.tasks.empty() && !of_tasks_.contains(job.id)) return false;
  if (!api::matches(criteria_, *job.descriptor)) return false;
  if (remembers()) told_.insert(job.id);
  return true;
}

bool StreamFilter::wants(const Event& event, const Reads& reads) {
  if (event.job.is_nil()) return false;
  const bool moves = event.kind == EventKind::task_moved;
  if (moves && criteria_.tasks.contains(event.task)) of_tasks_.insert(event.job);
  const bool was_told = told_.contains(event.job);
  if (!was_told && !matches_job(event.job, event.descriptor.get(), reads)) {
    // Who left a job that is told of is told to have left.
    const bool leaves =
        moves && (told_.contains(event.moved_from) || matches_job(event.moved_from, nullptr, reads));
    return leaves && wants_task(event.task);
  }
  if (remembers() && !was_told) told_.insert(event.job);
  if (event.kind == EventKind::job_archived) told_.erase(event.job);
  return !is_about_task(event.kind) || wants_task(event.task);
}

}  // namespace troupe::gateway
