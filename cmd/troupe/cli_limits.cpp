#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_submit.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

std::string or_none(std::string text) { return text.empty() ? "-" : text; }

void add_limit(Table& table, const std::string& name, const json::Value* limit) {
  if (limit == nullptr) return;
  table.add(
      {name, text_at(*limit, "used"), or_none(text_at(*limit, "max")), or_none(text_at(*limit, "left"))});
}

void add_jobs_and_tasks(Table& table, const std::string& whose, const json::Value& value) {
  add_limit(table, whose + " jobs", value.find("jobs"));
  add_limit(table, whose + " tasks", value.find("tasks"));
}

void print_limits(Context& context, const json::Value& value) {
  Table table({"LIMIT", "USED", "MAX", "LEFT"});
  add_jobs_and_tasks(table, "cell", value);
  add_limit(table, "remembered requests", value.find("requests"));
  if (const json::Value* caller = value.find("caller"))
    add_jobs_and_tasks(table, "caller " + text_at(*caller, "name"), *caller);
  if (const json::Value* groups = value.find("capacityGroups"))
    for (const auto& group : items_of(*groups))
      add_jobs_and_tasks(table, "group " + text_at(group, "name"), group);
  table.print(context.io.out);
  const json::Value* rates = value.find("rates");
  if (rates == nullptr || items_of(*rates).empty()) return;
  Table held({"RATE", "ENDPOINT", "PER MINUTE", "BURST", "LEFT", "NEXT IN MS"});
  for (const auto& rate : items_of(*rates))
    held.add({text_at(rate, "name"), text_at(rate, "endpoint"), text_at(rate, "perMinute"),
              text_at(rate, "burst"), text_at(rate, "left"), text_at(rate, "retryAfterMs")});
  context.io.out << '\n';
  held.print(context.io.out);
}

}  // namespace

int limits(Context& context) {
  auto client = context.client();
  const auto answer = client.get("/api/v3/limits");
  if (!answer.ok()) return report(context.io.err, answer.error());
  if (context.options.wants_json)
    print_json(context, answer.value().text);
  else
    print_limits(context, answer.value().value);
  return exit_ok;
}

int cell_policy(Context& context) {
  auto client = context.client();
  const auto answer = client.get("/api/v3/cell");
  if (!answer.ok()) return report(context.io.err, answer.error());
  const json::Value* policy = answer.value().value.find("policy");
  if (policy == nullptr) return report(context.io.err, {ErrorCode::internal, "this cell tells no policy"});
  context.io.out << json::to_json(*policy, json::Style::pretty) << '\n';
  return exit_ok;
}

int cell_set_policy(Context& context, const std::string& file) {
  const auto document = read_document(context, file);
  if (!document.ok()) return report(context.io.err, document.error());
  auto client = context.client();
  const auto answer = client.change("PUT", "/api/v3/cell/policy", json::to_json(document.value().value));
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << json::to_json(answer.value().value, json::Style::pretty) << '\n';
  return exit_ok;
}

}  // namespace troupe::cli
