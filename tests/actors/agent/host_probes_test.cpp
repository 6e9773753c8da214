// When a host is fit for new tasks.

#include "actors/agent/host_probes.hpp"

#include <gmock/gmock.h>

#include "tests/storage/base/temp_folder.hpp"

namespace troupe::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

HostLook good_look() {
  HostLook look;
  look.disk_bytes = 1'000, look.disk_free_bytes = 500;
  look.inodes = 1'000, look.inodes_free = 500;
  look.memory_kib = 1'000, look.memory_available_kib = 500;
  return look;
}

/// A look at each 10 s; `late` and `leap` against what it was to be.
struct Looks {
  HostFitness fitness{ProbeLimits{}};
  Instant wall{1'000'000};
  Moment now{};
  std::vector<std::string> take(const HostLook& look, milliseconds late = milliseconds(0),
                                milliseconds leap = milliseconds(0)) {
    const milliseconds waited(10'000);
    wall = wall + waited + late + leap;
    now = now + waited + late;
    return fitness.take(look, wall, now, waited);
  }
};

TEST(HostProbes, EachFindsItsOwnTrouble) {
  const ProbeLimits limits;
  EXPECT_THAT(problems_of(good_look(), limits), IsEmpty());
  EXPECT_THAT(problems_of({}, limits), IsEmpty()) << "what is not known is no trouble";
  HostLook look = good_look();
  look.disk_free_bytes = 29;
  EXPECT_THAT(problems_of(look, limits), ElementsAre("disk: 2.9 % free, less than 3.0 %"));
  look = good_look();
  look.inodes_free = 0;
  look.memory_available_kib = 1;
  EXPECT_THAT(problems_of(look, limits), ElementsAre(HasSubstr("inodes: 0.0 %"), HasSubstr("memory: 0.1 %")));
  look = good_look();
  look.late = milliseconds(5'001);
  look.clock_leap = milliseconds(10'001);
  look.runtime_failure = "/usr/bin/crun does not answer";
  EXPECT_THAT(problems_of(look, limits),
              ElementsAre(HasSubstr("cpu: "), HasSubstr("clock: "), HasSubstr("runtime: ")));
}

TEST(HostProbes, AHostThatWasUnfitMustLookWellSeveralTimes) {
  Looks looks;
  HostLook bad = good_look();
  bad.disk_free_bytes = 0;
  EXPECT_THAT(looks.take(bad), ElementsAre(HasSubstr("disk")));
  EXPECT_THAT(looks.take(good_look()), ElementsAre(HasSubstr("disk")));
  EXPECT_THAT(looks.take(good_look()), ElementsAre(HasSubstr("disk")));
  EXPECT_THAT(looks.take(bad), ElementsAre(HasSubstr("disk")));
  for (int i = 0; i < 2; ++i) EXPECT_THAT(looks.take(good_look()), ElementsAre(HasSubstr("disk")));
  EXPECT_THAT(looks.take(good_look()), IsEmpty());
  EXPECT_THAT(looks.take(bad), ElementsAre(HasSubstr("disk"))) << "but is unfit at once";
}

TEST(HostProbes, LatenessAndLeapsAreMeasuredBetweenLooks) {
  Looks looks;
  EXPECT_THAT(looks.take(good_look(), milliseconds(60'000), milliseconds(60'000)), IsEmpty())
      << "the first has no before";
  EXPECT_THAT(looks.take(good_look(), milliseconds(1'000), milliseconds(-9'000)), IsEmpty());
  EXPECT_THAT(looks.take(good_look(), milliseconds(6'000)),
              ElementsAre(HasSubstr("cpu: a thread waited 6000 ms")));
  EXPECT_THAT(looks.take(good_look(), {}, milliseconds(-20'000)),
              ElementsAre(HasSubstr("clock: it leapt by 20000 ms")));
}

TEST(HostProbes, LooksAtThisMachine) {
  const TempFolder folder;
  const HostLook look = look_at_host(folder.path(), "/bin/true");
  EXPECT_GT(look.disk_bytes, look.disk_free_bytes);
  EXPECT_GT(look.memory_kib, look.memory_available_kib);
  EXPECT_GT(look.memory_available_kib, 0U);
  EXPECT_EQ(look.runtime_failure, "");
  EXPECT_NE(look_at_host("/", "/bin/false").runtime_failure, "");
  EXPECT_NE(look_at_host("/", "/no/such/program").runtime_failure, "");
}

}  // namespace
}  // namespace troupe::agent
