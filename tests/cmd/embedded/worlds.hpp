#pragma once
// The two worlds, for tests that live in both.

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <troupe/scenario.hpp>

namespace troupe::embedded {

/// What runs the present test alone.
inline std::string this_test() {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return {};
  return std::string("--gtest_filter=") + test->test_suite_name() + "." + test->name();
}

inline Options simulated(std::uint64_t seed) {
  Options options;
  options.seed = seed;
  options.repeat_arguments = this_test();
  return options;
}

inline Options real() {
  Options options;
  options.patience = std::chrono::seconds(30);
  options.repeat_arguments = this_test();
  return options;
}

/// The simulated one has the test's own seed.
struct OneOfTwo {
  const char* name;
  bool is_simulated;
  friend void PrintTo(const OneOfTwo& world, std::ostream* out) { *out << world.name; }
  Options options(std::uint64_t seed) const { return is_simulated ? simulated(seed) : real(); }
};
inline constexpr OneOfTwo both_worlds[] = {{"Simulated", true}, {"Real", false}};
inline std::string name_of(const testing::TestParamInfo<OneOfTwo>& world) { return world.param.name; }

}  // namespace troupe::embedded
