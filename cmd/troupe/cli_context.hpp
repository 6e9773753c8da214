#pragma once
// What every command stands on: the global options and the surroundings.

#include "cmd/troupe/cli_client.hpp"

namespace troupe::cli {

/// Owned by the App; not thread-safe, but each thread may make a CellClient of its own.
struct Context {
  Surroundings& io;
  Options options;
  std::vector<std::string> others{};  ///< addresses of the cell's other nodes, where known
  CellClient client() const { return CellClient(options, io); }
};

/// Prints the answer as it came, for --json.
void print_json(Context& context, const std::string& text);

/// Pages of a list, each handed to `visit`, until the last or until it answers false. `target` has a query
/// already.
constexpr int pages_max = 10'000;
Result<void> each_page(CellClient& client, const std::string& target,
                       const std::function<bool(const Answer&)>& visit);

enum class IdOf : std::uint8_t { job, task };
/// The whole id. A prefix is looked up among what lives; several or none with that prefix are an error.
Result<std::string> whole_id(CellClient& client, IdOf what, const std::string& id_or_prefix);

/// The caller to name when none is given: user@host.
std::string default_caller(const Surroundings& io);

}  // namespace troupe::cli
