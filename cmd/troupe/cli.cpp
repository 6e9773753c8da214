#include "cmd/troupe/cli.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/console.hpp"
#include "cmd/troupe/top.hpp"

namespace troupe::cli {
namespace {

constexpr const char* default_address = "127.0.0.1:7001";

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

void add_global_options(CLI::App& app, const std::shared_ptr<Context>& context) {
  auto& options = context->options;
  options.address = default_address;
  options.caller = default_caller(context->io);
  // The check holds on to the context, to which every callback refers: it lives as long as the App.
  const auto check_address = [context](const std::string& address) {
    const auto config = config_of(address);
    return config.ok() ? std::string() : config.error().message;
  };
  app.add_option("--address", options.address, "any node's address")
      ->envname("TROUPE_ADDRESS")
      ->check(CLI::Validator(check_address, "HOST:PORT", "address"))
      ->capture_default_str();
  app.add_flag("--json", options.wants_json, "print what the API answers");
  app.add_option("--caller", options.caller, "who is calling (X-Titus-CallerId)")->capture_default_str();
  // Not an option: everybody on the machine can read a process' arguments.
  options.token = context->io.environment("TROUPE_TOKEN").value_or("");
  add_tls_options(app, options);
  app.add_option("--reason", options.reason, "why, for the audit (X-Titus-CallReason)");
}

// tidy: allow call because no event tells when to try again: the cell says how long to wait
void wait(milliseconds time) { std::this_thread::sleep_for(time); }

constexpr const char* exit_code_help =
    "A cell that asks for tokens takes one from the variable TROUPE_TOKEN. With --ca (TROUPE_CA) it is "
    "spoken\n"
    "to over TLS; --cert and --key (TROUPE_CERT, TROUPE_KEY) say who calls.\n"
    "Exit codes: 0 well, 1 the job failed (job run: its own code), 2 usage, 3 not found, 4 refused,\n"
    "69 no node answers, 70 internal error, 75 try again (not placed, over a limit, outcome unknown),\n"
    "124 not in time, 130 interrupted.";

}  // namespace

Surroundings& process_surroundings() {
  static const SystemClock clock;
  static Surroundings surroundings{.out = std::cout,
                                   .err = std::cerr,
                                   .in = std::cin,
                                   .pause = wait,
                                   .environment = variable,
                                   .clock = clock,
                                   .signals = Signals::handle,
                                   .has_person = isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0};
  return surroundings;
}

void add_client_commands(CLI::App& app, Surroundings& surroundings) {
  auto context = std::make_shared<Context>(Context{surroundings, {}});
  app.fallthrough();  // Global options may stand behind the subcommand too.
  add_global_options(app, context);
  add_job_options(app, *context);
  add_task_options(app, *context);
  add_cell_options(app, *context);
  add_actor_options(app, *context);
  add_group_options(app, *context);
  add_limit_options(app, *context);
  add_debug_options(app, *context);
  add_trace_options(app, *context);
  add_run_options(app, *context);
  add_completion_options(app, *context);
  add_top_options(app, *context);
  add_console_options(app, *context);
  app.footer(exit_code_help);
}

int run_app(CLI::App& app, int argc, const char* const* argv, Surroundings& surroundings) {
  try {
    app.parse(argc, argv);
    return exit_ok;
  } catch (const CLI::RuntimeError& error) {
    return error.get_exit_code();
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, surroundings.out, surroundings.err);
    return code == 0 ? exit_ok : exit_usage;
  }
}

int run_cli(int argc, const char* const* argv, Surroundings& surroundings) {
  CLI::App app("Troupe: runs containers on a cell of hosts", "troupe");
  app.require_subcommand(1);
  add_client_commands(app, surroundings);
  return run_app(app, argc, argv, surroundings);
}

}  // namespace troupe::cli
