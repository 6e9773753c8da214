#include <algorithm>
#include <map>
#include <optional>

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "actors/gateway/places.hpp"
#include "actors/gateway/where.hpp"
#include "net/api/bodies.hpp"
#include "net/api/query.hpp"

namespace troupe::gateway {
namespace {

constexpr std::size_t archived_tasks_max = 50'000;  ///< of one query; beyond: 400, ask for fewer jobs

struct Found {
  api::SortKey key;
  TaskRecord record;
  DescriptorPtr descriptor;
};

/// A list's condition on tasks, which may speak of where they are.
class TaskWhere {
 public:
  TaskWhere(const Reads& reads, const api::Query& query, Instant now) : where_(query, now) {
    if (!where_.names("taskContext.")) return;
    places_.emplace(reads);
    places_->know_all_hosts();
  }
  bool holds(const TaskRecord& task, const JobRecord& job) {
    const api::TaskPlace place = places_ ? places_->of(task, job.descriptor.get()) : api::TaskPlace{};
    return where_.holds(api::TaskSubject{task, place});
  }
  bool is_spent() const { return where_.is_spent(); }

 private:
  Where where_;
  std::optional<Places> places_;
};

std::vector<Found> live_tasks(const Reads& reads, const api::Criteria& criteria, TaskWhere& where) {
  std::vector<Found> found;
  reads.each_task({}, [&](const TaskRecord& task, const JobRecord& job) {
    if (!api::matches(criteria, task, job)) return true;
    if (!where.holds(task, job)) return !where.is_spent();
    // Only ids for now: a page is copied, not a million records.
    found.push_back({api::sort_key(task), {}, {}});
    found.back().record.id = task.id;
    return true;
  });
  return found;
}

std::optional<JobRecord> job_record(const Reads& reads, const JobId& id) {
  std::optional<JobRecord> record;
  if (reads.with_job(id, [&](const JobView& view) { record = view.record; })) return record;
  auto archived = reads.archived_job(id);
  if (archived.ok() && archived.value()) record = std::move(archived.value()->record);
  return record;
}

/// Adds what has ended of the jobs asked for; where a task is in both, the archive is right.
Result<void> add_archived(const Reads& reads, const api::Criteria& criteria, TaskWhere& where,
                          std::vector<Found>& found) {
  std::map<api::SortKey, Found> all;
  for (Found& live : found) all.emplace(live.key, std::move(live));
  std::size_t room = archived_tasks_max;
  for (const JobId& id : criteria.jobs) {
    const auto job = job_record(reads, id);
    if (!job) continue;
    auto tasks = reads.archived_tasks_of(id, room + 1);
    if (!tasks.ok()) return tasks.error();
    if (tasks.value().size() > room)
      return Error{ErrorCode::invalid_argument,
                   "too many ended tasks in these jobs; ask for fewer jobs at once"};
    room -= tasks.value().size();
    for (TaskRecord& task : tasks.value())
      if (api::matches(criteria, task, *job) && where.holds(task, *job)) {
        const auto key = api::sort_key(task);
        all[key] = {key, std::move(task), job->descriptor};
      }
  }
  found.clear();
  for (auto& [key, task] : all) found.push_back(std::move(task));
  return {};
}

/// Reads what live_tasks() only counted. One that has ended since comes from the archive.
std::vector<Found> fill_page(const Reads& reads, std::vector<Found>& found, api::Page& page) {
  std::vector<Found> filled;
  for (std::size_t i = page.begin; i < page.end; ++i) {
    Found& item = found[i];
    if (item.descriptor == nullptr) {
      if (auto facts = reads.task(item.record.id)) {
        item.record = std::move(facts->record);
        item.descriptor = std::move(facts->descriptor);
      } else if (auto archived = reads.archived_task(item.record.id); archived.ok() && archived.value()) {
        item.record = std::move(*archived.value());
      } else {
        continue;
      }
    }
    filled.push_back(std::move(item));
  }
  page.end = page.begin + filled.size();
  return filled;
}

Result<bool> flag_of(const Call& call, std::string_view name) {
  const auto value = call.request.parameter(name);
  if (value.empty() || value == "false") return false;
  if (value == "true") return true;
  return Error{ErrorCode::invalid_argument, std::string(name) + " must be true or false"};
}

}  // namespace

void kill_task(Services& services, const CallPtr& call) {
  const auto id = captured_id<TaskId>(*call);
  if (!id.ok()) return call->fail(id.error());
  if (const auto checked = check_parameters(*call, {"shrink", "preventMinSizeUpdate"}); !checked.ok())
    return call->fail(checked.error());
  const auto shrinks = flag_of(*call, "shrink");
  if (!shrinks.ok()) return call->fail(shrinks.error());
  const auto keeps_min = flag_of(*call, "preventMinSizeUpdate");
  if (!keeps_min.ok()) return call->fail(keeps_min.error());
  std::string message = "killed by " + call->caller;
  if (!call->reason.empty()) message += ": " + call->reason;
  if (shrinks.value())
    return mutate(services, call, ShrinkJob{id.value(), keeps_min.value(), std::move(message)},
                  {.status = 200, .entity_url = task_url(id.value())});
  KillTasks body;
  body.items.push_back({id.value(), Reason::killed, std::move(message)});
  mutate(services, call, std::move(body), {.status = 200, .entity_url = task_url(id.value())});
}

void put_task_attributes(Services& services, const CallPtr& call) {
  const auto id = captured_id<TaskId>(*call);
  if (!id.ok()) return call->fail(id.error());
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  auto attributes = api::parse_attributes(call->request.body, "taskId", call->captured.at(0));
  if (!attributes.ok()) return call->fail(attributes.error());
  mutate(services, call, ChangeTask{id.value(), {std::move(attributes).value(), {}}},
         {.status = 200, .entity_url = task_url(id.value())});
}

void delete_task_attributes(Services& services, const CallPtr& call) {
  const auto id = captured_id<TaskId>(*call);
  if (!id.ok()) return call->fail(id.error());
  auto keys = attribute_keys(*call);
  if (!keys.ok()) return call->fail(keys.error());
  mutate(services, call, ChangeTask{id.value(), {{}, std::move(keys).value()}},
         {.status = 200, .entity_url = task_url(id.value())});
}

void move_task(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  const auto move = api::parse_task_move(call->request.body);
  if (!move.ok()) return call->fail(move.error());
  mutate(services, call, move.value(), {.status = 200, .entity_url = task_url(move.value().task)});
}

http::Response list_tasks(const NodeContext& node, const Call& call) {
  const auto query = api::parse_query(call.request, api::ListOf::tasks);
  if (!query.ok()) return http::error_response(query.error());
  const api::Criteria& criteria = query.value().criteria;
  TaskWhere where(node.reads(), query.value(), node.now());
  auto found = live_tasks(node.reads(), criteria, where);
  if (criteria.wants_finished_tasks()) {
    const auto added = add_archived(node.reads(), criteria, where, found);
    if (!added.ok()) return http::error_response(added.error());
  }
  if (where.is_spent()) return http::error_response(Where::too_costly());
  std::vector<api::SortKey> keys;
  keys.reserve(found.size());
  for (const Found& item : found) keys.push_back(item.key);
  api::Page page = api::select_page(keys, query.value().paging);
  const auto filled = fill_page(node.reads(), found, page);
  Places places(node.reads());
  return http::json_response(
      200, api::result_json(page, query.value().fields, [&](json::Writer& writer, std::size_t i) {
        const Found& item = filled[i - page.begin];
        api::task_json(writer, item.record, places.of(item.record, item.descriptor.get()));
      }));
}

http::Response get_task(const NodeContext& node, const Call& call) {
  const auto id = captured_id<TaskId>(call);
  if (!id.ok()) return http::error_response(id.error());
  const auto query = api::parse_query(call.request, api::ListOf::tasks);
  if (!query.ok()) return http::error_response(query.error());
  Found found;
  if (auto facts = node.reads().task(id.value())) {
    found = {{}, std::move(facts->record), std::move(facts->descriptor)};
  } else {
    auto archived = node.reads().archived_task(id.value());
    if (!archived.ok()) return http::error_response(archived.error());
    if (!archived.value())
      return http::error_response({ErrorCode::not_found, "there is no task " + to_text(id.value())});
    found.record = std::move(*archived.value());
    if (auto job = job_record(node.reads(), found.record.job)) found.descriptor = job->descriptor;
  }
  Places places(node.reads());
  json::Writer writer;
  api::task_json(writer, found.record, places.of(found.record, found.descriptor.get()));
  return http::json_response(200, api::project(writer.take(), query.value().fields));
}

}  // namespace troupe::gateway
