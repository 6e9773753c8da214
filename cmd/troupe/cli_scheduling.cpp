// Pausing the scheduling of the cell or a capacity group, and resuming it.

#include <ostream>

#include "cmd/troupe/cli_bulk.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {
namespace {

struct Standing {
  bool is_paused = false;
  std::int64_t waiting = 0;  ///< tasks
};

Result<Standing> standing_of(CellClient& client, const SchedulingChange& args) {
  const auto answer =
      client.get(args.group.empty() ? "/api/v3/cell" : "/api/v3/groups/" + url_text(args.group));
  if (!answer.ok()) return answer.error();
  Standing standing{answer.value().value.find("paused") != nullptr,
                    integer_at(answer.value().value, "tasksWaiting")};
  if (!args.group.empty()) return standing;
  const auto groups = client.get("/api/v3/groups");
  if (!groups.ok()) return groups.error();
  for (const auto& group : items_of(groups.value().value))
    standing.waiting += integer_at(group, "tasksWaiting");
  return standing;
}

Bulk plan_of(const SchedulingChange& args, const Standing& standing) {
  const std::string_view verb = args.pauses ? pause_verb.name : resume_verb.name;
  const std::string_view becomes = args.pauses ? "is paused" : "is resumed";
  Bulk bulk{verb, args.group.empty() ? "cell" : "group", becomes, "PUT"};
  const std::string name = args.group.empty() ? "cell" : args.group;
  bulk.selected = 1;
  bulk.phase = args.pauses ? pause_verb.phase : resume_verb.phase;
  bulk.body = args.pauses ? "{\"paused\":true}" : "{\"paused\":false}";
  bulk.header = {"NAME", "TASKS WAITING"};
  bulk.headline = std::string(verb) + ": ";
  if (standing.is_paused == args.pauses) {
    bulk.headline += name + (args.pauses ? " is paused already" : " is not paused");
    return bulk;
  }
  const std::string target = args.group.empty() ? "/api/v3/cell" : "/api/v3/groups/" + url_text(args.group);
  bulk.changes.push_back({name, target + "/scheduling", {name, std::to_string(standing.waiting)}});
  bulk.headline += args.pauses ? "nothing of it is placed until it is resumed; what runs, runs on"
                               : "its tasks are placed again";
  return bulk;
}

}  // namespace

int change_scheduling(Context& context, const SchedulingChange& args) {
  if (const auto complaint = bulk_complaint(context, args.bulk); !complaint.empty()) {
    context.io.err << "troupe: " << complaint << '\n';
    return exit_usage;
  }
  const auto standing =
      read_anywhere<Standing>(context, [&](CellClient& client) { return standing_of(client, args); });
  if (!standing.ok()) return report(context.io.err, standing.error());
  Bulk bulk = plan_of(args, standing.value());
  if (args.pauses && args.group.empty()) bulk.question = "no task of any job is placed then";
  const InterruptGuard guard(context.io.signals, [] {});
  return run_bulk(context, args.bulk, bulk, guard);
}

}  // namespace troupe::cli
