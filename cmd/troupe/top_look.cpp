#include "cmd/troupe/top_look.hpp"

#include <sstream>

#include "cmd/troupe/cli_actor.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_rows.hpp"
#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/console_print.hpp"

namespace troupe::cli {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

/// "120 (12 %)", of so many that there may be.
std::string filled(std::int64_t used, std::int64_t most) {
  std::string text = std::to_string(used);
  if (most > 0) text += " (" + std::to_string(used * 100 / most) + " %)";
  return text;
}

std::vector<std::string> head_of(const Context& context, const json::Value& cell) {
  const auto number = [&](std::string_view path) { return integer_at(cell, path); };
  const std::string leader = text_at(cell, "leader");
  std::string first = printable(text_at(cell, "name")) + " at " + context.options.address + ": " +
                      (leader == "0" || leader.empty() ? "NO LEADER" : "leader " + leader) + ", term " +
                      text_at(cell, "term") + ", applied " + text_at(cell, "applied") + ", level " +
                      text_at(cell, "level");
  if (value_at(cell, "paused") != nullptr) first += ", SCHEDULING PAUSED";
  std::string second = "jobs " + filled(number("jobs"), number("policy/jobsMax")) + ", " +
                       text_at(cell, "jobsThrottled") + " throttled, tasks " +
                       filled(number("tasks"), number("policy/tasksMax")) + ", " +
                       text_at(cell, "tasksWaiting") + " waiting, hosts " + text_at(cell, "hostsConnected") +
                       " of " + text_at(cell, "hosts") + " connected, request ids " +
                       filled(number("requestsRemembered"), number("policy/requestsMax"));
  return {std::move(first), std::move(second)};
}

/// A view's rows, as the lists of the command line have them.
class Rows {
 public:
  explicit Rows(Table table) : table_(std::move(table)) {}
  Table& table() { return table_; }
  void name(std::string entity) { entities_.push_back(std::move(entity)); }
  void into(TopAnswer& answer) const {
    std::ostringstream out;
    table_.print(out);
    auto lines = lines_of(out.str());
    if (lines.empty()) return;
    answer.columns = std::move(lines.front());
    for (std::size_t n = 1; n < lines.size() && n <= entities_.size(); ++n)
      answer.rows.push_back({std::move(lines[n]), entities_[n - 1]});
  }

 private:
  Table table_;
  std::vector<std::string> entities_;
};

struct ListOfTop {
  std::string_view path;
  std::string_view kind;
  std::string_view name;  ///< the member by which `show` knows it
  Table (*table)();
  void (*add)(Table&, const json::Value&, Instant);
};

Result<void> take_list(Context& context, CellClient& client, const ListOfTop& list, TopAnswer& answer) {
  std::string target = std::string(list.path) + "?consistency=stale&pageSize=" + std::to_string(top_rows_max);
  if (!answer.wish.where.empty()) target += where_parameter(answer.wish.where);
  if (!answer.wish.order.empty()) target += "&orderBy=" + url_text(answer.wish.order);
  const auto said = client.get(target);
  if (!said.ok()) return said.error();
  Rows rows(list.table());
  for (const json::Value& item : items_of(said.value().value)) {
    list.add(rows.table(), item, context.io.clock.wall());
    rows.name(std::string(list.kind) + '/' + text_at(item, list.name));
  }
  rows.into(answer);
  answer.total = integer_at(said.value().value, "pagination/totalItems");
  return {};
}

Result<void> take_nodes(CellClient& client, TopAnswer& answer) {
  const auto said = client.get("/api/v3/cell/status");
  if (!said.ok()) return said.error();
  Rows rows(node_table());
  for (const json::Value& node : items_of(said.value().value)) {
    add_node_row(rows.table(), node, said.value().value);
    rows.name({});
  }
  rows.into(answer);
  answer.total = static_cast<std::int64_t>(answer.rows.size());
  return {};
}

Result<void> take_groups(CellClient& client, TopAnswer& answer) {
  const auto said = client.get("/api/v3/groups?consistency=stale");
  if (!said.ok()) return said.error();
  Rows rows(group_table());
  for (const json::Value& group : items_of(said.value().value)) {
    add_group_row(rows.table(), group);
    rows.name("group/" + text_at(group, "name"));
  }
  rows.into(answer);
  answer.total = static_cast<std::int64_t>(answer.rows.size());
  return {};
}

Result<void> take_actors(Context& context, TopAnswer& answer) {
  ActorList args{.where = answer.wish.where, .asks_all = true, .limit = top_rows_max};
  const auto said = choose_actors(context, args);
  if (!said.ok()) return said.error();
  Rows rows(actor_table());
  for (const json::Value& actor : said.value().items) {
    add_actor_row(rows.table(), actor, context.io.clock.wall());
    rows.name(text_at(actor, "entity"));
  }
  rows.into(answer);
  answer.total = said.value().total;
  return {};
}

Result<void> take_view(Context& context, CellClient& client, TopAnswer& answer) {
  const std::string_view name = top_views()[answer.wish.view].name;
  if (name == "nodes") return take_nodes(client, answer);
  if (name == "actors") return take_actors(context, answer);
  if (name == "groups") return take_groups(client, answer);
  if (name == "hosts")
    return take_list(context, client, {"/api/v3/hosts", "host", "name", host_table, add_host_row}, answer);
  if (name == "jobs")
    return take_list(context, client, {"/api/v3/jobs", "job", "id", job_table, add_job_row}, answer);
  return take_list(context, client, {"/api/v3/tasks", "task", "id", task_table, add_task_row}, answer);
}

Result<void> take_details(CellClient& client, TopAnswer& answer) {
  const auto said = client.get("/api/v3/console?command=" + url_text("show " + answer.wish.entity));
  if (!said.ok()) return said.error();
  std::ostringstream out;
  print_value(out, said.value().value);
  answer.details = lines_of(out.str());
  return {};
}

Result<TopAnswer> look(Context& context, CellClient& client, const TopWish& wish) {
  TopAnswer answer{.wish = wish};
  const auto cell = client.get("/api/v3/cell?consistency=stale");
  if (!cell.ok()) return cell.error();
  answer.head = head_of(context, cell.value().value);
  if (const auto taken = take_view(context, client, answer); !taken.ok()) return taken.error();
  if (wish.entity.empty()) return answer;
  if (const auto taken = take_details(client, answer); !taken.ok()) return taken.error();
  return answer;
}

}  // namespace

TopAnswer look_for_top(Context& context, const TopWish& wish) {
  const Moment began = context.io.clock.steady();
  auto looked =
      read_anywhere<TopAnswer>(context, [&](CellClient& client) { return look(context, client, wish); });
  TopAnswer answer = looked.ok() ? std::move(looked).value() : TopAnswer{.wish = wish};
  if (!looked.ok()) answer.problem = looked.error();
  answer.at = context.io.clock.wall();
  answer.took = std::chrono::duration_cast<milliseconds>(context.io.clock.steady() - began);
  return answer;
}

}  // namespace troupe::cli
