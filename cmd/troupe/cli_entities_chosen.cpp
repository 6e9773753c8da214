// Ending tasks and jobs, trying again what waits in jobs, putting services in and out of service: those of
// which a condition holds.

#include <ostream>

#include "cmd/troupe/cli_bulk.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_rows.hpp"
#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {
namespace {

/// What a command makes of jobs or tasks, and how that is told.
struct EntityVerb {
  IdOf what;
  std::string_view name;
  std::string_view method;
  std::string below;         ///< behind the entity's path
  std::string_view will;     ///< "to end"
  std::string_view becomes;  ///< "is ending"
  std::string_view already;  ///< "ending"
};

std::string_view noun_of(const EntityVerb& verb) { return verb.what == IdOf::job ? "job" : "task"; }
std::string path_of_all(const EntityVerb& verb) {
  return verb.what == IdOf::job ? "/api/v3/jobs" : "/api/v3/tasks";
}

/// What needs no change any more. Error: it cannot be changed so.
Result<bool> is_already(const EntityVerb& verb, const json::Value& entity) {
  const bool is_ending = text_at(entity, "status/state") == "KillInitiated";
  if (verb.name == "kill") return is_ending;
  if (verb.name == "retry")
    return is_ending || (integer_at(entity, "summary/slots/waiting") == 0 && !value_at(entity, "throttled"));
  if (value_at(entity, "jobDescriptor/service") == nullptr)
    return Error{ErrorCode::invalid_argument,
                 "job " + text_at(entity, "id") +
                     " is no service: select with `and jobDescriptor.service.enabled is set`"};
  return is_ending || is_true_at(entity, "jobDescriptor/service/enabled") == (verb.name == "enable");
}

std::vector<std::string> row_of(const EntityVerb& verb, const json::Value& entity) {
  if (verb.what == IdOf::job)
    return {text_at(entity, "id"), text_at(entity, "jobDescriptor/applicationName"),
            text_at(entity, "status/state"), text_at(entity, "jobDescriptor/owner/teamEmail")};
  return {text_at(entity, "id"), text_at(entity, "jobId"), text_at(entity, "status/state"),
          text_at(entity, "taskContext/agent.host")};
}

Result<void> take(const EntityVerb& verb, const json::Value& entity, Bulk& bulk) {
  if (++bulk.selected > bulk_max)
    return Error{ErrorCode::invalid_argument, "this selects more than " + std::to_string(bulk_max) + ' ' +
                                                  std::string(noun_of(verb)) + "s: say a narrower condition"};
  const auto already = is_already(verb, entity);
  if (!already.ok()) return already.error();
  if (already.value()) return {};
  const std::string id = text_at(entity, "id");
  bulk.changes.push_back({id, path_of_all(verb) + '/' + id + verb.below, row_of(verb, entity)});
  return {};
}

Result<void> take_all(CellClient& client, const EntityVerb& verb, const std::string& where, Bulk& bulk) {
  const std::string target =
      path_of_all(verb) + "?pageSize=1000&fields=" +
      (verb.what == IdOf::job ? "id,status,jobDescriptor,summary,throttled" : "id,jobId,status,taskContext") +
      where_parameter(where);
  Result<void> taken;
  const auto walked = each_page(client, target, [&](const Answer& page) {
    for (const auto& entity : items_of(page.value))
      if (taken.ok()) taken = take(verb, entity, bulk);
    return taken.ok();
  });
  return walked.ok() ? taken : walked;
}

Result<Bulk> plan_entities(CellClient& client, const EntityVerb& verb, const BulkArgs& args) {
  Bulk bulk{verb.name, noun_of(verb), verb.becomes, verb.method};
  bulk.header = verb.what == IdOf::job ? std::vector<std::string>{"ID", "APPLICATION", "STATE", "OWNER"}
                                       : std::vector<std::string>{"ID", "JOB", "STATE", "HOST"};
  if (const auto taken = take_all(client, verb, args.where, bulk); !taken.ok()) return taken.error();
  const auto count = [&](std::size_t n) { return counted(static_cast<std::int64_t>(n), noun_of(verb)); };
  const std::size_t already = bulk.selected - bulk.changes.size();
  bulk.headline = std::string(verb.name) + ": " + count(bulk.changes.size()) + ' ' + std::string(verb.will);
  if (already > 0) bulk.headline += "; " + count(already) + " already " + std::string(verb.already);
  const auto is_all = is_all_of(client, path_of_all(verb), bulk.selected);
  if (!is_all.ok()) return is_all.error();
  bulk.is_everything = is_all.value();
  return bulk;
}

int act_on_entities(Context& context, const EntityVerb& verb, const BulkArgs& args) {
  if (const auto complaint = bulk_complaint(context, args); !complaint.empty()) {
    context.io.err << "troupe: " << complaint << '\n';
    return exit_usage;
  }
  const auto planned =
      read_anywhere<Bulk>(context, [&](CellClient& client) { return plan_entities(client, verb, args); });
  if (!planned.ok()) return report(context.io.err, planned.error());
  const InterruptGuard guard(context.io.signals, [] {});
  return run_bulk(context, args, planned.value(), guard);
}

}  // namespace

int tasks_kill(Context& context, const TaskKill& args) {
  const std::string query =
      args.shrinks ? std::string("?shrink=true") + (args.keeps_min ? "&preventMinSizeUpdate=true" : "")
                   : std::string();
  return act_on_entities(context, {IdOf::task, "kill", "DELETE", query, "to end", "is ending", "ending"},
                         args.bulk);
}

int jobs_kill(Context& context, const BulkArgs& args) {
  return act_on_entities(
      context, {IdOf::job, "kill", "DELETE", {}, "to end, with their tasks", "is ending", "ending"}, args);
}

int jobs_enable(Context& context, const BulkArgs& args) {
  return act_on_entities(
      context,
      {IdOf::job, "enable", "POST", "/enable", "to be in service", "is in service", "in service or ending"},
      args);
}

int jobs_disable(Context& context, const BulkArgs& args) {
  return act_on_entities(context,
                         {IdOf::job, "disable", "POST", "/disable", "to be out of service",
                          "is out of service", "out of service or ending"},
                         args);
}

int jobs_retry(Context& context, const BulkArgs& args) {
  return act_on_entities(context,
                         {IdOf::job, "retry", "POST", "/retry", "to be tried again", "is tried again",
                          "with nothing that waits, or ending"},
                         args);
}

}  // namespace troupe::cli
