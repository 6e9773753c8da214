#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

void add_list(CLI::App& tasks, Context& context) {
  auto* list = tasks.add_subcommand("ls", "List tasks that live");
  auto args = std::make_shared<TaskList>();
  list->add_option("--job", args->job, "only this job's (id, or its beginning)");
  list->add_option("--state", args->states, "of these states, such as Started,Launched; any: ended ones too");
  add_where(*list, args->where, "a condition, such as 'taskContext.agent.host ~ flex-*'");
  list->add_option("--page-size", args->page_size, "tasks of one page")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  list->add_flag("--all-pages", args->wants_all_pages, "every page; with --json one object per line");
  list->footer(
      "Examples:\n  troupe task ls --job 6f1c2a --state any\n  troupe task ls --state Accepted\n"
      "  troupe task ls --where 'status.state = Launched and status.timestamp < 5m ago'");
  list->callback([args, &context] { finish_with(task_list(context, *args)); });
}

void add_logs(CLI::App& tasks, Context& context) {
  auto* logs = tasks.add_subcommand("logs", "Print a task's output to stdout");
  auto args = std::make_shared<TaskLogs>();
  logs->add_option("task", args->task, "the task's id, or its beginning")->required();
  logs->add_flag("--follow,-f", args->follows, "go on until the task has ended");
  logs->add_flag("--stderr", args->wants_stderr, "stderr instead of stdout");
  logs->footer("Example:\n  troupe task logs 81d0f3 --follow");
  logs->callback([args, &context] { finish_with(task_logs(context, *args)); });
}

}  // namespace

void add_task_kill(CLI::App& tasks, Context& context) {
  auto* kill = tasks.add_subcommand(
      "kill", "End a task, or all that a condition selects; their jobs may start others");
  auto args = std::make_shared<TaskKill>();
  auto* task = kill->add_option("task", args->task, "the task's id, or its beginning");
  auto* where = add_bulk(*kill, args->bulk, "task");
  task->excludes(where);
  where->excludes(task);
  auto* shrink = kill->add_flag("--shrink", args->shrinks, "its service gets smaller by one instead");
  kill->add_flag("--keep-min", args->keeps_min, "refused if the size would fall below min")->needs(shrink);
  kill->footer(
      "With --where it needs --reason TEXT, for the audit. Interrupted, it says how far it came.\n"
      "Examples:\n  troupe task kill 81d0f3\n  troupe task kill 81d0f3 --shrink\n"
      "  troupe task kill --where 'taskContext.agent.host = h7 and status.state = Started' --dry-run\n"
      "  troupe task kill --where 'status.state = Launched and status.timestamp < 1h ago' --yes "
      "--reason INC-7");
  kill->callback([args, &context] { finish_with(task_kill(context, *args)); });
}

namespace {

void add_move(CLI::App& tasks, Context& context) {
  auto* move = tasks.add_subcommand("move", "Make a service's running task another service's; it runs on");
  auto args = std::make_shared<TaskMove>();
  move->add_option("task", args->task, "the task's id, or its beginning")->required();
  move->add_option("job", args->job, "the service that it goes to (id, or its beginning)")->required();
  move->footer(
      "Its own service gets smaller by one, the other larger; both must make their containers alike.\n"
      "Example:\n  troupe task move 81d0f3 6f1c2a");
  move->callback([args, &context] { finish_with(task_move(context, *args)); });
}

}  // namespace

void add_task_options(CLI::App& app, Context& context) {
  auto* tasks = app.add_subcommand("task", "Tasks: ls, show, explain, logs, kill, retry, move, attributes");
  tasks->require_subcommand(1);
  add_list(*tasks, context);
  add_of_one(*tasks, context, "show", "Show a task and its history", task_show);
  add_of_one(*tasks, context, "explain", "Say where a task is, or why it waits and what would help",
             task_explain);
  add_logs(*tasks, context);
  add_task_kill(*tasks, context);
  add_of_one(*tasks, context, "retry", "Make the next task in an ended one's place now, without the delay",
             task_retry);
  add_move(*tasks, context);
  add_attributes(*tasks, context, "task", task_attributes);
}

}  // namespace troupe::cli
