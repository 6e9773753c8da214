#include "storage/model/outcome.hpp"

namespace troupe {

std::string_view kind_text(EventKind kind) {
  switch (kind) {
    case EventKind::job_created:
      return "job_created";
    case EventKind::job_changed:
      return "job_changed";
    case EventKind::job_archived:
      return "job_archived";
    case EventKind::slot_changed:
      return "slot_changed";
    case EventKind::task_created:
      return "task_created";
    case EventKind::task_changed:
      return "task_changed";
    case EventKind::task_archived:
      return "task_archived";
    case EventKind::host_changed:
      return "host_changed";
    case EventKind::shard_assigned:
      return "shard_assigned";
    case EventKind::group_changed:
      return "group_changed";
    case EventKind::cell_changed:
      return "cell_changed";
    case EventKind::task_moved:
      return "task_moved";
  }
  return {};
}

EntityRef Event::entity() const {
  switch (kind) {
    case EventKind::task_created:
    case EventKind::task_changed:
    case EventKind::task_archived:
    case EventKind::task_moved:
      return EntityRef::of(task);
    case EventKind::host_changed:
      return EntityRef::of(host);
    case EventKind::job_created:
    case EventKind::job_changed:
    case EventKind::job_archived:
    case EventKind::slot_changed:
      return EntityRef::of(job);
    case EventKind::shard_assigned:
    case EventKind::group_changed:
    case EventKind::cell_changed:
      return {};
  }
  return {};
}

}  // namespace troupe
