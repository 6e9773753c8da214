#pragma once

#include <string>

#include "storage/base/result.hpp"

namespace troupe::cli {

struct PlacementParams {
  std::string name = "basic";  ///< of a case, or "all"
  std::uint32_t hosts = 0;     ///< 0: as the case has it
  std::uint32_t tasks = 0;
  std::uint64_t seed = 1;
  std::string trace{};       ///< a folder with csv files of nodes and pods, instead of a case
  std::string make_trace{};  ///< a folder that such files are written to; `hosts` nodes and `tasks` pods
};
/// The placement engine alone, in this thread and in memory: the tasks of a case are queued, planned in
/// passes of at most 1,000, and settled as if the log had taken each plan at once. A line of JSON per case.
Result<std::string> bench_placement(const PlacementParams& params);
/// The names of the cases, each with its sentence.
std::string placement_case_list();

}  // namespace troupe::cli
