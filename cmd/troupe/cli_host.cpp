#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_rows.hpp"
#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {
namespace {

std::string used_of(const json::Value& host, const std::string& resource) {
  const auto used = text_at(host, "used/" + resource);
  return (used.empty() ? "" : used + "/") + text_at(host, "resources/" + resource);
}

/// An older cell lists the tasks themselves, or nothing.
std::string count_of_tasks(const json::Value& host) {
  const json::Value* list = host.find("tasks");
  if (auto count = text_at(host, "taskCount"); !count.empty()) return count;
  return list && list->array() ? std::to_string(list->array()->size()) : "";
}

}  // namespace

Table host_table() { return Table({"NAME", "GROUP", "PHASE", "CONNECTED", "CPU", "MEMORY MB", "TASKS"}); }

void add_host_row(Table& table, const json::Value& host, Instant) {
  table.add({text_at(host, "name"), text_at(host, "hostGroup"), text_at(host, "phase"),
             is_true_at(host, "connected") ? "yes" : "no", used_of(host, "cpu"), used_of(host, "memoryMB"),
             count_of_tasks(host)});
}

int host_list(Context& context, const std::string& where) {
  auto client = context.client();
  std::string target = "/api/v3/hosts?pageSize=5000";
  if (!where.empty()) target += where_parameter(where);
  Table table = host_table();
  const auto walked = each_page(client, target, [&](const Answer& page) {
    if (context.options.wants_json) print_json(context, page.text);
    for (const auto& host : items_of(page.value)) add_host_row(table, host, context.io.clock.wall());
    return true;
  });
  if (!walked.ok()) return report(context.io.err, walked.error());
  if (!context.options.wants_json) table.print(context.io.out);
  return exit_ok;
}

}  // namespace troupe::cli
