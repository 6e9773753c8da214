#pragma once
// The commands that run something: up, node, agent, settings.

namespace CLI {
class App;
}

namespace troupe::cli {

/// Each runs until SIGTERM or SIGINT and throws CLI::RuntimeError with its exit code when it cannot.
void add_server_commands(CLI::App& app);

}  // namespace troupe::cli
