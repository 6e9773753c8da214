#pragma once
// What the scenarios share: a simulated cell of three nodes and three hosts, and a narrator.

#include "tests/cmd/embedded/worlds.hpp"

namespace troupe::embedded {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Stage {
  explicit Stage(std::uint64_t seed, std::map<std::string, std::string> settings = {})
      : cluster(with(simulated(seed), std::move(settings))), story(cluster) {}
  static Options with(Options options, std::map<std::string, std::string> settings) {
    options.settings = std::move(settings);
    options.hosts = {{.name = "flex", .count = 3, .cpus = 48, .memory_mb = 65'536, .disk_mb = 1'000'000}};
    return options;
  }

  Cluster cluster;
  Scenario story;
};

/// Between the end of a task and the making of the next one in its place.
inline milliseconds delay_before(const TaskStory& next, const TaskStory& last) {
  return next.entered(TaskState::accepted) - last.entered(TaskState::finished);
}

/// A delay by policy comes as promised or a little later, never earlier.
inline void expect_delay(const TaskStory& last, milliseconds promised) {
  const milliseconds seen = delay_before(last.next(), last);
  EXPECT_GE(seen, promised) << "before task " << last.resubmit() + 1;
  EXPECT_LE(seen, promised + milliseconds(250)) << "before task " << last.resubmit() + 1;
}

}  // namespace troupe::embedded
