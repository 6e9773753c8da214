#include "actors/cores/container_spec.hpp"

#include <gtest/gtest.h>

namespace troupe::cores {
namespace {

TEST(ContainerSpec, TellsATaskWhichPortsOfItsHostAreItsOwn) {
  JobDescriptor job;
  job.env = {{"MODE", "fast"}};
  TaskRecord task;
  EXPECT_EQ(container_spec(task, job).env, job.env) << "of nothing nothing is said";
  task.ports = std::vector<std::uint16_t>{20'017, 20'018};
  EXPECT_EQ(container_spec(task, job).env, (StringMap{{"MODE", "fast"},
                                                      {"TROUPE_PORTS", "20017,20018"},
                                                      {"TROUPE_PORT_0", "20017"},
                                                      {"TROUPE_PORT_1", "20018"}}));
}

}  // namespace
}  // namespace troupe::cores
