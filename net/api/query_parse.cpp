#include <algorithm>
#include <functional>

#include "net/api/query.hpp"
#include "net/api/reading.hpp"
#include "net/api/schema_text.hpp"

namespace troupe::api {
namespace {

constexpr std::size_t fields_max = 100;
constexpr std::string_view where_name = "where";
constexpr std::string_view order_name = "orderBy";
constexpr std::string_view order_help =
    "a field of the answer, asc or desc behind it; what has none of it comes last. It goes with page, not "
    "with "
    "cursor";
constexpr std::string_view where_help =
    "a condition on the answer's own fields: = != < <= > >= in (a, b) ~ pattern, is set, joined by not, and, "
    "or";

/// What one parameter's value does to the query; the answer is a complaint, or empty.
using Take = std::string (*)(Query& query, std::string_view value);

std::vector<std::string_view> comma_list(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    const auto comma = text.find(',');
    const auto item = text.substr(0, comma);
    if (!item.empty()) out.push_back(item);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

template <std::string Criteria::*Member>
std::string take_text(Query& query, std::string_view value) {
  query.criteria.*Member = std::string(value);
  return {};
}

template <class Id, std::set<Id> Criteria::*Member>
std::string take_ids(Query& query, std::string_view value) {
  for (const auto item : comma_list(value)) {
    const auto id = parse_uuid<Id>(item);
    if (!id.ok()) return "\"" + std::string(item.substr(0, 64)) + "\" is no id: ids are UUIDs";
    (query.criteria.*Member).insert(id.value());
  }
  return {};
}

std::string take_page(Query& query, std::string_view value) {
  const auto number = integer_of(value);
  if (!number || *number < 0 || *number > 1'000'000'000) return "must be 0 or more";
  query.paging.page = static_cast<std::uint32_t>(*number);
  return {};
}

std::string take_page_size(Query& query, std::string_view value) {
  const auto number = integer_of(value);
  if (!number || *number < 1 || *number > page_size_max)
    return "must be from 1 to " + std::to_string(page_size_max);
  query.paging.page_size = static_cast<std::uint32_t>(*number);
  return {};
}

std::string take_cursor(Query& query, std::string_view value) {
  if (value.empty()) return {};  // An empty page answers an empty cursor: going on from it begins anew.
  const auto key = decode_cursor(value);
  if (!key.ok()) return key.error().message;
  query.paging.after = key.value();
  return {};
}

std::string take_fields(Query& query, std::string_view value) {
  for (const auto item : comma_list(value)) query.fields.emplace_back(item);
  return query.fields.size() > fields_max ? "must be at most " + std::to_string(fields_max) : "";
}

std::string take_consistency(Query& query, std::string_view value) {
  if (value != "linearizable" && value != "stale") return "must be linearizable or stale";
  query.consistency = value == "stale" ? Consistency::stale : Consistency::linearizable;
  return {};
}

std::string take_type(Query& query, std::string_view value) {
  if (value != "batch" && value != "service") return "must be batch or service";
  query.criteria.type = value == "batch" ? JobType::batch : JobType::service;
  return {};
}

std::string take_job_state(Query& query, std::string_view value) {
  query.criteria.job_state = job_state_from_text(value);
  return query.criteria.job_state ? "" : "must be one of Accepted, KillInitiated, Finished";
}

std::string take_task_states(Query& query, std::string_view value) {
  for (const auto item : comma_list(value)) {
    const auto state = task_state_from_text(item);
    if (item == "any")
      query.criteria.wants_any_task_state = true;
    else if (state)
      query.criteria.task_states.insert(*state);
    else
      return "must be any, or of Accepted, Launched, StartInitiated, Started, KillInitiated, Finished";
  }
  return {};
}

std::string take_task_reasons(Query& query, std::string_view value) {
  for (const auto item : comma_list(value)) {
    const auto reason = reason_from_text(item);
    if (!reason) return "\"" + std::string(item.substr(0, 64)) + "\" is no reason code";
    query.criteria.task_reasons.insert(*reason);
  }
  return {};
}

std::string take_skip_system_failures(Query& query, std::string_view value) {
  if (value != "true" && value != "false") return "must be true or false";
  query.criteria.skip_system_failures = value == "true";
  return {};
}

std::string take_needs_migration(Query& query, std::string_view value) {
  if (value != "true" && value != "false") return "must be true or false";
  query.criteria.needs_migration = value == "true";
  return {};
}

std::string take_sidecar(Query& query, std::string_view value) {
  query.criteria.wants_sidecars |= !value.empty();
  return {};
}

/// Titus adds details to errors; ours have them always.
std::string take_debug(Query&, std::string_view value) {
  return value != "true" && value != "false" ? "must be true or false" : "";
}

std::string take_attributes(Query& query, std::string_view value) {
  for (const auto item : comma_list(value)) {
    const auto colon = item.find(':');
    auto& values = query.criteria.attributes[std::string(item.substr(0, colon))];
    if (colon != std::string_view::npos) values.emplace(item.substr(colon + 1));
  }
  return {};
}

std::string take_attribute_op(Query& query, std::string_view value) {
  if (value != "and" && value != "or") return "must be and or or";
  query.criteria.attribute_op = value == "or" ? AttributeOp::any : AttributeOp::all;
  return {};
}

/// Where a parameter is understood.
enum class Of : std::uint8_t {
  everywhere,
  lists,
  jobs_and_tasks,
  lists_of_jobs_and_tasks,
  tasks,
  tasks_and_events
};
/// What a value looks like.
enum class Shape : std::uint8_t { text, number, boolean, consistency, job_type, job_state, op };
struct Parameter {
  std::string_view name;
  Take take;
  Of of = Of::jobs_and_tasks;
  Shape shape = Shape::text;
};

constexpr std::array parameters{
    Parameter{"page", take_page, Of::lists, Shape::number},
    Parameter{"pageSize", take_page_size, Of::lists, Shape::number},
    Parameter{"cursor", take_cursor, Of::lists},
    Parameter{"fields", take_fields, Of::lists},
    Parameter{"consistency", take_consistency, Of::everywhere, Shape::consistency},
    Parameter{where_name, nullptr, Of::lists},  // These two complain in words of their own.
    Parameter{order_name, nullptr, Of::lists},
    Parameter{"jobIds", take_ids<JobId, &Criteria::jobs>},
    Parameter{"taskIds", take_ids<TaskId, &Criteria::tasks>, Of::tasks_and_events},
    Parameter{"owner", take_text<&Criteria::owner>},
    Parameter{"applicationName", take_text<&Criteria::application_name>},
    Parameter{"appName", take_text<&Criteria::application_name>},
    Parameter{"imageName", take_text<&Criteria::image_name>},
    Parameter{"imageTag", take_text<&Criteria::image_tag>},
    Parameter{"capacityGroup", take_text<&Criteria::capacity_group>},
    Parameter{"jobGroupStack", take_text<&Criteria::group_stack>},
    Parameter{"jobGroupDetail", take_text<&Criteria::group_detail>},
    Parameter{"jobGroupSequence", take_text<&Criteria::group_sequence>},
    Parameter{"jobType", take_type, Of::jobs_and_tasks, Shape::job_type},
    Parameter{"jobState", take_job_state, Of::lists_of_jobs_and_tasks, Shape::job_state},
    Parameter{"attributes", take_attributes},
    Parameter{"labels", take_attributes},
    Parameter{"attributes.op", take_attribute_op, Of::jobs_and_tasks, Shape::op},
    Parameter{"labels.op", take_attribute_op, Of::jobs_and_tasks, Shape::op},
    Parameter{"taskStates", take_task_states, Of::tasks},
    Parameter{"taskStateReasons", take_task_reasons, Of::tasks},
    Parameter{"skipSystemFailures", take_skip_system_failures, Of::tasks, Shape::boolean},
    Parameter{"needsMigration", take_needs_migration, Of::lists_of_jobs_and_tasks, Shape::boolean},
    Parameter{"platformSidecar", take_sidecar},
    Parameter{"platformSidecarChannel", take_sidecar},
    Parameter{"debug", take_debug, Of::everywhere, Shape::boolean},
};

bool is_allowed(const Parameter& parameter, ListOf what) {
  switch (parameter.of) {
    case Of::everywhere:
      return true;
    case Of::lists:
      return what != ListOf::events;
    case Of::jobs_and_tasks:
      return what != ListOf::hosts;
    case Of::lists_of_jobs_and_tasks:
      return what == ListOf::jobs || what == ListOf::tasks;
    case Of::tasks:
      return what == ListOf::tasks;
    case Of::tasks_and_events:
      return what == ListOf::tasks || what == ListOf::events;
  }
  return false;
}

std::string schema_of(Shape shape) {
  const auto any_of = [](std::initializer_list<std::string_view> values) {
    return schema::enumeration({values.begin(), values.size()});
  };
  switch (shape) {
    case Shape::text:
      return schema::text();
    case Shape::number:
      return schema::integer();
    case Shape::boolean:
      return schema::boolean();
    case Shape::consistency:
      return any_of({"linearizable", "stale"});
    case Shape::job_type:
      return any_of({"batch", "service"});
    case Shape::job_state:
      return any_of({state_text(JobState::accepted), state_text(JobState::kill_initiated),
                     state_text(JobState::finished)});
    case Shape::op:
      return any_of({"and", "or"});
  }
  return {};
}

std::string known_names(ListOf what) {
  std::string names;
  for (const auto& parameter : parameters)
    if (is_allowed(parameter, what)) names.append(names.empty() ? "" : ", ").append(parameter.name);
  return names;
}

SelectionKind kind_of_list(ListOf what) {
  switch (what) {
    case ListOf::jobs:
      return SelectionKind::job;
    case ListOf::tasks:
      return SelectionKind::task;
    case ListOf::hosts:
    case ListOf::events:
      break;
  }
  return SelectionKind::host;
}

void take_where(Query& query, ListOf what, std::string_view text, std::vector<Violation>& violations) {
  if (query.where) return json::add_violation(violations, std::string(where_name), "is there twice", {});
  auto condition = Condition::parse(kind_of_list(what), text);
  if (condition.ok())
    query.where = std::move(condition).value();
  else
    violations.push_back(condition.error().violations.front());
}

void take_order(Query& query, ListOf what, std::string_view text, std::vector<Violation>& violations) {
  if (query.order) return json::add_violation(violations, std::string(order_name), "is there twice", {});
  auto order = Order::parse(kind_of_list(what), text);
  if (order.ok())
    query.order = std::move(order).value();
  else
    violations.push_back(order.error().violations.front());
}

void check_order(const Query& query, std::vector<Violation>& violations) {
  if (!query.order) return;
  if (query.paging.after)
    json::add_violation(violations, std::string(order_name), "goes with page, not with a cursor", {});
  if ((std::size_t{query.paging.page} + 1) * query.paging.page_size > ranked_max)
    json::add_violation(violations, "page",
                        "reaches beyond the first " + std::to_string(ranked_max) + ", which can be ordered",
                        {});
}

std::string_view help_of(std::string_view parameter) {
  if (parameter == where_name) return where_help;
  return parameter == order_name ? order_help : std::string_view();
}

std::string take_parameter(Query& query, ListOf what, std::string_view name, std::string_view value) {
  for (const auto& parameter : parameters)
    if (parameter.name == name && is_allowed(parameter, what)) return parameter.take(query, value);
  return "is not a known parameter; there are " + known_names(what);
}

}  // namespace

std::vector<ParameterDoc> query_parameters(ListOf what) {
  std::vector<ParameterDoc> docs;
  for (const auto& parameter : parameters)
    if (is_allowed(parameter, what))
      docs.push_back({parameter.name, schema_of(parameter.shape), help_of(parameter.name)});
  return docs;
}

Result<Query> parse_query(const http::Request& request, ListOf what) {
  Query query;
  if (what == ListOf::hosts) query.paging.page_size = page_size_max;  // Few, and mostly wanted all.
  std::vector<Violation> violations;
  for (const auto& [name, value] : request.query) {
    if (name == where_name && what != ListOf::events) {
      take_where(query, what, value, violations);
      continue;
    }
    if (name == order_name && what != ListOf::events) {
      take_order(query, what, value, violations);
      continue;
    }
    std::string complaint = take_parameter(query, what, name, value);
    if (!complaint.empty()) json::add_violation(violations, name.substr(0, 64), std::move(complaint), {});
  }
  check_order(query, violations);
  if (!violations.empty()) return json::violations_error(std::move(violations));
  return query;
}

}  // namespace troupe::api
