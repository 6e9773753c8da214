// troupe capacity-group: what is promised to whom, and how it stands.

#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_rows.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

const std::string applications = "/api/v2/management/applications";

std::string use_and_reservation(const json::Value& group, const std::string& resource) {
  return text_at(group, "used/" + resource) + "/" + text_at(group, "reservation/" + resource);
}

std::string group_path(const std::string& name) { return applications + "/" + url_text(name); }

/// What was not given stays as `now` has it.
std::string body_of(const GroupShape& shape, const json::Value* now) {
  json::Writer writer;
  const auto amount = [&](const char* name, const std::string& given, const char* otherwise) {
    const std::string kept = now != nullptr ? text_at(*now, name) : "";
    const std::string& text = !given.empty() ? given : kept;
    writer.key(name);
    // As it was typed: the cell says what is wrong with it.
    const auto value = json::parse(text.empty() ? otherwise : text);
    if (value.ok())
      json::write_value(writer, value.value());
    else
      writer.text(text);
  };
  // What an older cell does not know is not said without need.
  const auto amount_if_said = [&](const char* name, const std::string& given) {
    if (!given.empty() || (now != nullptr && now->find(name) != nullptr)) amount(name, given, "0");
  };
  writer.begin_object();
  writer.key("appName");
  writer.text(shape.name);
  const std::string tier = now != nullptr ? text_at(*now, "tier") : "Flex";
  writer.key("tier");
  writer.text(shape.tier.empty() ? tier : shape.tier);
  amount("instanceCPU", shape.cpu, "0");
  amount("instanceMemoryMB", shape.memory, "0");
  amount("instanceDiskMB", shape.disk, "0");
  amount("instanceNetworkMbs", shape.network, "0");
  amount("instanceGPU", shape.gpu, "0");
  amount_if_said("instancePorts", shape.ports);
  amount("instanceCount", shape.count, "0");
  amount("tasksMax", shape.tasks_max, "0");
  amount("jobsMax", shape.jobs_max, "0");
  amount_if_said("launchBurst", shape.launch_burst);
  amount_if_said("launchesPerMinute", shape.launches_per_minute);
  amount_if_said("launchesMax", shape.launches_max);
  writer.end_object();
  return writer.take();
}

}  // namespace

Table group_table() { return Table({"NAME", "TIER", "CPU", "MEMORY MB", "GPU", "TASKS", "WAITING", "JOBS"}); }

void add_group_row(Table& table, const json::Value& group) {
  table.add({text_at(group, "name"), text_at(group, "tier"), use_and_reservation(group, "cpu"),
             use_and_reservation(group, "memoryMB"), use_and_reservation(group, "gpu"),
             text_at(group, "tasks"), text_at(group, "tasksWaiting"), text_at(group, "jobs")});
}

int group_list(Context& context) {
  auto client = context.client();
  const auto answer = client.get("/api/v3/groups");
  if (!answer.ok()) return report(context.io.err, answer.error());
  if (context.options.wants_json) {
    print_json(context, answer.value().text);
    return exit_ok;
  }
  Table table = group_table();
  for (const json::Value& group : items_of(answer.value().value)) add_group_row(table, group);
  table.print(context.io.out);
  return exit_ok;
}

int group_show(Context& context, const std::string& name) {
  auto client = context.client();
  const auto answer = client.get("/api/v3/groups/" + url_text(name));
  if (!answer.ok()) return report(context.io.err, answer.error());
  print_json(context, answer.value().text);
  return exit_ok;
}

int group_create(Context& context, const GroupShape& shape) {
  auto client = context.client();
  const auto answer = client.change("POST", applications, body_of(shape, nullptr));
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << "made capacity group " << shape.name << '\n';
  return exit_ok;
}

int group_update(Context& context, const GroupShape& shape) {
  auto client = context.client();
  const auto now = client.get(group_path(shape.name));
  if (!now.ok()) return report(context.io.err, now.error());
  const auto answer = client.change("PUT", group_path(shape.name), body_of(shape, &now.value().value));
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << "changed capacity group " << shape.name << '\n';
  return exit_ok;
}

int group_delete(Context& context, const std::string& name) {
  auto client = context.client();
  const auto answer = client.change("DELETE", group_path(name));
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << "deleted capacity group " << name << '\n';
  return exit_ok;
}

}  // namespace troupe::cli
