#include "cmd/troupe/bench_commands.hpp"

#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cmd/troupe/bench_e2e.hpp"
#include "cmd/troupe/cli.hpp"

namespace troupe::cli {

void add_bench_commands(CLI::App& app) {
  CLI::App* bench = app.add_subcommand("bench", "Measure; one JSON object per line");
  bench->require_subcommand(1);
  auto params = std::make_shared<E2eParams>();
  auto json = std::make_shared<bool>(true);
  CLI::App* e2e =
      bench->add_subcommand("e2e", "From submit to durable Started, a whole cell in this process");
  e2e->footer(
      "Example: troupe bench e2e --nodes 3 --hosts 100 --driver sim --jobs 1000 --tasks-per-job 100 --json");
  e2e->add_option("--nodes", params->nodes)->capture_default_str()->check(CLI::IsMember({1, 3, 5}));
  e2e->add_option("--hosts", params->hosts)->capture_default_str()->check(CLI::Range(1, 5000));
  e2e->add_option("--driver", params->driver, "sim or process")->capture_default_str();
  e2e->add_option("--jobs", params->jobs)->capture_default_str()->check(CLI::Range(1, 20'000));
  e2e->add_option("--tasks-per-job", params->tasks_per_job)
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  e2e->add_option("--clients", params->clients)->capture_default_str()->check(CLI::Range(1, 256));
  e2e->add_flag("--json", *json, "The output is JSON in any case");
  e2e->callback([params, json] {
    spdlog::set_level(spdlog::level::warn);
    auto line = bench_e2e(*params);
    if (!line.ok()) {
      std::cerr << "troupe: " << line.error().message << '\n';
      throw CLI::RuntimeError(exit_internal);
    }
    std::cout << line.value() << '\n';
  });
}

}  // namespace troupe::cli
