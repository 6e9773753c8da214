// troupe task explain: where a task is, or why it waits and what would help.

#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {
namespace {

const json::Array* list_at(const json::Value& value, std::string_view path) {
  const json::Value* found = value_at(value, path);
  return found != nullptr ? found->array() : nullptr;
}

void print_standing(Context& context, const json::Value& told) {
  Sheet sheet;
  sheet.add("task", text_at(told, "taskId"));
  sheet.add("standing", text_at(told, "queue/standing"));
  sheet.add("before it", text_at(told, "queue/position"));
  sheet.add("hosts", text_at(told, "queue/hosts"));
  sheet.add("would take it", text_at(told, "queue/fitting"));
  if (const std::string held = text_at(told, "queue/heldBack"); !held.empty()) sheet.add("held back", held);
  if (const std::string gang = text_at(told, "queue/gang"); !gang.empty())
    sheet.add("gang", text_at(told, "queue/gangWaiting") + " of " + gang + " tasks wait");
  sheet.add("last refusal", text_at(told, "queue/lastRefusal"));
  sheet.add("capacity group", text_at(told, "capacityGroup/name") + " (" +
                                  text_at(told, "capacityGroup/tier") + ")" +
                                  (is_true_at(told, "capacityGroup/isAtCeiling") ? ", at its ceiling" : ""));
  sheet.add("preemption", text_at(told, "preemption/sentence"));
  sheet.print(context.io.out);
}

void print_reasons(Context& context, const json::Value& told) {
  const auto* failures = list_at(told, "failures/failures");
  if (failures == nullptr || failures->empty()) return;
  Table table({"HOSTS", "LACK"});
  for (const auto& failure : *failures)
    table.add({text_at(failure, "failureCount"), text_at(failure, "reason")});
  context.io.out << '\n';
  table.print(context.io.out);
}

void print_nearest(Context& context, const json::Value& told) {
  const auto* nearest = list_at(told, "nearest");
  if (nearest == nullptr || nearest->empty()) return;
  Table table({"NEAREST", "LACKS", "DETAIL"});
  for (const auto& host : *nearest) {
    const auto* lacks = list_at(host, "lacks");
    if (lacks == nullptr) continue;
    for (const auto& lack : *lacks)
      table.add({text_at(host, "host"), text_at(lack, "reason"), text_at(lack, "detail")});
  }
  context.io.out << '\n';
  table.print(context.io.out);
}

void print_changes(Context& context, const json::Value& told) {
  const auto* changes = list_at(told, "changes");
  if (changes == nullptr || changes->empty()) return;
  context.io.out << "\nany one of these would do, the smallest first:\n";
  for (const auto& change : *changes)
    context.io.out << "  " << printable(text_at(change, "sentence")) << '\n';
}

}  // namespace

int task_explain(Context& context, const std::string& task) {
  auto client = context.client();
  const auto id = whole_id(client, IdOf::task, task);
  if (!id.ok()) return report(context.io.err, id.error());
  const auto answer = client.get("/api/v3/tasks/" + id.value() + "/explain");
  if (!answer.ok()) return report(context.io.err, answer.error());
  const json::Value& told = answer.value().value;
  if (context.options.wants_json) {
    print_json(context, answer.value().text);
  } else if (told.find("success") != nullptr) {
    context.io.out << text_at(told, "success/message") << '\n';
  } else {
    print_standing(context, told);
    print_reasons(context, told);
    print_nearest(context, told);
    print_changes(context, told);
  }
  return exit_ok;
}

}  // namespace troupe::cli
