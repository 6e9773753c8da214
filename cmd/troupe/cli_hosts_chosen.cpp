#include "cmd/troupe/cli_hosts_chosen.hpp"

#include <algorithm>
#include <map>
#include <ostream>

#include "cmd/troupe/cli_bulk.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t names_max = 1000;      // Beyond, a condition is the better way to say it.
constexpr std::size_t ids_of_a_look = 200;   // A condition has at most 512 values.
constexpr std::size_t hosts_named_max = 10;  // while they empty
constexpr int looks_failed_max = 30;         // in a row
constexpr milliseconds look_every{1'000};

ChosenHost host_of(const json::Value& host) {
  return {text_at(host, "id"),           text_at(host, "name"),         text_at(host, "hostGroup"),
          text_at(host, "phase"),        is_true_at(host, "connected"), integer_at(host, "taskCount"),
          host.find("paused") != nullptr};
}

Result<std::vector<ChosenHost>> named_hosts(CellClient& client, std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.size() > names_max)
    return Error{ErrorCode::invalid_argument,
                 "more than " + std::to_string(names_max) + " names; say which hosts with --where"};
  std::vector<ChosenHost> hosts;
  for (const std::string& name : names) {
    const auto answer = client.get("/api/v3/hosts/" + url_text(name));
    if (!answer.ok()) return answer.error();
    hosts.push_back(host_of(answer.value().value));
  }
  return hosts;
}

Result<std::vector<ChosenHost>> hosts_where(CellClient& client, const std::string& where) {
  std::vector<ChosenHost> hosts;
  const auto walked =
      each_page(client,
                "/api/v3/hosts?pageSize=5000&fields=name,hostGroup,phase,connected,taskCount,paused" +
                    where_parameter(where),
                [&](const Answer& page) {
                  for (const auto& host : items_of(page.value)) hosts.push_back(host_of(host));
                  return true;
                });
  if (!walked.ok()) return walked.error();
  return hosts;
}

using TasksLeft = std::map<std::string, std::int64_t>;  // by the host's name; none: not there

Result<TasksLeft> tasks_left(CellClient& client, const std::vector<ChosenHost>& hosts) {
  TasksLeft left;
  for (std::size_t begin = 0; begin < hosts.size(); begin += ids_of_a_look) {
    std::string where = "taskCount > 0 and id in (";
    for (std::size_t n = begin; n < std::min(hosts.size(), begin + ids_of_a_look); ++n)
      where += (n == begin ? "" : ",") + hosts[n].id;
    const auto found = hosts_where(client, where + ")");
    if (!found.ok()) return found.error();
    for (const ChosenHost& host : found.value()) left[host.name] = host.tasks;
  }
  return left;
}

std::int64_t sum_of(const TasksLeft& left) {
  std::int64_t sum = 0;
  for (const auto& [name, tasks] : left) sum += tasks;
  return sum;
}

void show_left(Context& context, const TasksLeft& left) {
  if (context.options.wants_json) {
    print_json(context, "{\"hosts\":" + std::to_string(left.size()) +
                            ",\"tasks\":" + std::to_string(sum_of(left)) + "}");
    return;
  }
  std::string names;
  std::size_t named = 0;
  for (const auto& [name, tasks] : left) {
    if (++named > hosts_named_max) break;
    names += (named == 1 ? ": " : ", ") + printable(name) + ' ' + std::to_string(tasks);
  }
  if (left.size() > hosts_named_max)
    names += ", and " + std::to_string(left.size() - hosts_named_max) + " more";
  context.io.out << counted(sum_of(left), "task") << " left on "
                 << counted(static_cast<std::int64_t>(left.size()), "host") << names << std::endl;
}

/// What ends the watching before the hosts are empty; nothing: look again.
std::optional<int> end_of(Context& context, const std::optional<Moment>& deadline,
                          const InterruptGuard& guard) {
  if (guard.was_interrupted()) {
    context.io.err << "troupe: no longer watching; the hosts stay as they are\n";
    return exit_interrupted;
  }
  if (!deadline || context.io.clock.steady() < *deadline) return std::nullopt;
  context.io.err << "troupe: not empty in time; the hosts stay as they are\n";
  return exit_timeout;
}

}  // namespace

Result<std::vector<ChosenHost>> choose_hosts(CellClient& client, const PhaseChange& args) {
  return args.bulk.where.empty() ? named_hosts(client, args.names) : hosts_where(client, args.bulk.where);
}

int watch_hosts(Context& context, const std::vector<ChosenHost>& hosts, const std::string& timeout,
                const InterruptGuard& guard) {
  const auto patience = duration_of(timeout);
  std::optional<Moment> deadline;
  if (patience) deadline = context.io.clock.steady() + *patience;
  std::optional<TasksLeft> shown;
  for (int failed = 0;;) {
    const auto left =
        read_anywhere<TasksLeft>(context, [&](CellClient& client) { return tasks_left(client, hosts); });
    failed = left.ok() ? 0 : failed + 1;
    if (failed == looks_failed_max) return report(context.io.err, left.error());
    if (left.ok() && left.value() != shown) {
      shown = left.value();
      show_left(context, *shown);
    }
    if (left.ok() && left.value().empty()) return exit_ok;
    if (const auto end = end_of(context, deadline, guard)) return *end;
    context.io.pause(look_every);
  }
}

}  // namespace troupe::cli
