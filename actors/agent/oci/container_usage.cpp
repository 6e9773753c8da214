#include "actors/agent/oci/container_usage.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "actors/agent/oci/disk_quota.hpp"
#include "actors/agent/small_files.hpp"

namespace troupe::agent {
namespace {

constexpr std::size_t group_file_bytes_max = 64 * 1024;
constexpr std::uint64_t no_limit = ~0ULL;

std::optional<std::uint64_t> number_behind(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const char* begin = text.data() + at + word.size();
  if (std::from_chars(begin, text.data() + text.size(), value).ec != std::errc{}) return std::nullopt;
  return value;
}

/// Of the first of these files, in any of the container's groups, that is there.
std::string text_in(const ContainerPlan& plan, std::initializer_list<const char*> names) {
  for (const char* name : names)
    for (const std::string& folder : plan.cgroups.folders) {
      std::string text = text_of_file(folder + "/" + name, group_file_bytes_max);
      if (!text.empty()) return text;
    }
  return {};
}

using Value = std::function<std::optional<double>(const ContainerUsage&)>;

void put_tasks(std::string& out, const char* name, const char* type, const char* help,
               const std::vector<TaskUsage>& tasks, const Value& value, const std::string& more_labels = {}) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ");
  out.append(type).append("\n");
  for (const TaskUsage& one : tasks) {
    const auto number = value(one.usage);
    if (!number) continue;
    char text[64];
    std::snprintf(text, sizeof text, "%.17g", *number);
    out.append(name).append("{task=\"" + to_text(one.task) + "\",job=\"" + to_text(one.job) + "\"");
    out.append(more_labels).append("} ").append(text).append("\n");
  }
}

void put_host(std::string& out, const char* name, const char* help, std::uint64_t value) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name);
  out.append(" gauge\n").append(name).append(" ").append(std::to_string(value)).append("\n");
}

std::optional<double> seconds_of(const ContainerUsage& usage, const char* what,
                                 std::uint64_t Pressure::*which) {
  const auto found = usage.pressure.find(what);
  if (found == usage.pressure.end()) return std::nullopt;
  return static_cast<double>(found->second.*which) / 1e6;
}

}  // namespace

std::optional<Pressure> read_pressure(std::string_view text) {
  const std::size_t some = text.find("some "), full = text.find("full ");
  if (some == std::string_view::npos) return std::nullopt;
  const auto some_us = number_behind(text.substr(some, text.find('\n', some) - some), "total=");
  if (!some_us) return std::nullopt;
  Pressure pressure{*some_us, 0};
  if (full != std::string_view::npos)
    pressure.full_us = number_behind(text.substr(full), "total=").value_or(0);
  return pressure;
}

ContainerUsage sample_container(const ContainerPlan& plan, const std::string& work_folder) {
  ContainerUsage usage;
  // The v2 group counts processor time even where it controls nothing.
  if (const auto used = number_behind(text_in(plan, {"cpu.stat"}), "usage_usec "))
    usage.cpu_us = *used;
  else if (!plan.cgroups.core.empty())
    usage.cpu_us =
        number_behind(text_of_file(plan.cgroups.core + "/cpu.stat", group_file_bytes_max), "usage_usec ")
            .value_or(0);
  if (usage.cpu_us == 0)
    usage.cpu_us = number_behind(text_in(plan, {"cpuacct.usage"}), "").value_or(0) / 1'000;
  usage.memory_bytes =
      number_behind(text_in(plan, {"memory.usage_in_bytes", "memory.current"}), "").value_or(0);
  usage.processes = number_behind(text_in(plan, {"pids.current"}), "").value_or(0);
  usage.oom_kills = oom_kills_in(text_of_file(plan.cgroups.oom_file, group_file_bytes_max));
  for (const char* what : {"cpu", "memory", "io"})
    if (const auto found = read_pressure(text_in(plan, {(std::string(what) + ".pressure").c_str()})))
      usage.pressure[what] = *found;
  struct stat image {};
  if (plan.disk_image.empty())
    usage.disk_bytes = plan.disk_mb > 0 ? disk_use_of(work_folder + "/upper", no_limit) : 0;
  else if (stat(plan.disk_image.c_str(), &image) == 0)
    usage.disk_bytes = static_cast<std::uint64_t>(image.st_blocks) * 512;
  return usage;
}

std::string metrics_text(const HostLook& host, const std::vector<std::string>& problems,
                         const std::vector<TaskUsage>& tasks) {
  std::string out =
      "# HELP troupe_host_fit Whether the host offers itself for new tasks\n# TYPE troupe_host_fit gauge\n";
  out += std::string("troupe_host_fit ") + (problems.empty() ? "1\n" : "0\n");
  out +=
      "# HELP troupe_host_probe_failed The probes that find the host unfit\n# TYPE troupe_host_probe_failed "
      "gauge\n";
  for (const char* probe : {"disk", "inodes", "memory", "cpu", "clock", "runtime"}) {
    const bool has_failed = std::any_of(problems.begin(), problems.end(), [&](const std::string& one) {
      return one.starts_with(std::string(probe) + ":");
    });
    out += std::string("troupe_host_probe_failed{probe=\"") + probe + "\"} " + (has_failed ? "1\n" : "0\n");
  }
  put_host(out, "troupe_host_disk_free_bytes", "Of the file system with the agent's folder",
           host.disk_free_bytes);
  put_host(out, "troupe_host_inodes_free", "Of the same", host.inodes_free);
  put_host(out, "troupe_host_memory_available_bytes", "As the kernel says",
           host.memory_available_kib * 1'024);
  put_host(out, "troupe_host_containers", "That run here", tasks.size());
  put_tasks(out, "troupe_container_cpu_seconds_total", "counter", "Processor time", tasks,
            [](const ContainerUsage& u) { return static_cast<double>(u.cpu_us) / 1e6; });
  put_tasks(out, "troupe_container_memory_bytes", "gauge", "Memory in use", tasks,
            [](const ContainerUsage& u) { return static_cast<double>(u.memory_bytes); });
  put_tasks(out, "troupe_container_processes", "gauge", "Processes and threads", tasks,
            [](const ContainerUsage& u) { return static_cast<double>(u.processes); });
  put_tasks(out, "troupe_container_disk_bytes", "gauge", "What its writable layer takes on the host", tasks,
            [](const ContainerUsage& u) { return static_cast<double>(u.disk_bytes); });
  put_tasks(out, "troupe_container_oom_kills_total", "counter", "Processes killed for want of memory", tasks,
            [](const ContainerUsage& u) { return static_cast<double>(u.oom_kills); });
  for (const char* what : {"cpu", "memory", "io"}) {
    const std::string name = std::string("troupe_container_") + what + "_pressure_";
    put_tasks(out, (name + "some_seconds_total").c_str(), "counter", "Time in which some of it waited", tasks,
              [what](const ContainerUsage& u) { return seconds_of(u, what, &Pressure::some_us); });
    put_tasks(out, (name + "full_seconds_total").c_str(), "counter", "Time in which all of it waited", tasks,
              [what](const ContainerUsage& u) { return seconds_of(u, what, &Pressure::full_us); });
  }
  return out;
}

}  // namespace troupe::agent
