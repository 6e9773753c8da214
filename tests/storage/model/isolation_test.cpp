// A job never runs with less isolation than it asks for.

#include "storage/model/isolation.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

struct IsolationRow {
  const char* image;
  const char* chosen;
  bool oci, process, sim;
};

TEST(Isolation, AnImageAsksForAContainerUnlessTheJobChoosesADriver) {
  const IsolationRow rows[] = {
      {"", "", false, true, true},
      {"process", "", false, true, true},
      {"process:latest", "", false, true, true},
      {"process-like:1", "", true, false, true},
      {"process@sha256:00", "", true, false, true},
      {"busybox:1.36", "", true, false, true},
      {"registry:5000/team/app@sha256:00", "", true, false, true},
      {"busybox:1.36", "process", false, true, false},
      {"", "oci", true, false, false},
      {"", "sim", false, false, true},
      {"", "unheard-of", false, false, false},
  };
  for (const IsolationRow& row : rows) {
    StringMap attributes;
    if (*row.chosen != '\0') attributes["troupe.driver"] = row.chosen;
    EXPECT_EQ(is_driver_enough("oci", row.image, attributes), row.oci) << row.image << row.chosen;
    EXPECT_EQ(is_driver_enough("process", row.image, attributes), row.process) << row.image << row.chosen;
    EXPECT_EQ(is_driver_enough("sim", row.image, attributes), row.sim) << row.image << row.chosen;
    EXPECT_FALSE(drivers_enough(row.image, attributes).empty());
  }
}

TEST(Isolation, TheHostsNetworkIsForContainersOfHostsThatGrantIt) {
  const StringMap wish{{"troupe.network", "host"}};
  EXPECT_FALSE(is_driver_enough("oci", "busybox:1", wish));
  EXPECT_TRUE(is_driver_enough(host_network_driver, "busybox:1", wish));
  EXPECT_TRUE(is_driver_enough("sim", "busybox:1", wish));
  EXPECT_FALSE(is_driver_enough("oci", "", {{"troupe.network", "host"}, {"troupe.driver", "oci"}}));
  EXPECT_TRUE(
      is_driver_enough(host_network_driver, "", {{"troupe.network", "host"}, {"troupe.driver", "oci"}}));
  EXPECT_FALSE(is_driver_enough(host_network_driver, "busybox:1", {}))
      << "nobody is given what he did not ask for";
  EXPECT_TRUE(is_driver_enough("oci", "busybox:1", {{"troupe.network", "none"}}));
}

}  // namespace
}  // namespace troupe
