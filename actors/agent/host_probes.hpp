#pragma once
// Whether this host is fit to run what it is given: looked at before it offers itself, and then always again.

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/time.hpp"

namespace troupe::agent {

/// Below or above these a host offers itself for nothing new; what runs there runs on.
struct ProbeLimits {
  double disk_free_min = 0.03;    ///< share of the file system that holds the agent's folder
  double inodes_free_min = 0.03;  ///< likewise
  double memory_available_min = 0.02;
  milliseconds late_max{5'000};         ///< a thread that wanted to run may wait so long for a cpu
  milliseconds clock_leap_max{10'000};  ///< of the wall clock against the steady one, between two looks
  std::size_t good_looks_min = 3;       ///< in a row, until a host that was unfit is fit again
};

/// What one look found. Shares are of 1; a total of 0 means that nothing is known.
struct HostLook {
  std::uint64_t disk_bytes = 0, disk_free_bytes = 0;
  std::uint64_t inodes = 0, inodes_free = 0;
  std::uint64_t memory_kib = 0, memory_available_kib = 0;
  milliseconds late{0};
  milliseconds clock_leap{0};
  std::string runtime_failure;  ///< empty: the container runtime answers
};

/// Pure: why a host with this look is unfit, one text per probe (disk, inodes, memory, cpu, clock, runtime);
/// empty: it is fit.
std::vector<std::string> problems_of(const HostLook& look, const ProbeLimits& limits);
/// Pure: MemTotal and MemAvailable of /proc/meminfo.
void read_memory(std::string_view meminfo, HostLook& look);
/// Looks at the machine; time is the caller's. `folder`: the agent's; `runtime`: a program that must answer
/// `--version`.
HostLook look_at_host(const std::string& folder, const std::string& runtime);

/// Looks in their order: what a look means for the host. Owner: one thread.
class HostFitness {
 public:
  explicit HostFitness(ProbeLimits limits) : limits_(limits) {}
  /// `waited`: how long the wait before this look was to be; the first look has none.
  const std::vector<std::string>& take(HostLook look, Instant wall, Moment now, milliseconds waited);
  const HostLook& latest() const { return latest_; }

 private:
  ProbeLimits limits_;
  HostLook latest_;
  std::vector<std::string> problems_;
  std::size_t good_looks_ = 0;
  bool has_looked_ = false;
  Instant wall_;
  Moment now_;
};

}  // namespace troupe::agent
