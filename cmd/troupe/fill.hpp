#pragma once
// `troupe fill`: the folders of a cell that has lived long, without living it.

#include <cstdint>
#include <string>

#include "storage/base/result.hpp"

namespace troupe::cli {

struct FillParams {
  std::string folder;  ///< made; must hold no nodes
  std::uint32_t live_tasks = 100'000;
  std::uint32_t archived_tasks = 0;
  std::uint32_t nodes = 1;
  std::uint32_t hosts = 1'000;
  std::uint64_t seed = 1;
};

struct Filled {
  std::uint64_t live_tasks = 0;  ///< rounded up to whole jobs
  std::uint64_t archived_tasks = 0;
  std::uint64_t index = 0;  ///< applied, and the end of the log
  std::string hash;         ///< of the current state
};

/// Writes FOLDER/node-1 and so on, as `troupe up --data FOLDER` and `data:` of a node's file take them: a
/// state, and a log that begins behind it. Live tasks are Started, of service jobs, on disconnected hosts
/// whose tasks are not declared lost; the archive holds killed batch jobs of the last thirty days. Errors:
/// io, invalid_argument (the folder has nodes already).
Result<Filled> fill(const FillParams& params);
/// The same in a process of its own, whose memory goes with it. Errors: io (it says why on standard error).
Result<void> fill_apart(const FillParams& params);
/// What a bench runs on: the folder that its user has filled, or, when that is empty, `params.folder`, filled
/// apart unless no tasks are asked for. Errors: as above.
Result<std::string> filled_folder(const std::string& of_user, const FillParams& params);

}  // namespace troupe::cli
