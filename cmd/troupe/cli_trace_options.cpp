#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {

void add_trace_options(CLI::App& app, Context& context) {
  auto* trace =
      app.add_subcommand("trace", "Follow one entity's messages, commands and events: start, show, stop");
  trace->require_subcommand(1);
  auto* start =
      trace->add_subcommand("start", "Note what happens to an entity, on all nodes, within a budget");
  auto args = std::make_shared<TraceStart>();
  start->add_option("entity", args->entity, "job/ID, task/ID, host/NAME or group/NAME; a job with its tasks")
      ->required();
  start->add_option("--messages", args->messages, "of each node; then it is off by itself")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  start->add_option("--for", args->time, "a time such as 30s, at most 10m; then it is off by itself")
      ->capture_default_str();
  start->add_flag("--wait", args->waits, "until it is off, then show it; an interrupt turns it off");
  start->footer(
      "One trace at a time. No payloads are kept: names of messages and commands, states, who and why.\n"
      "Examples:\n  troupe trace start job/6f1c0000-0000-4000-8000-000000000001 --wait\n"
      "  troupe trace start host/host-7 --messages 200 --for 30s --reason 'INC-7'");
  start->callback([args, &context] { finish_with(trace_start(context, *args)); });
  const auto of_one = [&](const char* name, const char* help, int (*act)(Context&, const std::string&)) {
    auto* sub = trace->add_subcommand(name, help);
    auto id = std::make_shared<std::string>();
    sub->add_option("trace", *id, "as `trace start` said")->required();
    sub->footer(std::string("Example:\n  troupe trace ") + name + " 81d05f6b2c3a4e10");
    sub->callback([id, act, &context] { finish_with(act(context, *id)); });
  };
  of_one("show", "Show what was noted so far, in causal order", trace_show);
  of_one("stop", "Turn it off, and show it", trace_stop);
}

}  // namespace troupe::cli
