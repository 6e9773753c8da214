#include <algorithm>
#include <map>
#include <optional>
#include <span>

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
  TaskRecord record;
  DescriptorPtr descriptor;  ///< nullptr: not looked up
};
/// What has ended, by its place in the list.
using Ended = std::map<api::SortKey, Found>;
constexpr int scans_max = 3;

/// Which live tasks a query selects, and in which order. Their places are noted; a page is copied later, not
/// a million records.
class TaskList {
 public:
  TaskList(const Reads& reads, const api::Query& query, Instant now)
      : reads_(reads),
        criteria_(query.criteria),
        where_(query, now),
        order_(query.ordering()),
        listed_(order_, query.paging) {
    if (!criteria_.needs_migration && !names("taskContext.") && !names("migrationDetails.")) return;
    places_.emplace(reads);
    places_->know_all_hosts();
  }

  void take_live() {
    if (!criteria_.jobs.empty()) {
      of_jobs();
    } else if (!criteria_.tasks.empty()) {
      of_ids();
    } else {
      of_all();
    }
  }
  /// False: it is not selected. An ended one takes the place of what was seen of it while it lived.
  bool take(const TaskRecord& task, const JobRecord& job) {
    if (!api::matches(criteria_, task, job)) return false;
    const api::TaskPlace place = places_ ? places_->of(task, job.descriptor.get()) : api::TaskPlace{};
    if (criteria_.needs_migration && *criteria_.needs_migration != place.needs_migration) return false;
    const api::TaskSubject subject{task, place};
    if (!where_.holds(subject)) return false;
    if (criteria_.jobs.empty())
      listed_.add(subject, api::sort_key(task));
    else
      of_jobs_[api::sort_key(task)] = order_ == nullptr ? api::Order::Key{} : order_->key(subject);
    return true;
  }
  bool is_spent() const { return where_.is_spent(); }
  api::Page page(std::vector<api::SortKey>& places) {
    for (auto& [place, key] : of_jobs_) listed_.add_known(std::move(key), place);
    return listed_.page(places);
  }

 private:
  bool names(std::string_view start) const {
    return where_.names(start) || (order_ != nullptr && order_->names(start));
  }
  void of_jobs() {
    for (const JobId& id : criteria_.jobs)
      reads_.with_job(id, [&](const JobView& view) {
        for (const SlotEntry& slot : view.slots)
          if (slot.live != nullptr) take(*slot.live, view.record);
      });
  }
  void of_ids() {
    for (const TaskId& id : criteria_.tasks)
      if (const auto facts = reads_.task(id))
        reads_.with_job(facts->record.job, [&](const JobView& view) { take(facts->record, view.record); });
  }
  void of_all() {
    const auto use = [&](const TaskRecord& task, const JobRecord& job) {
      take(task, job);
      return !is_spent();
    };
    for (int scans = 0; scans < scans_max; ++scans) {
      listed_.clear();
      if (reads_.scan_tasks(use) || is_spent()) return;
    }
    // Tasks are moved all the time.
    listed_.clear();
    reads_.each_task({}, use);
  }

  const Reads& reads_;
  const api::Criteria& criteria_;
  Where where_;
  const api::Order* order_;
  api::Listed listed_;
  std::optional<Places> places_;
  std::map<api::SortKey, api::Order::Key> of_jobs_;  ///< of some jobs: one may be met twice
};

/// A page of all live tasks, without looking at those of the others.
api::Page page_of_all(const Reads& reads, const api::Paging& paging, std::vector<api::SortKey>& keys) {
  PageStart<TaskId> start;
  if (paging.after) start = {paging.after->created.ms, TaskId{paging.after->id}};
  reads.each_task(start, [&](const TaskRecord& task, const JobRecord&) {
    keys.push_back(api::sort_key(task));
    return keys.size() < paging.page_size;
  });
  return api::page_of(keys, paging.after ? reads.tasks_up_to(start) : 0, reads.task_count(), paging);
}

std::optional<JobRecord> job_record(const Reads& reads, const JobId& id) {
  std::optional<JobRecord> record;
  if (reads.with_job(id, [&](const JobView& view) { record = view.record; })) return record;
  auto archived = reads.archived_job(id);
  if (archived.ok() && archived.value()) record = std::move(archived.value()->record);
  return record;
}

/// Adds what has ended of the jobs asked for; where a task is in both, the archive is right.
Result<Ended> add_archived(const Reads& reads, const api::Criteria& criteria, TaskList& list) {
  Ended ended;
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
    for (TaskRecord& task : tasks.value()) {
      if (!list.take(task, *job)) continue;
      const auto place = api::sort_key(task);
      ended[place] = {std::move(task), job->descriptor};
    }
  }
  return ended;
}

/// The page's records. One that has ended since comes from the archive.
std::vector<Found> fill_page(const Reads& reads, std::span<const api::SortKey> keys, Ended& ended,
                             api::Page& page) {
  std::vector<Found> filled;
  for (const api::SortKey& key : keys) {
    if (const auto known = ended.find(key); known != ended.end()) {
      filled.push_back(std::move(known->second));
    } else if (auto facts = reads.task(TaskId{key.id})) {
      filled.push_back({std::move(facts->record), std::move(facts->descriptor)});
    } else if (auto archived = reads.archived_task(TaskId{key.id}); archived.ok() && archived.value()) {
      filled.push_back({std::move(*archived.value()), nullptr});
    }
  }
  page.end = page.begin + filled.size();
  return filled;
}

/// Live, with its job's descriptor, or archived. Errors: not_found; the archive's.
Result<Found> any_task(const Reads& reads, const TaskId& id) {
  if (auto facts = reads.task(id)) return Found{std::move(facts->record), std::move(facts->descriptor)};
  auto archived = reads.archived_task(id);
  if (!archived.ok()) return archived.error();
  if (!archived.value()) return Error{ErrorCode::not_found, "there is no task " + to_text(id)};
  return Found{std::move(*archived.value()), nullptr};
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

void retry_task(Services& services, const CallPtr& call) {
  const auto id = captured_id<TaskId>(*call);
  if (!id.ok()) return call->fail(id.error());
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  // It may have ended a moment ago.
  services.when_fresh(call, api::Consistency::linearizable, [&services, call, id = id.value()] {
    const auto found = any_task(services.node().reads(), id);
    if (!found.ok()) return call->fail(found.error());
    mutate(services, call, RetryJob{found.value().record.job, id},
           {.status = 200, .entity_url = task_url(id)});
  });
}

http::Response list_tasks(const NodeContext& node, const Call& call) {
  const auto query = api::parse_query(call.request, api::ListOf::tasks);
  if (!query.ok()) return http::error_response(query.error());
  const api::Criteria& criteria = query.value().criteria;
  const api::Paging& paging = query.value().paging;
  const bool is_plain = criteria == api::Criteria{} && !query.value().where && !query.value().order;
  std::vector<api::SortKey> keys;
  Ended ended;
  api::Page page;
  if (is_plain && (paging.after || paging.page == 0)) {
    page = page_of_all(node.reads(), paging, keys);
  } else {
    TaskList list(node.reads(), query.value(), node.now());
    list.take_live();
    if (criteria.wants_finished_tasks()) {
      auto added = add_archived(node.reads(), criteria, list);
      if (!added.ok()) return http::error_response(added.error());
      ended = std::move(added).value();
    }
    if (list.is_spent()) return http::error_response(Where::too_costly());
    page = list.page(keys);
  }
  const auto filled = fill_page(node.reads(), keys, ended, page);
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
  auto found = any_task(node.reads(), id.value());
  if (!found.ok()) return http::error_response(found.error());
  Found& task = found.value();
  if (task.descriptor == nullptr)
    if (auto job = job_record(node.reads(), task.record.job)) task.descriptor = job->descriptor;
  Places places(node.reads());
  json::Writer writer;
  api::task_json(writer, task.record, places.of(task.record, task.descriptor.get()));
  return http::json_response(200, api::project(writer.take(), query.value().fields));
}

}  // namespace troupe::gateway
