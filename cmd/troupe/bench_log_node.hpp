#pragma once
// One node of `bench log`, in this process or in one of its own; both are asked alike.

#include <memory>
#include <string>
#include <vector>

#include "actors/bench/log_node.hpp"

namespace troupe::cli {

/// Where a node of `bench log` lives and who the others are.
struct LogNodeSpec {
  std::uint32_t self = 1;
  std::vector<std::string> peers;  ///< "host:port" of nodes 1, 2, … (this one's own among them)
  std::string data;
  std::uint32_t threads = 2;
  static constexpr auto fields() {
    using S = LogNodeSpec;
    return field_list(field("self", &S::self), field("peers", &S::peers), field("data", &S::data),
                      field("threads", &S::threads));
  }
};

/// Run a load, or none, then say how you stand.
struct LogAsk {
  std::optional<bench::Load> load;
  static constexpr auto fields() { return field_list(field("load", &LogAsk::load)); }
};

struct LogAnswer {
  std::string error;  ///< empty: well
  bench::LoadFigures load;
  bool leads = false;
  std::uint64_t commit = 0;
  std::uint64_t applied = 0;
  std::uint64_t syncs = 0;          ///< of the log
  std::uint64_t bytes_written = 0;  ///< likewise
  std::uint64_t cpu_us = 0;         ///< of its process
  std::string hash;                 ///< of the whole state; equal on all nodes at equal `applied`
  static constexpr auto fields() {
    using A = LogAnswer;
    return field_list(field("error", &A::error), field("load", &A::load), field("leads", &A::leads),
                      field("commit", &A::commit), field("applied", &A::applied), field("syncs", &A::syncs),
                      field("bytes_written", &A::bytes_written), field("cpu_us", &A::cpu_us),
                      field("hash", &A::hash));
  }
};

class LogBenchNode {
 public:
  virtual ~LogBenchNode() = default;
  /// Blocks while a load runs. Error: io (its process has died).
  virtual Result<LogAnswer> ask(const LogAsk& ask) = 0;
};

/// Errors: io, corrupt.
Result<std::unique_ptr<LogBenchNode>> open_log_node(const LogNodeSpec& spec);
Result<std::unique_ptr<LogBenchNode>> spawn_log_node(const LogNodeSpec& spec);
/// What a process started by spawn_log_node does: answers on standard output until its input ends.
int serve_log_node();

/// Hex of the shards' hashes, combined.
std::string state_hash(const Reads& reads);

}  // namespace troupe::cli
