#pragma once
// `troupe bench NAME`: measures, and prints one JSON object per line: {"bench", "params", "figures"}.

namespace CLI {
class App;
}

namespace troupe::cli {

void add_bench_commands(CLI::App& app);

}  // namespace troupe::cli
