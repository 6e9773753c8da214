#pragma once
// Query parameters of lists: which entities, which page of them, which of their fields.

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "net/api/parameter_doc.hpp"
#include "net/api/selection.hpp"
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

/// Lists are ordered by this: creation, then id.
struct SortKey {
  Instant created;
  std::array<std::uint8_t, 16> id{};
  friend auto operator<=>(const SortKey&, const SortKey&) = default;
};
inline SortKey sort_key(const JobRecord& job) { return {job.created, job.id.bytes}; }
inline SortKey sort_key(const TaskRecord& task) { return {task.created(), task.id.bytes}; }
SortKey sort_key(const HostRecord& host);              ///< by its number
std::string encode_cursor(const SortKey& key);         ///< base64 of id@timestamp
Result<SortKey> decode_cursor(std::string_view text);  ///< errors: invalid_argument

constexpr std::uint32_t page_size_default = 10;
constexpr std::uint32_t page_size_max = 5000;
struct Paging {
  std::uint32_t page = 0;
  std::uint32_t page_size = page_size_default;
  std::optional<SortKey> after;  ///< the cursor; wins over page
  friend bool operator==(const Paging&, const Paging&) = default;
};
/// The part [begin, end) of a sorted list, and what is said about it.
struct Page {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t total = 0;
  Paging asked;
  std::string cursor;  ///< of the last item; empty for an empty page
  bool has_more() const { return end < total; }
};
/// `sorted` by key, ascending. The page starts after the item at or immediately before the cursor.
Page select_page(const std::vector<SortKey>& sorted, const Paging& paging);
/// {currentPage{pageNumber, pageSize}, hasMore, totalPages, totalItems, cursor, cursorPosition}
void pagination_json(json::Writer& writer, const Page& page);

enum class Consistency : std::uint8_t { linearizable, stale };
/// hosts: where, paging, fields, consistency only. events, a stream: consistency, and criteria that neither
/// come nor go with a state, so that its reader hears of all that becomes of what was told.
enum class ListOf : std::uint8_t { jobs, tasks, hosts, events };

struct Query {
  Criteria criteria;
  std::optional<Condition> where{};  ///< holds besides the criteria
  Paging paging;
  std::vector<std::string> fields;  ///< dotted; empty: all
  Consistency consistency = Consistency::linearizable;
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
