#pragma once
// The client's half of the command line: it talks to a cell over HTTP and knows nothing of what is inside.

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "storage/base/time.hpp"

namespace CLI {
class App;
}

namespace troupe::cli {

// ---- exit codes ----
constexpr int exit_ok = 0;
constexpr int exit_failed = 1;  ///< the job failed (`job run` answers the task's own code where it has one)
constexpr int exit_usage = 2;
constexpr int exit_not_found = 3;
constexpr int exit_refused = 4;       ///< invalid, or not now
constexpr int exit_unavailable = 69;  ///< no node answers
constexpr int exit_internal = 70;
constexpr int exit_try_again = 75;  ///< not placed, over a limit, or its outcome is unknown
constexpr int exit_timeout = 124;
constexpr int exit_interrupted = 130;

enum class Signals : std::uint8_t { leave, handle };

/// What the program touches besides the network, so that tests can stand in for it. Must outlive the App.
struct Surroundings {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  std::function<void(milliseconds)> pause;
  std::function<std::optional<std::string>(const std::string&)> environment;
  const Clock& clock;
  Signals signals = Signals::leave;  ///< handle: `job run` ends its job on SIGINT and SIGTERM
  bool has_person = false;           ///< somebody at a terminal reads `err` and answers on `in`
};
/// The process's own. SIGINT and SIGTERM are handled.
Surroundings& process_surroundings();

/// Adds the global options and the subcommands job, task, host, cell, events and debug. A command that does
/// not end well throws CLI::RuntimeError with its exit code from App::parse(): see run_app.
void add_client_commands(CLI::App& app, Surroundings& surroundings = process_surroundings());

/// Parses and runs; exit codes as above. Help goes to `out`, complaints about usage to `err`.
int run_app(CLI::App& app, int argc, const char* const* argv,
            Surroundings& surroundings = process_surroundings());

/// Only the client's commands.
int run_cli(int argc, const char* const* argv, Surroundings& surroundings = process_surroundings());

}  // namespace troupe::cli
