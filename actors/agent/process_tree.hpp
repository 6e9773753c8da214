#pragma once
// Finding and signalling exactly the processes that are meant. A pid alone names nobody: it is used again.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::agent {

struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< since boot; with the pid it names one process
  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

std::optional<ProcessId> identify(pid_t pid);
/// Children of `root`, their children and so on, zombies left out.
std::vector<ProcessId> descendants_of(pid_t root);
/// Processes that were started with this "NAME=value" in their environment, zombies left out.
std::vector<ProcessId> processes_marked(std::string_view variable);
/// False: that process is gone already.
bool signal_exactly(const ProcessId& process, int signal);
/// SIGKILLs them all, and what they start meanwhile, and waits until they are gone, for kill_wait_ms_max at
/// most. Returns how many are left: processes that the kernel cannot end now.
std::size_t kill_marked(std::string_view variable);
constexpr int kill_wait_ms_max = 2'000;

/// An owned descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// Of a living process; not open when there is none.
Fd open_pidfd(pid_t pid);

}  // namespace troupe::agent
