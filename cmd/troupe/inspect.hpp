#pragma once
// `troupe inspect`: what is on a node's disk, read and verified without a running node and without changing a
// byte.

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace troupe::cli {

/// Exit codes: 0 sound, 1 damaged (what, is printed), 2 usage, 3 there is nothing of the kind, 70 it cannot
/// be read.
struct Inspect {
  /// A node's folder, or the database's or backup's own.
  std::string folder{};
  bool wants_json = false;  ///< one object per line; the last one is the verdict
  /// Of the log: which entries are printed. All are verified. Neither given: the last ten.
  std::optional<std::uint64_t> from{}, to{};
};
struct InspectOutput {
  std::ostream& out;
  std::ostream& err;
};

int inspect_log(const Inspect& args, const InspectOutput& output);
int inspect_state(const Inspect& args, const InspectOutput& output);
int inspect_snapshot(const Inspect& args, const InspectOutput& output);

void add_inspect_commands(CLI::App& app);
void add_skip_command(CLI::App& app);  ///< Under `cell`, which must be there.

}  // namespace troupe::cli
