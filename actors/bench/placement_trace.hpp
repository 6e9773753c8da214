#pragma once
// A recorded cluster, its nodes and its pods with their times, as csv: read, made up, and replayed.

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.hpp"
#include "storage/base/time.hpp"
#include "storage/model/resources.hpp"

namespace troupe::placement {

/// Gpus are counted in thousandths here: pods of such traces share them.
struct TraceNode {
  std::string name;
  Resources total;
  std::string model;  ///< of its gpus; empty: none
};
struct TracePod {
  std::string name;
  Resources resources;
  std::vector<std::string> models;  ///< that would do; none: any
  Instant begin;                    ///< when it asks for a place
  Instant end;                      ///< unset: it stays
};
struct Trace {
  std::vector<TraceNode> nodes;
  std::vector<TracePod> pods;  ///< by `begin`
};

/// Columns are found by their names, as the Alibaba open GPU trace has them: sn, cpu_milli, memory_mib, gpu,
/// model; name, cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec, creation_time, deletion_time (seconds).
/// Others are passed over; gpus, models and times may be missing. Errors: invalid_argument with the line.
Result<Trace> parse_trace(std::string_view nodes, std::string_view pods);
/// The first file of a folder, by name, with "node" in its name, and likewise "pod". Errors: not_found.
Result<Trace> read_trace(const std::string& folder);
/// A trace of that shape: few sizes of nodes with and without gpus, many small pods, gpus whole and shared.
Trace make_trace(std::size_t nodes, std::size_t pods, std::uint64_t seed);
std::string nodes_csv(const Trace& trace);
std::string pods_csv(const Trace& trace);

/// Somebody who places pods, by their numbers.
class TracePlacer {
 public:
  virtual ~TracePlacer() = default;
  virtual void ask(std::size_t pod) = 0;
  /// The pods that have a place since the last call.
  virtual std::vector<std::size_t> place() = 0;
  virtual void end(std::size_t pod) = 0;  ///< it had a place, or waited
};
struct TraceOutcome {
  std::size_t placed = 0;           ///< at once or later
  std::size_t placed_at_once = 0;   ///< when they asked
  std::size_t placed_with_gpu = 0;  ///< of `placed`, those that ask for gpus: the hardest to place
  std::int64_t share_milli =
      0;  ///< of all cpu, memory and gpu asked for, what was given, at the fullest moment
};
TraceOutcome replay(const Trace& trace, TracePlacer& placer);
TraceOutcome replay_engine(const Trace& trace);
/// Each pod goes where the least is left; who waits is tried again where something ended.
TraceOutcome replay_best_fit(const Trace& trace);

}  // namespace troupe::placement
