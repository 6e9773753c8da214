#include "cmd/troupe/cli_select.hpp"

#include <algorithm>
#include <charconv>
#include <ostream>

#include "cmd/troupe/cli_actor.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_rows.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/api/selection.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

constexpr std::uint32_t page_rows_max = 5000;

struct KindOfRow {
  std::string_view path;
  Table (*table)();
  void (*add)(Table&, const json::Value&, Instant);
};

KindOfRow rows_of(api::SelectionKind kind) {
  switch (kind) {
    case api::SelectionKind::job:
      return {"/api/v3/jobs", job_table, add_job_row};
    case api::SelectionKind::task:
      return {"/api/v3/tasks", task_table, add_task_row};
    case api::SelectionKind::actor:
      return {"/api/v3/actors", actor_table, add_actor_row};
    case api::SelectionKind::host:
      break;
  }
  return {"/api/v3/hosts", host_table, add_host_row};
}

Error too_many_to_order(std::int64_t total, std::size_t most) {
  return {ErrorCode::invalid_argument, "this selects " + std::to_string(total) +
                                           ", too many to be ordered: at most " + std::to_string(most)};
}

struct Chosen {
  std::vector<json::Value> items;
  std::int64_t total = 0;
};

/// The cell puts them in order; what lies beyond the limit never travels.
Result<Chosen> fetch(CellClient& client, const api::Selection& selection) {
  const std::size_t wanted = selection.limit.value_or(shown_default);
  const std::size_t page = std::min<std::size_t>(wanted, page_rows_max);
  std::string target = std::string(rows_of(selection.condition.kind()).path) +
                       "?pageSize=" + std::to_string(page) + where_parameter(selection.where);
  if (!selection.order_by.empty())
    target += "&orderBy=" + url_text(selection.order_by + (selection.is_descending ? " desc" : ""));
  Chosen chosen;
  const auto take = [&](const Answer& answer) {
    const auto& items = items_of(answer.value);
    chosen.items.insert(chosen.items.end(), items.begin(), items.end());
    chosen.total = integer_at(answer.value, "pagination/totalItems");
    return !items.empty() && chosen.items.size() < wanted;
  };
  if (selection.order_by.empty()) {
    const auto walked = each_page(client, target, take);
    return walked.ok() ? Result<Chosen>(std::move(chosen)) : walked.error();
  }
  for (std::size_t number = 0; number * page < wanted; ++number) {
    const auto answer = client.get(target + "&page=" + std::to_string(number));
    if (!answer.ok()) return answer.error();
    if (!take(answer.value())) break;
  }
  return chosen;
}

Result<Chosen> fetch_actors(Context& context, const api::Selection& selection, std::uint32_t node) {
  const bool needs_all = !selection.order_by.empty();
  ActorList args{selection.where, node};
  args.asks_all = node == 0;
  args.limit =
      needs_all ? actors_shown_max : std::min(selection.limit.value_or(shown_default), actors_shown_max);
  auto actors = choose_actors(context, args);
  if (!actors.ok()) return actors.error();
  Chosen chosen{std::move(actors.value().items), actors.value().total};
  if (needs_all && chosen.total > static_cast<std::int64_t>(chosen.items.size()))
    return too_many_to_order(chosen.total, actors_shown_max);
  (void)tell_missing(context, actors.value());
  return chosen;
}

/// What an entity is ordered by: numbers before texts, and what has neither last.
struct OrderKey {
  int rank = 2;
  double number = 0;
  std::string text{};
  std::size_t place = 0;
};

OrderKey key_of(const json::Value& item, const std::string& name, std::size_t place) {
  OrderKey key;
  key.place = place;
  const json::Value* found = value_named(item, name);
  if (found == nullptr || found->is_null()) return key;
  key.text = text_at(*found, "");
  const char* const end = key.text.data() + key.text.size();
  const auto [stop, fault] = std::from_chars(key.text.data(), end, key.number);
  key.rank = fault == std::errc{} && stop == end ? 0 : 1;
  return key;
}

std::vector<json::Value> ordered(const std::vector<json::Value>& items, const api::Selection& selection) {
  std::vector<OrderKey> keys;
  for (std::size_t n = 0; n < items.size(); ++n) keys.push_back(key_of(items[n], selection.order_by, n));
  const bool turns = selection.is_descending;
  std::stable_sort(keys.begin(), keys.end(), [turns](const OrderKey& a, const OrderKey& b) {
    if (a.rank != b.rank) return a.rank == 2 || b.rank == 2 ? a.rank < b.rank : (a.rank < b.rank) != turns;
    const OrderKey& low = turns ? b : a;
    const OrderKey& high = turns ? a : b;
    return a.rank == 0 ? low.number < high.number : low.text < high.text;
  });
  std::vector<json::Value> out;
  for (const OrderKey& key : keys) out.push_back(items[key.place]);
  return out;
}

}  // namespace

std::string where_parameter(const std::string& where) { return "&where=" + url_text(where); }

int print_selection(Context& context, const std::string& text, std::uint32_t node) {
  const auto read = api::parse_selection(text);
  if (!read.ok()) return report(context.io.err, read.error());
  const api::Selection& selection = read.value();
  const bool is_of_actors = selection.condition.kind() == api::SelectionKind::actor;
  auto chosen = is_of_actors ? fetch_actors(context, selection, node)
                             : read_anywhere<Chosen>(
                                   context, [&](CellClient& client) { return fetch(client, selection); });
  if (!chosen.ok()) return report(context.io.err, chosen.error());
  auto items = std::move(chosen.value().items);
  if (!selection.order_by.empty() && is_of_actors) items = ordered(items, selection);
  items.resize(std::min<std::size_t>(items.size(), selection.limit.value_or(shown_default)));
  if (context.options.wants_json) {
    json::Writer writer;
    writer.begin_object();
    writer.key("items");
    json::write_value(writer, items);
    writer.end_object();
    print_json(context, writer.take());
    return exit_ok;
  }
  const KindOfRow rows = rows_of(selection.condition.kind());
  Table table = rows.table();
  for (const auto& item : items) rows.add(table, item, context.io.clock.wall());
  table.print(context.io.out);
  const auto shown = static_cast<std::int64_t>(items.size());
  if (chosen.value().total > shown && !selection.limit)
    context.io.err << "there are " << chosen.value().total - shown << " more: limit N shows more\n";
  return exit_ok;
}

}  // namespace troupe::cli
