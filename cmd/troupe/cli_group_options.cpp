#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

void add_named(CLI::App& groups, Context& context, const char* verb, const char* help,
               int (*command)(Context&, const std::string&)) {
  auto* sub = groups.add_subcommand(verb, help);
  auto name = std::make_shared<std::string>();
  sub->add_option("name", *name, "the group's name")->required();
  sub->footer(std::string("Example:\n  troupe capacity-group ") + verb + " payments");
  sub->callback([name, &context, command] { finish_with(command(context, *name)); });
}

void add_shaped(CLI::App& groups, Context& context, const char* verb, const char* help,
                int (*command)(Context&, const GroupShape&)) {
  auto* sub = groups.add_subcommand(verb, help);
  auto shape = std::make_shared<GroupShape>();
  sub->add_option("name", shape->name, "the group's name")->required();
  sub->add_option("--tier", shape->tier, "Critical (its reservation is its ceiling) or Flex (it may borrow)");
  sub->add_option("--cpu", shape->cpu, "cpus of one instance of the reservation");
  sub->add_option("--memory", shape->memory, "its memory in MB");
  sub->add_option("--disk", shape->disk, "its disk in MB");
  sub->add_option("--network", shape->network, "its network in Mbit/s");
  sub->add_option("--gpu", shape->gpu, "its gpus");
  sub->add_option("--ports", shape->ports, "its ports");
  sub->add_option("--count", shape->count, "instances that are reserved");
  sub->add_option("--tasks-max", shape->tasks_max, "live tasks at most; 0: the cell's limit only");
  sub->add_option("--jobs-max", shape->jobs_max, "live jobs at most; 0: the cell's limit only");
  sub->add_option("--launch-burst", shape->launch_burst, "launches at once, where there is a rate");
  sub->add_option("--launches-per-minute", shape->launches_per_minute, "the rate of launches; 0: no limit");
  sub->add_option("--launches-max", shape->launches_max, "launches under way at most; 0: no limit");
  sub->footer(std::string("Example:\n  troupe capacity-group ") + verb +
              " payments --tier Critical --cpu 4 --memory 16384 --count 20");
  sub->callback([shape, &context, command] { finish_with(command(context, *shape)); });
}

}  // namespace

void add_group_options(CLI::App& app, Context& context) {
  auto* groups = app.add_subcommand(
      "capacity-group",
      "Capacity groups: ls, show, create, update, delete, pause-scheduling, resume-scheduling");
  groups->require_subcommand(1);
  auto* list = groups->add_subcommand("ls", "List the groups: use and reservation of each resource");
  list->footer("Example:\n  troupe capacity-group ls");
  list->callback([&context] { finish_with(group_list(context)); });
  add_named(*groups, context, "show", "Show how a group stands", group_show);
  add_shaped(*groups, context, "create", "Make a group", group_create);
  add_shaped(*groups, context, "update", "Change a group; what is not given stays", group_update);
  add_named(*groups, context, "delete", "Delete a group that no live job uses", group_delete);
  add_scheduling_options(*groups, context, "capacity group");
}

}  // namespace troupe::cli
