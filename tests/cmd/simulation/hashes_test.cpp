// A seed gives the same history in every build: this one, which is compiled for the debugger and with
// sanitizers, against the release build beside it.

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "actors/runtime/logging.hpp"
#include "cmd/simulation/life.hpp"

#if defined(__SANITIZE_ADDRESS__)
namespace troupe::simulation {
namespace {

const std::string release = TROUPE_SOURCE_DIR "/build/release";

std::string output_of(const std::string& command) {
  std::string all;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return all;
  std::array<char, 4096> part{};
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe)) all.append(part.data(), got);
  pclose(pipe);
  return all;
}

TEST(Hashes, AreThoseOfTheReleaseBuild) {
  if (!std::filesystem::exists(release + "/troupe"))
    GTEST_SKIP() << "there is no release build beside this one";
  if (output_of("ninja -C " + release + " -n troupe").find("no work to do") == std::string::npos)
    GTEST_SKIP() << "the release build is not up to date: ninja -C " << release << " troupe";
  logging::set_least(logging::Level::silent);
  for (const std::uint64_t seed : {3U, 5U}) {
    const Plan plan = draw_plan(seed, small_scope());
    const std::string told =
        output_of(release + "/troupe sim --small --seed " + std::to_string(seed) + " | tail -n 1");
    EXPECT_TRUE(told.starts_with(closing_line(plan, live(plan)) + " wall_s=")) << told;
  }
}

}  // namespace
}  // namespace troupe::simulation
#endif
