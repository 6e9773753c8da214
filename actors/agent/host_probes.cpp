#include "actors/agent/host_probes.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "actors/agent/small_files.hpp"
#include "actors/agent/spawn.hpp"

namespace troupe::agent {
namespace {

std::uint64_t value_after(std::string_view text, std::string_view name) {
  std::size_t at = text.find(name);
  if (at == std::string_view::npos) return 0;
  at = text.find_first_of("0123456789", at + name.size());
  std::uint64_t value = 0;
  if (at != std::string_view::npos) std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

void check_share(std::uint64_t free, std::uint64_t total, double min, const char* what,
                 std::vector<std::string>& problems) {
  if (total == 0 || static_cast<double>(free) >= min * static_cast<double>(total)) return;
  char text[96];
  std::snprintf(text, sizeof text, "%s: %.1f %% free, less than %.1f %%", what,
                100.0 * static_cast<double>(free) / static_cast<double>(total), 100.0 * min);
  problems.emplace_back(text);
}

std::string failure_of(const std::string& runtime) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  const auto pid = spawn_bare({runtime, "--version"}, actions);
  posix_spawn_file_actions_destroy(&actions);
  if (!pid.ok()) return pid.error().message;
  int status = 1;
  while (waitpid(pid.value(), &status, 0) < 0 && errno == EINTR) continue;
  return status == 0 ? std::string() : runtime + " does not answer";
}

milliseconds distance(milliseconds a, milliseconds b) { return a > b ? a - b : b - a; }

}  // namespace

std::vector<std::string> problems_of(const HostLook& look, const ProbeLimits& limits) {
  std::vector<std::string> problems;
  check_share(look.disk_free_bytes, look.disk_bytes, limits.disk_free_min, "disk", problems);
  check_share(look.inodes_free, look.inodes, limits.inodes_free_min, "inodes", problems);
  check_share(look.memory_available_kib, look.memory_kib, limits.memory_available_min, "memory", problems);
  if (look.late > limits.late_max)
    problems.push_back("cpu: a thread waited " + std::to_string(look.late.count()) + " ms for one");
  if (look.clock_leap > limits.clock_leap_max)
    problems.push_back("clock: it leapt by " + std::to_string(look.clock_leap.count()) + " ms");
  if (!look.runtime_failure.empty()) problems.push_back("runtime: " + look.runtime_failure);
  return problems;
}

void read_memory(std::string_view meminfo, HostLook& look) {
  look.memory_kib = value_after(meminfo, "MemTotal:");
  look.memory_available_kib = value_after(meminfo, "MemAvailable:");
}

HostLook look_at_host(const std::string& folder, const std::string& runtime) {
  HostLook look;
  struct statvfs found {};
  if (statvfs(folder.c_str(), &found) == 0) {
    look.disk_bytes = static_cast<std::uint64_t>(found.f_blocks) * found.f_frsize;
    look.disk_free_bytes = static_cast<std::uint64_t>(found.f_bfree) * found.f_frsize;
    look.inodes = found.f_files;
    look.inodes_free = found.f_ffree;
  }
  read_memory(text_of_file("/proc/meminfo", 16 * 1024), look);
  look.runtime_failure = failure_of(runtime);
  return look;
}

const std::vector<std::string>& HostFitness::take(HostLook look, Instant wall, Moment now,
                                                  milliseconds waited) {
  if (has_looked_) {
    const auto steady = std::chrono::duration_cast<milliseconds>(now - now_);
    look.late = std::max(milliseconds(0), steady - waited);
    look.clock_leap = distance(wall - wall_, steady);
  }
  latest_ = look;
  auto found = problems_of(look, limits_);
  good_looks_ = found.empty() ? good_looks_ + 1 : 0;
  const bool is_first = !has_looked_;
  has_looked_ = true;
  wall_ = wall;
  now_ = now;
  // One good look among bad ones would have tasks come and go.
  if (!found.empty() || is_first || good_looks_ >= limits_.good_looks_min) problems_ = std::move(found);
  return problems_;
}

}  // namespace troupe::agent
