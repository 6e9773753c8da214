#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_rows.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

/// One answer as it came, or as lines for people.
int show(Context& context, const std::string& target, void (*add_lines)(Sheet&, const json::Value&)) {
  auto client = context.client();
  const auto answer = client.get(target);
  if (!answer.ok()) return report(context.io.err, answer.error());
  if (context.options.wants_json) {
    print_json(context, answer.value().text);
    return exit_ok;
  }
  Sheet sheet;
  add_lines(sheet, answer.value().value);
  sheet.print(context.io.out);
  return exit_ok;
}

/// Whatever the object has, one level deep into objects: a newer cell may tell more than we know of.
void add_everything(Sheet& sheet, const json::Value& value, const std::string& prefix = {}) {
  if (!value.object()) return;
  for (const auto& [name, at, member] : *value.object()) {
    if (member.object() && prefix.empty())
      add_everything(sheet, member, name + '.');
    else
      sheet.add(prefix + name, member.text() ? *member.text() : json::to_json(member));
  }
}

std::string or_dash(std::string text) { return text.empty() ? "-" : text; }

/// The cell's object, with its nodes as one more member.
std::string with_nodes(const json::Value& cell, const json::Value& nodes) {
  json::Writer writer;
  writer.begin_object();
  for (const auto& [name, at, member] : *cell.object()) {
    writer.key(name);
    json::write_value(writer, member);
  }
  writer.key("nodes");
  json::write_value(writer, *nodes.find("items"));
  writer.end_object();
  return writer.take();
}

}  // namespace

Table node_table() {
  return Table({"NODE", "ROLE", "TERM", "LAST", "COMMITTED", "APPLIED", "SNAPSHOT", "LAG", "LAST CONTACT",
                "BUILD", "SHARDS", "REACHABLE"});
}

void add_node_row(Table& table, const json::Value& node, const json::Value& all) {
  const bool is_heard = is_true_at(node, "reachable");
  const std::string contact = text_at(node, "lastContactMs");
  const bool leads = text_at(node, "role") == "LEADER";
  std::vector<std::string> row{text_at(node, "node"), text_at(node, "role")};
  for (const char* name : {"term", "last", "commit", "applied", "snapshot"})
    row.push_back(or_dash(text_at(node, name)));
  row.push_back(or_dash(text_at(node, "lag")));
  row.push_back(leads || contact.empty() ? "-" : contact + " ms");
  row.push_back(or_dash(text_at(node, "build")));
  row.push_back(or_dash(text_at(node, "shardsOwned")));
  const std::string withheld = text_at(node, "voteWithheld");
  std::string standing = is_heard ? "yes" : "NO: " + text_at(node, "why");
  if (is_heard && !withheld.empty()) standing += ", does not vote: " + withheld;
  if (text_at(all, "spared/node") == text_at(node, "node"))
    standing += ", hands over for " + text_at(all, "spared/by") + ": " + text_at(all, "spared/reason");
  row.push_back(std::move(standing));
  table.add(std::move(row));
}

int host_show(Context& context, const std::string& name) {
  return show(context, "/api/v3/hosts/" + url_text(name),
              [](Sheet& sheet, const json::Value& host) { add_everything(sheet, host); });
}

int cell_status(Context& context) {
  auto client = context.client();
  const auto nodes = client.get("/api/v3/cell/status");
  const bool has_nodes = nodes.ok() && nodes.value().value.find("items") != nullptr;
  const auto cell = client.get("/api/v3/cell" + std::string(nodes.ok() ? "?consistency=stale" : ""));
  if (!cell.ok()) return report(context.io.err, cell.error());
  const json::Value& value = cell.value().value;
  if (context.options.wants_json) {
    print_json(context, has_nodes && value.object() != nullptr ? with_nodes(value, nodes.value().value)
                                                               : cell.value().text);
    return exit_ok;
  }
  Sheet sheet;
  add_everything(sheet, value);
  sheet.print(context.io.out);
  if (!has_nodes) return exit_ok;
  Table table = node_table();
  const json::Value& all = nodes.value().value;
  for (const auto& node : items_of(all)) add_node_row(table, node, all);
  context.io.out << '\n';
  table.print(context.io.out);
  return exit_ok;
}

}  // namespace troupe::cli
