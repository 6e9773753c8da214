#include "actors/agent/process_tree.hpp"

#include <dirent.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "actors/agent/small_files.hpp"

namespace troupe::agent {
namespace {

constexpr std::size_t environ_bytes_max = 4 << 20;  // Linux allows 2 MiB by default.

std::string read_proc(pid_t pid, const char* name, std::size_t bytes_max) {
  return text_of_file("/proc/" + std::to_string(pid) + "/" + name, bytes_max);
}

struct Stat {
  char state = 'X';
  pid_t parent = 0;
  std::uint64_t start_ticks = 0;
};

// Fields are counted behind the last ')': a program's name may hold blanks and parentheses.
std::optional<Stat> read_stat(pid_t pid) {
  const std::string text = read_proc(pid, "stat", 4'096);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return std::nullopt;
  Stat stat;
  std::size_t at = name_end + 2;
  for (int number = 3; number <= 22 && at < text.size(); ++number) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const char* from = text.data() + at;
    const char* to = text.data() + end;
    if (number == 3) stat.state = *from;
    if (number == 4) std::from_chars(from, to, stat.parent);
    if (number == 22) std::from_chars(from, to, stat.start_ticks);
    at = end + 1;
  }
  return stat;
}

bool is_alive(const Stat& stat) { return stat.state != 'Z' && stat.state != 'X'; }

template <class Visit>
void each_process(Visit visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (!proc) return;
  while (const dirent* entry = readdir(proc.get())) {
    pid_t pid = 0;
    const std::string_view name = entry->d_name;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && end == name.data() + name.size()) visit(pid);
  }
}

bool has_variable(pid_t pid, std::string_view variable) {
  const std::string environment = read_proc(pid, "environ", environ_bytes_max);
  for (std::size_t at = 0; at < environment.size();) {
    const std::size_t end = std::min(environment.find('\0', at), environment.size());
    if (std::string_view(environment).substr(at, end - at) == variable) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

void Fd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

Fd open_pidfd(pid_t pid) { return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

std::optional<ProcessId> identify(pid_t pid) {
  const auto stat = read_stat(pid);
  if (!stat) return std::nullopt;
  return ProcessId{pid, stat->start_ticks};
}

std::vector<ProcessId> descendants_of(pid_t root) {
  std::map<pid_t, Stat> all;
  std::multimap<pid_t, pid_t> children;
  each_process([&](pid_t pid) {
    if (const auto stat = read_stat(pid)) {
      all[pid] = *stat;
      children.emplace(stat->parent, pid);
    }
  });
  std::vector<ProcessId> found;
  std::vector<pid_t> open_ends{root};
  while (!open_ends.empty() && found.size() <= all.size()) {
    const pid_t parent = open_ends.back();
    open_ends.pop_back();
    for (auto [child, end] = children.equal_range(parent); child != end; ++child) {
      open_ends.push_back(child->second);
      const Stat& stat = all[child->second];
      if (is_alive(stat)) found.push_back({child->second, stat.start_ticks});
    }
  }
  return found;
}

std::vector<ProcessId> processes_marked(std::string_view variable) {
  std::vector<ProcessId> found;
  each_process([&](pid_t pid) {
    const auto stat = read_stat(pid);
    if (stat && is_alive(*stat) && pid != getpid() && has_variable(pid, variable))
      found.push_back({pid, stat->start_ticks});
  });
  return found;
}

bool signal_exactly(const ProcessId& process, int signal) {
  // The descriptor pins whoever has this pid now; the start time then tells whether it is the one meant.
  const Fd pidfd = open_pidfd(process.pid);
  if (!pidfd.is_open() || identify(process.pid) != process) return false;
  return syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

std::size_t kill_marked(std::string_view variable) {
  constexpr int round_ms = 20;
  std::vector<ProcessId> left = processes_marked(variable);
  for (int waited_ms = 0; !left.empty() && waited_ms < kill_wait_ms_max; waited_ms += round_ms) {
    for (const ProcessId& process : left) {
      signal_exactly(process, SIGKILL);
      const Fd pidfd = open_pidfd(process.pid);
      if (!pidfd.is_open() || identify(process.pid) != process) continue;
      pollfd gone{pidfd.get(), POLLIN, 0};
      poll(&gone, 1, round_ms);
    }
    left = processes_marked(variable);
  }
  return left.size();
}

}  // namespace troupe::agent
