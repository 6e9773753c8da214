// Control groups of v1, hybrid and v2 machines from one plan.

#include "actors/agent/oci/cgroup_plan.hpp"

#include <gmock/gmock.h>

namespace troupe::agent {
namespace {

using ::testing::ElementsAre;

constexpr const char* hybrid_mounts =
    "30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
    "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "33 30 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
    "34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
constexpr const char* v2_mounts =
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

CgroupPlan plan_for(const char* mounts, const char* v2_controllers) {
  return cgroup_plan(cgroup_layout(mounts, v2_controllers), "troupe-1", "task", {250, 64 << 20, 100});
}

std::string value_in(const std::vector<CgroupWrite>& writes, const std::string& file) {
  for (const CgroupWrite& limit : writes)
    if (limit.file == file) return limit.value;
  return "absent";
}
std::string value_of(const CgroupPlan& plan, const std::string& file) { return value_in(plan.writes, file); }
std::string late_value_of(const CgroupPlan& plan, const std::string& file) {
  return value_in(plan.late_writes, file);
}

TEST(CgroupPlan, UsesTheOldHierarchiesOfAHybridMachineAndItsNewOneToKill) {
  const CgroupPlan plan = plan_for(hybrid_mounts, "hugetlb\n");
  EXPECT_THAT(plan.folders,
              ElementsAre("/sys/fs/cgroup/cpu,cpuacct/troupe-1/task", "/sys/fs/cgroup/memory/troupe-1/task",
                          "/sys/fs/cgroup/pids/troupe-1/task", "/sys/fs/cgroup/unified/troupe-1/task"));
  EXPECT_EQ(late_value_of(plan, "/sys/fs/cgroup/cpu,cpuacct/troupe-1/task/cpu.cfs_quota_us"), "25000");
  EXPECT_EQ(value_of(plan, "/sys/fs/cgroup/memory/troupe-1/task/memory.limit_in_bytes"), "67108864");
  EXPECT_EQ(value_of(plan, "/sys/fs/cgroup/pids/troupe-1/task/pids.max"), "100");
  EXPECT_EQ(value_of(plan, "/sys/fs/cgroup/unified/cgroup.subtree_control"), "absent");
  EXPECT_EQ(plan.core, "/sys/fs/cgroup/unified/troupe-1/task");
  EXPECT_EQ(plan.hidden, "/sys/fs/cgroup/unified");
  EXPECT_EQ(plan.oom_file, "/sys/fs/cgroup/memory/troupe-1/task/memory.oom_control");
}

TEST(CgroupPlan, DelegatesTheControllersOfAPureV2MachineAndHidesNothing) {
  const CgroupPlan plan = plan_for(v2_mounts, "cpuset cpu io memory pids");
  EXPECT_THAT(plan.parents, ElementsAre("/sys/fs/cgroup/troupe-1"));
  EXPECT_THAT(plan.folders, ElementsAre("/sys/fs/cgroup/troupe-1/task"));
  EXPECT_EQ(value_of(plan, "/sys/fs/cgroup/cgroup.subtree_control"), "+cpu +memory +pids");
  EXPECT_EQ(value_of(plan, "/sys/fs/cgroup/troupe-1/cgroup.subtree_control"), "+cpu +memory +pids");
  EXPECT_EQ(late_value_of(plan, "/sys/fs/cgroup/troupe-1/task/cpu.max"), "25000 100000");
  EXPECT_EQ(value_of(plan, "/sys/fs/cgroup/troupe-1/task/memory.max"), "67108864");
  EXPECT_EQ(plan.hidden, "");
  EXPECT_EQ(plan.oom_file, "/sys/fs/cgroup/troupe-1/task/memory.events");
}

TEST(CgroupPlan, NamesTheControllersThatNobodyHas) {
  EXPECT_TRUE(missing_controllers(cgroup_layout(hybrid_mounts, "hugetlb")).empty());
  EXPECT_TRUE(missing_controllers(cgroup_layout(v2_mounts, "cpu memory pids")).empty());
  EXPECT_THAT(missing_controllers(cgroup_layout(v2_mounts, "hugetlb")), ElementsAre("cpu", "memory", "pids"));
  EXPECT_THAT(missing_controllers(cgroup_layout("", "")), ElementsAre("cpu", "memory", "pids"));
}

TEST(CgroupPlan, TheRuntimesOwnWorkIsNotHeldToTheContainersShareOfACpu) {
  for (const auto* mounts : {hybrid_mounts, v2_mounts}) {
    const CgroupPlan plan = plan_for(mounts, "cpu memory pids");
    ASSERT_EQ(plan.late_writes.size(), 1U);
    EXPECT_FALSE(plan.late_writes.front().is_optional);
    for (const CgroupWrite& limit : plan.writes)
      EXPECT_EQ(limit.file.find("quota"), std::string::npos) << limit.file;
  }
}

TEST(CgroupPlan, APlanOfAnEarlierBuildIsReadStill) {
  CgroupPlan plan = plan_for(v2_mounts, "cpu memory pids");
  plan.late_writes.clear();
  const Bytes bytes = packed(plan);
  EXPECT_EQ(bytes.front(), '\x96') << "its six first fields alone";
  EXPECT_EQ(unpacked<CgroupPlan>(bytes).value(), plan);
}

TEST(CgroupPlan, OnlyWhatAKernelMayLackIsOptional) {
  for (const auto* mounts : {hybrid_mounts, v2_mounts})
    for (const CgroupWrite& limit : plan_for(mounts, "cpu memory pids").writes)
      EXPECT_EQ(limit.is_optional,
                limit.file.find("swap") != std::string::npos || limit.file.find("memsw") != std::string::npos)
          << limit.file;
}

TEST(CgroupPlan, NeverAsksForLessProcessorThanTheKernelTakes) {
  const auto plan = cgroup_plan(cgroup_layout(v2_mounts, "cpu memory pids"), "p", "t", {1, 1, 1});
  EXPECT_EQ(late_value_of(plan, "/sys/fs/cgroup/p/t/cpu.max"), "1000 100000");
  EXPECT_EQ(value_of(plan, "/sys/fs/cgroup/p/t/cpu.weight"), "1");
}

TEST(CgroupPlan, CountsKillsForWantOfMemoryInBothForms) {
  EXPECT_EQ(oom_kills_in("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), 3U);
  EXPECT_EQ(oom_kills_in("low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 0\n"), 2U);
  EXPECT_EQ(oom_kills_in("oom_kill_disable 1\nunder_oom 0\n"), 0U);
  EXPECT_EQ(oom_kills_in("oom_kill"), 0U);
  EXPECT_EQ(oom_kills_in(""), 0U);
}

}  // namespace
}  // namespace troupe::agent
