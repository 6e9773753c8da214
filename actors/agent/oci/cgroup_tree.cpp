#include "actors/agent/oci/cgroup_tree.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "actors/agent/process_tree.hpp"
#include "actors/agent/small_files.hpp"

namespace troupe::agent {
namespace {

constexpr int remove_round_ms = 10;
constexpr std::size_t cgroup_file_bytes_max = 4 << 20;

std::string read_text(const std::string& path) { return text_of_file(path, cgroup_file_bytes_max); }

std::vector<pid_t> members_of(const std::string& folder) {
  std::vector<pid_t> pids;
  const std::string text = read_text(folder + "/cgroup.procs");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    pid_t pid = 0;
    std::from_chars(text.data() + at, text.data() + end, pid);
    if (pid > 0) pids.push_back(pid);
    at = end + 1;
  }
  return pids;
}

Result<void> write_limits(const std::vector<CgroupWrite>& limits) {
  for (const CgroupWrite& limit : limits)
    if (!write_to_file(limit.file, limit.value) && !limit.is_optional)
      return Error{ErrorCode::io,
                   "cannot write " + limit.value + " to " + limit.file + ": " + std::strerror(errno)};
  return {};
}

}  // namespace

Result<CgroupLayout> cgroups_of_this_machine() {
  const std::string mounts = read_text("/proc/self/mountinfo");
  if (mounts.empty()) return Error{ErrorCode::io, "cannot read /proc/self/mountinfo"};
  const std::string v2 = cgroup2_mount(mounts);
  return cgroup_layout(mounts, v2.empty() ? std::string() : read_text(v2 + "/cgroup.controllers"));
}

Result<void> make_cgroups(const CgroupPlan& plan) {
  for (const auto* folders : {&plan.parents, &plan.folders})
    for (const std::string& folder : *folders)
      if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
        return Error{ErrorCode::io, "cannot make " + folder + ": " + std::strerror(errno)};
  return write_limits(plan.writes);
}

Result<void> set_late_limits(const CgroupPlan& plan) { return write_limits(plan.late_writes); }

Forked fork_into_core(const CgroupPlan& plan) {
  if (!plan.core.empty()) {
    const Fd core(open(plan.core.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    clone_args how{};
    how.flags = CLONE_INTO_CGROUP;
    how.exit_signal = SIGCHLD;
    how.cgroup = static_cast<std::uint64_t>(core.get());
    const auto pid = core.is_open() ? static_cast<pid_t>(syscall(SYS_clone3, &how, sizeof how)) : -1;
    if (pid >= 0) return {pid, Birth::in_core};
  }
  return {fork(), Birth::outside};  // A kernel before 5.7, or one that forbids it: the child moves itself.
}

int join_cgroups(const CgroupPlan& plan, Birth birth) {
  for (const std::string& folder : plan.folders) {
    const bool is_core = folder == plan.core;
    if (is_core && birth == Birth::in_core) continue;
    // In v1 a thread that moves itself needs no lock of the whole machine.
    if (!write_to_file(folder + (is_core ? "/cgroup.procs" : "/tasks"), "0")) return errno == 0 ? EIO : errno;
  }
  return 0;
}

std::uint64_t count_oom_kills(const CgroupPlan& plan) { return oom_kills_in(read_text(plan.oom_file)); }

void kill_cgroups(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    if (write_to_file(folder + "/cgroup.kill", "1")) continue;
    for (const pid_t pid : members_of(folder)) {
      // A pid may have been used again since it was read: it must still be a member when it is pinned.
      const Fd pidfd = open_pidfd(pid);
      const auto now = members_of(folder);
      const auto process = identify(pid);
      if (pidfd.is_open() && process && std::find(now.begin(), now.end(), pid) != now.end())
        signal_exactly(*process, SIGKILL);
    }
  }
}

std::size_t remove_cgroups(const std::vector<std::string>& folders) {
  std::vector<std::string> left = folders;
  for (int waited_ms = 0; waited_ms <= remove_wait_ms_max; waited_ms += remove_round_ms) {
    std::erase_if(left,
                  [](const std::string& folder) { return rmdir(folder.c_str()) == 0 || errno == ENOENT; });
    if (left.empty()) return 0;
    kill_cgroups(left);
    poll(nullptr, 0, remove_round_ms);  // The kernel tells nobody when a killed process has left its group.
  }
  std::size_t processes = 0;
  for (const std::string& folder : left) processes = std::max(processes, members_of(folder).size());
  return std::max<std::size_t>(processes, 1);
}

std::vector<std::string> names_below(const std::vector<std::string>& parents) {
  std::set<std::string> names;
  std::error_code problem;
  for (const std::string& parent : parents)
    for (const auto& entry : std::filesystem::directory_iterator(parent, problem))
      if (entry.is_directory(problem)) names.insert(entry.path().filename());
  return {names.begin(), names.end()};
}

}  // namespace troupe::agent
