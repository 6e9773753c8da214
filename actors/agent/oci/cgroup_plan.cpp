#include "actors/agent/oci/cgroup_plan.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::agent {
namespace {

constexpr std::int64_t cpu_period_us = 100'000;
constexpr std::int64_t cpu_quota_us_min = 1'000;  // the kernel takes no less
constexpr const char* needed[] = {"cpu", "memory", "pids"};

std::vector<std::string_view> words_of(std::string_view text, std::string_view blanks) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = text.find_first_not_of(blanks, at);
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(text.find_first_of(blanks, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    at = end;
  }
  return words;
}

struct Mounted {
  std::string_view point, type, options;
};

/// "36 35 98:0 /root /point options [optional ...] - type source super-options"
std::vector<Mounted> cgroup_mounts(std::string_view mountinfo) {
  std::vector<Mounted> found;
  for (const std::string_view line : words_of(mountinfo, "\n")) {
    const auto words = words_of(line, " ");
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 5 || words.end() - dash < 4) continue;
    const std::string_view type = dash[1];
    if (type == "cgroup" || type == "cgroup2") found.push_back({words[4], type, dash[3]});
  }
  return found;
}

/// v1 is asked first: where both have a controller's mount, only one of them owns it.
const std::string* v1_folder(const CgroupLayout& layout, const std::string& controller) {
  const auto found = layout.v1.find(controller);
  return found == layout.v1.end() ? nullptr : &found->second;
}

std::vector<std::string> roots_of(const CgroupLayout& layout) {
  std::vector<std::string> roots;
  for (const char* controller : needed) {
    const std::string* v1 = v1_folder(layout, controller);
    if (v1 && std::find(roots.begin(), roots.end(), *v1) == roots.end()) roots.push_back(*v1);
  }
  if (!layout.v2.empty()) roots.push_back(layout.v2);
  return roots;
}

void plan_cpu(const CgroupLayout& layout, const std::string& below, const CgroupLimits& limits,
              CgroupPlan& plan) {
  const std::int64_t quota = std::max(limits.cpu_milli * cpu_period_us / 1'000, cpu_quota_us_min);
  if (const std::string* v1 = v1_folder(layout, "cpu")) {
    plan.writes.push_back({*v1 + below + "/cpu.cfs_period_us", std::to_string(cpu_period_us)});
    plan.late_writes.push_back({*v1 + below + "/cpu.cfs_quota_us", std::to_string(quota)});
    const std::int64_t shares = std::clamp<std::int64_t>(limits.cpu_milli * 1'024 / 1'000, 2, 262'144);
    plan.writes.push_back({*v1 + below + "/cpu.shares", std::to_string(shares)});
  } else {
    plan.late_writes.push_back(
        {layout.v2 + below + "/cpu.max", std::to_string(quota) + " " + std::to_string(cpu_period_us)});
    const std::int64_t weight = std::clamp<std::int64_t>(limits.cpu_milli / 10, 1, 10'000);
    plan.writes.push_back({layout.v2 + below + "/cpu.weight", std::to_string(weight)});
  }
}

void plan_memory(const CgroupLayout& layout, const std::string& below, const CgroupLimits& limits,
                 CgroupPlan& plan) {
  const std::string bytes = std::to_string(limits.memory_bytes);
  if (const std::string* v1 = v1_folder(layout, "memory")) {
    plan.writes.push_back({*v1 + below + "/memory.limit_in_bytes", bytes});
    plan.writes.push_back({*v1 + below + "/memory.memsw.limit_in_bytes", bytes, true});
    plan.oom_file = *v1 + below + "/memory.oom_control";
  } else {
    plan.writes.push_back({layout.v2 + below + "/memory.max", bytes});
    plan.writes.push_back({layout.v2 + below + "/memory.swap.max", "0", true});
    plan.oom_file = layout.v2 + below + "/memory.events";
  }
}

/// In v2 a child has only the controllers that each of its parents passes on.
void plan_v2_delegation(const CgroupLayout& layout, const std::string& parent, CgroupPlan& plan) {
  std::string wanted;
  for (const char* controller : needed)
    if (!v1_folder(layout, controller)) wanted.append(wanted.empty() ? "+" : " +").append(controller);
  if (wanted.empty()) return;
  plan.writes.push_back({layout.v2 + "/cgroup.subtree_control", wanted});
  plan.writes.push_back({layout.v2 + "/" + parent + "/cgroup.subtree_control", wanted});
}

}  // namespace

std::string cgroup2_mount(std::string_view mountinfo) {
  for (const Mounted& mounted : cgroup_mounts(mountinfo))
    if (mounted.type == "cgroup2") return std::string(mounted.point);
  return {};
}

CgroupLayout cgroup_layout(std::string_view mountinfo, std::string_view v2_controllers) {
  CgroupLayout layout;
  layout.v2 = cgroup2_mount(mountinfo);
  for (const std::string_view controller : words_of(v2_controllers, " \n"))
    layout.v2_controllers.emplace(controller);
  for (const Mounted& mounted : cgroup_mounts(mountinfo)) {
    if (mounted.type != "cgroup") continue;
    for (const std::string_view option : words_of(mounted.options, ","))
      layout.v1.emplace(std::string(option), std::string(mounted.point));
  }
  return layout;
}

std::vector<std::string> missing_controllers(const CgroupLayout& layout) {
  std::vector<std::string> missing;
  for (const char* controller : needed)
    if (!v1_folder(layout, controller) && !layout.v2_controllers.contains(controller))
      missing.emplace_back(controller);
  return missing;
}

CgroupPlan cgroup_plan(const CgroupLayout& layout, const std::string& parent, const std::string& name,
                       const CgroupLimits& limits) {
  CgroupPlan plan;
  const std::string below = "/" + parent + "/" + name;
  for (const std::string& root : roots_of(layout)) {
    plan.parents.push_back(root + "/" + parent);
    plan.folders.push_back(root + below);
  }
  plan_v2_delegation(layout, parent, plan);
  plan_cpu(layout, below, limits, plan);
  plan_memory(layout, below, limits, plan);
  const std::string* pids = v1_folder(layout, "pids");
  plan.writes.push_back({(pids ? *pids : layout.v2) + below + "/pids.max", std::to_string(limits.pids_max)});
  if (!layout.v2.empty()) plan.core = layout.v2 + below;
  if (!layout.v2.empty() && !layout.v1.empty()) plan.hidden = layout.v2;
  return plan;
}

std::vector<std::string> cgroup_parents(const CgroupLayout& layout, const std::string& parent) {
  std::vector<std::string> folders;
  for (const std::string& root : roots_of(layout)) folders.push_back(root + "/" + parent);
  return folders;
}

std::uint64_t oom_kills_in(std::string_view text) {
  const auto words = words_of(text, " \n");
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    std::uint64_t count = 0;
    if (words[i] == "oom_kill" &&
        std::from_chars(words[i + 1].data(), words[i + 1].data() + words[i + 1].size(), count).ec ==
            std::errc{})
      return count;
  }
  return 0;
}

}  // namespace troupe::agent
