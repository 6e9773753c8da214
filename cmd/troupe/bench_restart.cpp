#include "cmd/troupe/bench_restart.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "cmd/troupe/bench_cell.hpp"
#include "cmd/troupe/fill.hpp"

namespace troupe::cli {
namespace {

/// So that a restart reads the disk. The host of a virtual machine may still remember.
void forget_pages(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ignored)) {
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    ::fdatasync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

}  // namespace

Result<std::string> bench_restart(const RestartParams& params) {
  const ScratchFolder scratch;
  const auto filled = filled_folder(params.folder, {.folder = scratch.path() + "/cell",
                                                    .live_tasks = params.live_tasks,
                                                    .archived_tasks = params.archived_tasks});
  if (!filled.ok()) return filled.error();
  const std::string& folder = filled.value();
  auto cell = BenchCell::make(folder, 1);
  if (!cell.ok()) return cell.error();
  const SystemClock clock;
  std::vector<double> seconds;
  double rss = 0;
  for (std::uint32_t n = 0; n < params.trials; ++n) {
    forget_pages(folder);
    const Moment before = clock.steady();
    if (auto started = cell.value()->start(1); !started.ok()) return started.error();
    if (!cell.value()->await_serving(1, cell_patience))
      return Error{ErrorCode::unavailable, "the node did not serve in time"};
    seconds.push_back(seconds_of(clock.steady() - before));
    rss = cell.value()->rss_mb(1);
    cell.value()->kill(1);
  }
  BenchLine out("restart");
  out.param("live_tasks", params.live_tasks);
  out.param("archived_tasks", params.archived_tasks);
  out.param("trials", params.trials);
  out.begin_figures();
  out.figure("seconds", percentile(seconds, 0.5));
  out.figure("min_seconds", percentile(seconds, 0));
  out.figure("max_seconds", percentile(seconds, 1));
  out.figure("rss_mb", rss);
  return out.take();
}

}  // namespace troupe::cli
