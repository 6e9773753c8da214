#include "actors/console/trace_report.hpp"

#include <algorithm>
#include <sstream>

#include "actors/console/entity_report.hpp"

namespace troupe::console {
namespace {

/// Those of the job's tasks that live.
std::vector<TaskId> tasks_of(const Reads& reads, const EntityRef& entity) {
  std::vector<TaskId> tasks;
  if (entity.kind != EntityKind::job) return tasks;
  reads.with_job(entity.job(), [&](const JobView& view) {
    for (const SlotEntry& slot : view.slots)
      if (!slot.record.task.is_nil() && tasks.size() < trace_tasks_max) tasks.push_back(slot.record.task);
  });
  return tasks;
}

Result<void> start(NodeContext& context, std::istringstream& words) {
  TraceOrder order;
  std::int64_t seconds = 0;
  std::string entity;
  if (!(words >> order.id >> order.messages >> seconds >> entity))
    return Error{ErrorCode::invalid_argument, "say: trace start ID MESSAGES SECONDS ENTITY"};
  const auto target = target_of(context.reads(), entity);
  if (!target.ok()) return target.error();
  const Moment now = context.clock->steady();
  order.entity = target.value().entity;
  order.name = text_of(context.reads(), order.entity);
  order.tasks = tasks_of(context.reads(), order.entity);
  order.until = now + milliseconds(1'000 * std::clamp<std::int64_t>(seconds, 0, 1'000'000));
  return context.trace.begin(std::move(order), Index{context.status.applied.load()}, now);
}

}  // namespace

Result<std::string> trace_json(NodeContext& context, std::string_view argument) {
  std::istringstream words{std::string(argument)};
  std::string verb, id;
  words >> verb;
  Result<void> done;
  if (verb == "start") {
    const auto before = words.tellg();
    words >> id;
    words.seekg(before);
    done = start(context, words);
  } else if (verb == "show" || verb == "stop") {
    words >> id;
    if (verb == "stop") done = context.trace.stop(id);
  } else {
    done = Error{ErrorCode::invalid_argument, "a trace is started, shown or stopped"};
  }
  if (!done.ok()) return done.error();
  return context.trace.json(id, context.clock->steady());
}

}  // namespace troupe::console
