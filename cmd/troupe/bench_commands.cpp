#include "cmd/troupe/bench_commands.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "actors/runtime/logging.hpp"
#include "cmd/troupe/bench_catch_up.hpp"
#include "cmd/troupe/bench_e2e.hpp"
#include "cmd/troupe/bench_failing.hpp"
#include "cmd/troupe/bench_failover.hpp"
#include "cmd/troupe/bench_gateway.hpp"
#include "cmd/troupe/bench_log.hpp"
#include "cmd/troupe/bench_log_node.hpp"
#include "cmd/troupe/bench_placement.hpp"
#include "cmd/troupe/bench_restart.hpp"
#include "cmd/troupe/cli.hpp"
#include "cmd/troupe/fill.hpp"

namespace troupe::cli {
namespace {

/// A subcommand that prints what `run` measures.
template <class Params>
CLI::App* add_bench(CLI::App& bench, const std::string& name, const std::string& help,
                    const std::shared_ptr<Params>& params, Result<std::string> (*run)(const Params&)) {
  CLI::App* command = bench.add_subcommand(name, help);
  auto json = std::make_shared<bool>(true);
  command->add_flag("--json", *json, "The output is JSON in any case");
  command->callback([params, run, json] {
    logging::set_least(logging::Level::warn);
    auto line = run(*params);
    if (!line.ok()) {
      std::cerr << "troupe: " << line.error().message << '\n';
      throw CLI::RuntimeError(exit_internal);
    }
    std::cout << line.value() << '\n';
  });
  return command;
}

void add_e2e(CLI::App& bench) {
  auto params = std::make_shared<E2eParams>();
  CLI::App* e2e = add_bench(bench, "e2e", "From submit to durable Started, a whole cell in this process",
                            params, bench_e2e);
  e2e->footer(
      "Example: troupe bench e2e --nodes 3 --hosts 100 --driver sim --jobs 1000 --tasks-per-job 100 --json");
  e2e->add_option("--nodes", params->nodes)->capture_default_str()->check(CLI::IsMember({1, 3, 5}));
  e2e->add_option("--hosts", params->hosts)->capture_default_str()->check(CLI::Range(1, 20'000));
  e2e->add_option("--driver", params->driver, "sim or process")->capture_default_str();
  e2e->add_option("--jobs", params->jobs)->capture_default_str()->check(CLI::Range(1, 20'000));
  e2e->add_option("--tasks-per-job", params->tasks_per_job)
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  e2e->add_option("--clients", params->clients)->capture_default_str()->check(CLI::Range(1, 256));
}

void add_log(CLI::App& bench) {
  auto params = std::make_shared<LogParams>();
  CLI::App* log = add_bench(bench, "log", "The replicated log alone: real transitions, disks and links",
                            params, bench_log);
  log->footer(
      "Examples: troupe bench log --nodes 3 --in-flight 512 --processes 3 --json\n"
      "          troupe bench log --in-flight 1    one writer on an idle cell, beside what disk and link "
      "take");
  log->add_option("--nodes", params->nodes)->capture_default_str()->check(CLI::IsMember({1, 3, 5}));
  log->add_option("--in-flight", params->in_flight, "Commands, and then reads, under way at the leader")
      ->capture_default_str()
      ->check(CLI::Range(1, 16'384));
  log->add_option("--processes", params->processes, "1, or as many as nodes")
      ->capture_default_str()
      ->check(CLI::IsMember({1, 3, 5}));
  log->add_option("--transitions-per-command", params->transitions_per_command)
      ->capture_default_str()
      ->check(CLI::IsMember({1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}));
  log->add_option("--live-tasks", params->live_tasks, "Among which the commands choose at random")
      ->capture_default_str()
      ->check(CLI::Range(64, 10'000'000));
  log->add_option("--seconds", params->seconds, "Of writing, then of reading")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  log->add_option("--apply-transitions", params->apply_transitions,
                  "For apply_us: applied by one replica alone")
      ->capture_default_str()
      ->check(CLI::Range(1000, 100'000'000));
  log->add_option("--seed", params->seed)->capture_default_str();
  bench.add_subcommand("log-node", "")->group("")->callback([] {
    logging::set_least(logging::Level::error);
    throw CLI::RuntimeError(serve_log_node());
  });
}

void add_fill(CLI::App& app) {
  auto params = std::make_shared<FillParams>();
  CLI::App* command =
      app.add_subcommand("fill", "Write the folders of a cell with many live and archived tasks");
  command->footer(
      "Example: troupe fill /tmp/cell --live-tasks 1000000 --nodes 3; troupe up --data /tmp/cell --nodes 3 "
      "--hosts 0");
  command->add_option("DIR", params->folder, "Holds node-1 and so on afterwards")->required();
  command->add_option("--live-tasks", params->live_tasks, "Started; rounded up to whole jobs of 1,000")
      ->capture_default_str()
      ->check(CLI::Range(0, 10'000'000));
  command->add_option("--archived-tasks", params->archived_tasks, "Ended in the last thirty days")
      ->capture_default_str()
      ->check(CLI::Range(0, 100'000'000));
  command->add_option("--nodes", params->nodes)->capture_default_str()->check(CLI::IsMember({1, 3, 5}));
  command->add_option("--hosts", params->hosts, "Where the live tasks are; disconnected")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  command->add_option("--seed", params->seed)->capture_default_str();
  command->callback([params] {
    auto filled = fill(*params);
    if (!filled.ok()) {
      std::cerr << "troupe: " << filled.error().message << '\n';
      throw CLI::RuntimeError(exit_internal);
    }
    std::cout << fmt::format("live_tasks={} archived_tasks={} index={} hash={}\n", filled.value().live_tasks,
                             filled.value().archived_tasks, filled.value().index, filled.value().hash);
  });
}

/// What the nodes hold when a bench begins. `params` lives as long as the command.
template <class Params>
void add_filling(CLI::App& command, Params& params) {
  command.add_option("--live-tasks", params.live_tasks)
      ->capture_default_str()
      ->check(CLI::Range(0, 10'000'000));
  command.add_option("--archived-tasks", params.archived_tasks)
      ->capture_default_str()
      ->check(CLI::Range(0, 100'000'000));
  command.add_option(
      "--folder", params.folder,
      "Of an earlier `troupe fill` with as many nodes, which the run changes; say how many tasks "
      "there are");
}

void add_restart(CLI::App& bench) {
  auto params = std::make_shared<RestartParams>();
  CLI::App* restart = add_bench(bench, "restart", "From the start of a node's process until it serves",
                                params, bench_restart);
  restart->footer("Example: troupe bench restart --live-tasks 1000000 --archived-tasks 10000000 --json");
  add_filling(*restart, *params);
  restart->add_option("--trials", params->trials)->capture_default_str()->check(CLI::Range(1, 1000));
}

void add_placement(CLI::App& bench) {
  auto params = std::make_shared<PlacementParams>();
  CLI::App* placement = add_bench(bench, "placement", "The placement engine alone, one thread, in memory",
                                  params, bench_placement);
  placement->footer("Example: troupe bench placement --case topology-spread --json\n" +
                    placement_case_list());
  placement->add_option("--case", params->name, "One of those below, or all")->capture_default_str();
  placement->add_option("--hosts", params->hosts, "Instead of the case's own number")
      ->check(CLI::Range(1, 200'000));
  placement->add_option("--tasks", params->tasks, "Likewise")->check(CLI::Range(1, 10'000'000));
  placement->add_option("--seed", params->seed)->capture_default_str();
  placement->add_option("--trace", params->trace,
                        "A folder with csv files of nodes and pods (as the Alibaba open GPU trace), instead "
                        "of a case; compared with best fit");
  placement->add_option("--make-trace", params->make_trace,
                        "Write such files to this folder: --hosts nodes and --tasks pods");
}

void add_catch_up(CLI::App& bench) {
  auto params = std::make_shared<CatchUpParams>();
  CLI::App* catch_up = add_bench(bench, "catch-up", "A node with an empty disk joins three others under load",
                                 params, bench_catch_up);
  catch_up->footer("Example: troupe bench catch-up --archived-tasks 10000000 --json");
  add_filling(*catch_up, *params);
  catch_up->add_option("--seconds", params->seconds, "Of the same load alone, to compare")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
}

void add_failing(CLI::App& bench) {
  auto params = std::make_shared<FailingParams>();
  CLI::App* failing = add_bench(bench, "failing", "A healthy load without and beside jobs that only crash",
                                params, bench_failing);
  failing->footer("Example: troupe bench failing --jobs 1000 --tasks-per-job 10 --trials 5 --json");
  failing->add_option("--nodes", params->nodes)->capture_default_str()->check(CLI::IsMember({1, 3, 5}));
  failing->add_option("--hosts", params->hosts)->capture_default_str()->check(CLI::Range(1, 5000));
  failing->add_option("--jobs", params->jobs, "That only crash; half of them services")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  failing->add_option("--tasks-per-job", params->tasks_per_job)
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  failing->add_option("--healthy-per-s", params->healthy_per_s, "Healthy jobs of one task")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  failing->add_option("--seconds", params->seconds, "Of the healthy load alone, and then beside the others")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  failing->add_option("--trials", params->trials, "Cells, one after the other; medians are told")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  failing
      ->add_option("--crash-launches-per-s", params->crash_launches_per_s,
                   "As the setting of this name; 0: crashing tasks are not paced")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
}

void add_failover(CLI::App& bench) {
  auto params = std::make_shared<FailoverParams>();
  CLI::App* failover = add_bench(bench, "failover", "Three node processes, one of which fails under load",
                                 params, bench_failover);
  failover->footer(
      "Examples: troupe bench failover --kind kill --trials 100 --live-tasks 1000000 --json\n"
      "          troupe bench failover --kind stop --victim owner --json");
  failover->add_option("--kind", params->kind, "kill: SIGKILL; stop: SIGSTOP; partition: of the nodes' links")
      ->capture_default_str()
      ->check(CLI::IsMember({"kill", "stop", "partition"}));
  failover
      ->add_option("--victim", params->victim,
                   "leader: until a write is answered; owner: until all it owned is cared for")
      ->capture_default_str()
      ->check(CLI::IsMember({"leader", "owner"}));
  failover->add_option("--trials", params->trials)->capture_default_str()->check(CLI::Range(1, 10'000));
  failover->add_option("--set", params->settings,
                       "A setting of the nodes, name=value; see `troupe settings`");
  add_filling(*failover, *params);
  failover->add_option("--hosts", params->hosts, "Simulated ones, that start tasks")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
}

void add_gateway(CLI::App& bench) {
  auto params = std::make_shared<GatewayParams>();
  CLI::App* gateway = add_bench(bench, "gateway", "Submits and linearizable reads through the HTTP doors",
                                params, bench_gateway);
  gateway->footer("Example: troupe bench gateway --nodes 3 --connections 64 --json");
  gateway->add_option("--nodes", params->nodes)->capture_default_str()->check(CLI::IsMember({1, 3, 5}));
  gateway->add_option("--hosts", params->hosts, "Simulated ones; without any, tasks wait")
      ->capture_default_str()
      ->check(CLI::Range(0, 5000));
  gateway->add_option("--connections", params->connections)
      ->capture_default_str()
      ->check(CLI::Range(1, 2000));
  gateway->add_option("--seconds", params->seconds, "Of each load")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  gateway->add_option("--mutations-per-s", params->mutations_per_s, "Beside the steady reads")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  gateway->add_option("--idle-submits", params->idle_submits, "One after the other, with nothing else")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
}

void add_list(CLI::App& bench) {
  auto params = std::make_shared<ListParams>();
  CLI::App* list =
      add_bench(bench, "list", "All tasks, page after page, alone and beside submits", params, bench_list);
  list->footer("Example: troupe bench list --tasks 150000 --page 1000 --json");
  list->add_option("--nodes", params->nodes)->capture_default_str()->check(CLI::IsMember({1, 3, 5}));
  list->add_option("--hosts", params->hosts)->capture_default_str()->check(CLI::Range(1, 5000));
  list->add_option("--tasks", params->tasks)->capture_default_str()->check(CLI::Range(1, 5'000'000));
  list->add_option("--page", params->page)->capture_default_str()->check(CLI::Range(1, 5000));
  list->add_option("--rounds", params->rounds, "Of the whole list, alone")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  list->add_option("--seconds", params->seconds, "Of the submits, alone and then beside lists")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
}

void add_streams(CLI::App& bench) {
  auto params = std::make_shared<StreamsParams>();
  CLI::App* streams = add_bench(bench, "streams", "Event streams over all jobs, idle and beside changes",
                                params, bench_streams);
  streams->footer("Example: troupe bench streams --idle-streams 2000 --busy-streams 200 --json");
  streams->add_option("--nodes", params->nodes)->capture_default_str()->check(CLI::IsMember({1, 3, 5}));
  streams->add_option("--idle-streams", params->idle_streams)
      ->capture_default_str()
      ->check(CLI::Range(1, 4000));
  streams->add_option("--changes", params->changes, "Of one job, each told to all idle streams")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  streams->add_option("--busy-streams", params->busy_streams)
      ->capture_default_str()
      ->check(CLI::Range(1, 4000));
  streams->add_option("--mutations-per-s", params->mutations_per_s)
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  streams->add_option("--seconds", params->seconds, "Of the mutations")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
}

}  // namespace

void add_bench_commands(CLI::App& app) {
  add_fill(app);
  CLI::App* bench = app.add_subcommand("bench", "Measure; one JSON object per line");
  bench->require_subcommand(1);
  add_e2e(*bench);
  add_log(*bench);
  add_restart(*bench);
  add_failing(*bench);
  add_failover(*bench);
  add_gateway(*bench);
  add_list(*bench);
  add_streams(*bench);
  add_placement(*bench);
  add_catch_up(*bench);
}

}  // namespace troupe::cli
