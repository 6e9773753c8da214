#pragma once
// Query parameters of lists: which entities, which page of them, which of their fields.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "net/api/order.hpp"
#include "net/api/parameter_doc.hpp"
#include "net/http/http.hpp"
#include "net/json/writer.hpp"
#include "storage/base/result.hpp"
#include "storage/model/records.hpp"

namespace troupe::api {

enum class AttributeOp : std::uint8_t { all, any };
enum class JobType : std::uint8_t { batch, service };

/// Which jobs and tasks. Each criterion that is given must hold; within one, any of its values.
struct Criteria {
  std::set<JobId> jobs;
  std::set<TaskId> tasks;
  std::string owner;
  std::string application_name;
  std::string image_name;
  std::string image_tag;
  std::string capacity_group;
  std::string group_stack;
  std::string group_detail;
  std::string group_sequence;
  std::optional<JobType> type;
  std::optional<JobState> job_state;
  std::map<std::string, std::set<std::string>> attributes;  ///< no values: the name is there
  AttributeOp attribute_op = AttributeOp::all;
  std::set<TaskState> task_states;    ///< empty: live ones only
  bool wants_any_task_state = false;  ///< taskStates=any
  std::set<Reason> task_reasons;
  bool skip_system_failures = false;  ///< leaves out tasks that ended for a system reason
  /// Of tasks whose hosts are being drained, and of their jobs: which those are is not looked at here.
  std::optional<bool> needs_migration;
  bool wants_sidecars = false;  ///< of platforms: no job of this cell has any
  friend bool operator==(const Criteria&, const Criteria&) = default;

  /// Must ended tasks be looked up too (with `jobs`, in the archive)?
  bool wants_finished_tasks() const;
};
/// By what a submitter asked for alone.
bool matches(const Criteria& criteria, const JobDescriptor& descriptor);
/// By the job's own criteria; `tasks` and the states and reasons of tasks are not looked at.
bool matches(const Criteria& criteria, const JobRecord& job);
/// By everything. `job` is the task's.
bool matches(const Criteria& criteria, const TaskRecord& task, const JobRecord& job);

enum class Consistency : std::uint8_t { linearizable, stale };
/// hosts: where, orderBy, paging, fields, consistency only. events, a stream: consistency, and criteria that
/// neither come nor go with a state, so that its reader hears of all that becomes of what was told.
enum class ListOf : std::uint8_t { jobs, tasks, hosts, events };

struct Query {
  Criteria criteria;
  std::optional<Condition> where{};  ///< holds besides the criteria
  std::optional<Order> order{};      ///< nothing: by creation
  Paging paging;
  std::vector<std::string> fields;  ///< dotted; empty: all
  Consistency consistency = Consistency::linearizable;
  const Order* ordering() const { return order ? &*order : nullptr; }
};
/// Errors: invalid_argument with one violation per parameter; an unknown name lists the known ones.
Result<Query> parse_query(const http::Request& request, ListOf what);
/// What parse_query understands, for the contract.
std::vector<ParameterDoc> query_parameters(ListOf what);

/// {"items": [...], "pagination": {...}}: item(writer, i) writes the i-th of the sorted list, for i in
/// [begin, end).
std::string result_json(const Page& page, const std::vector<std::string>& fields,
                        const std::function<void(json::Writer&, std::size_t)>& item);
/// One object cut down to `fields`; id always stays. What is no JSON is returned as it is.
std::string project(std::string json_object, const std::vector<std::string>& fields);

}  // namespace troupe::api
