// What a container uses, from files like the kernel's, and how it is told.

#include "actors/agent/oci/container_usage.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/storage/base/temp_folder.hpp"

namespace troupe::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ContainerUsage, PressureIsTheTimeThatSomeOrAllWaited) {
  const auto cpu = read_pressure(
      "some avg10=0.00 avg60=0.12 avg300=0.05 total=1234567\nfull avg10=0.00 avg60=0.00 avg300=0.00 "
      "total=89\n");
  EXPECT_EQ(cpu, (Pressure{1'234'567, 89}));
  EXPECT_EQ(read_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"), (Pressure{7, 0}));
  EXPECT_EQ(read_pressure(""), std::nullopt);
  EXPECT_EQ(read_pressure("some avg10=0.00"), std::nullopt);
}

TEST(ContainerUsage, IsReadFromBothGenerationsOfControlGroups) {
  const TempFolder folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder.file(name)).parent_path());
    std::ofstream(folder.file(name)) << text;
  };
  write("v1/cpu.stat", "nr_periods 3\n");
  write("v1/memory.usage_in_bytes", "4096\n");
  write("v1/pids.current", "5\n");
  write("v1/memory.oom_control", "oom_kill_disable 0\noom_kill 2\n");
  write("v2/cpu.stat", "usage_usec 1500\nuser_usec 1\n");
  write("v2/cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  ContainerPlan plan;
  plan.cgroups.folders = {folder.file("v1"), folder.file("v2")};
  plan.cgroups.core = folder.file("v2");
  plan.cgroups.oom_file = folder.file("v1/memory.oom_control");
  const ContainerUsage usage = sample_container(plan, folder.path());
  EXPECT_EQ(usage.cpu_us, 1'500U);
  EXPECT_EQ(usage.memory_bytes, 4'096U);
  EXPECT_EQ(usage.processes, 5U);
  EXPECT_EQ(usage.oom_kills, 2U);
  EXPECT_EQ(usage.pressure.at("cpu").some_us, 7U);
  EXPECT_FALSE(usage.pressure.contains("io"));
  const ContainerUsage gone = sample_container({}, folder.file("none"));
  EXPECT_EQ(gone.cpu_us + gone.memory_bytes + gone.disk_bytes, 0U);
}

TEST(ContainerUsage, IsToldInPrometheusText) {
  TaskUsage one;
  one.usage.cpu_us = 1'500'000;
  one.usage.pressure["io"] = {2'000'000, 1'000'000};
  const std::string text = metrics_text({}, {"disk: 1.0 % free, less than 3.0 %"}, {one});
  const std::string labels = "{task=\"" + to_text(one.task) + "\",job=\"" + to_text(one.job) + "\"}";
  EXPECT_THAT(text, HasSubstr("troupe_container_cpu_seconds_total" + labels + " 1.5\n"));
  EXPECT_THAT(text, HasSubstr("troupe_container_io_pressure_full_seconds_total" + labels + " 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("cpu_pressure_some_seconds_total{"))) << "where the kernel says nothing";
  EXPECT_THAT(text, HasSubstr("troupe_host_fit 0\n"));
  EXPECT_THAT(text, HasSubstr("troupe_host_probe_failed{probe=\"disk\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("troupe_host_probe_failed{probe=\"clock\"} 0\n"));
}

}  // namespace
}  // namespace troupe::agent
