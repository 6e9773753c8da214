// Every deliberate bug of the driver must make some test fail. Each runs all of them in a process of its own.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "storage/replica/mutant.hpp"

namespace troupe::replica {
namespace {

struct Named {
  Mutant mutant;
  const char* name;
};
const std::vector<Named> mutants = {
#define X(name, what) {Mutant::name, #name},
    TROUPE_REPLICA_MUTANT_LIST(X)
#undef X
};

// The child's part: the mutant is chosen before any test runs.
const bool chosen = [] {
  const char* name = std::getenv("REPLICA_MUTANT");
  for (const Named& each : mutants)
    if (name != nullptr && std::string(name) == each.name) active_mutant = each.mutant;
  return true;
}();

/// How all tests end with it: 0 is good for the mutant.
int status_with(const std::string& mutant) {
  const std::string command = "REPLICA_MUTANT=" + mutant + " REPLICA_SIM_SEEDS=300 exec '" +
                              std::filesystem::read_symlink("/proc/self/exe").string() +
                              "' --gtest_filter='-DriverMutants.*' --gtest_fail_fast > /dev/null 2>&1";
  return std::system(command.c_str());  // NOLINT: our own program and names
}

TEST(DriverMutants, are_all_found) {
  ASSERT_TRUE(chosen);
  for (const Named& each : mutants) EXPECT_NE(status_with(each.name), 0) << each.name << " lives";
}

}  // namespace
}  // namespace troupe::replica
