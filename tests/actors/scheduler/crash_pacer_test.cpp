// Launches that are likely to crash, one after the other.

#include "actors/scheduler/crash_pacer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "storage/base/random.hpp"

namespace troupe::scheduler {
namespace {

using Launch = CrashPacer::Launch;
constexpr Instant start{1'800'000'000'000};

JobDescriptor of_application(std::string name) {
  JobDescriptor descriptor;
  descriptor.application_name = std::move(name);
  descriptor.capacity_group = "DEFAULT";
  descriptor.entry_point = {"/bin/false"};
  descriptor.kind = BatchSpec{};
  return descriptor;
}

struct PacerStory {
  CrashPacer pacer{1'000};
  Random random{7};
  Instant now = start;
  std::uint64_t made = 0;

  void crash(const JobDescriptor& descriptor, std::uint32_t times = CrashPacer::crashes_until_paced) {
    for (std::uint32_t n = 0; n < times; ++n) pacer.ended(descriptor, Reason::failed, now);
  }
  QueuedTask task(const JobDescriptor& descriptor) {
    const auto job = random.uuid<JobId>();
    return {random.task_of(job),
            job,
            Index{++made},
            {Index{made}, 0},
            std::make_shared<const JobDescriptor>(descriptor)};
  }
  bool holds_a_first(const JobDescriptor& descriptor) {
    const QueuedTask first = task(descriptor);
    const bool held = pacer.hold(first, Launch::first, now);
    pacer.forget(first.task);
    return held;
  }
  std::size_t released_in(milliseconds span) {
    std::size_t count = 0;
    for (const Instant end = now + span; now < end; now = now + milliseconds(1))
      count += pacer.release(now).size();
    return count;
  }
};

TEST(CrashPacer, HoldsWhatFollowsACrashAndLetsItGoAtOnceWhileThereAreFew) {
  PacerStory s;
  const JobDescriptor app = of_application("app");
  s.crash(app, 1);
  const QueuedTask next = s.task(app);
  EXPECT_FALSE(s.pacer.hold(s.task(app), Launch::first, s.now));
  ASSERT_TRUE(s.pacer.hold(next, Launch::after_crash, s.now));
  EXPECT_LE(*s.pacer.next_release(), s.now);
  const auto released = s.pacer.release(s.now);
  ASSERT_EQ(released.size(), 1U);
  EXPECT_EQ(released[0].task, next.task);
  EXPECT_EQ(s.pacer.next_release(), std::nullopt);
}

TEST(CrashPacer, LetsNoMoreGoInAnyWindowThanItsRate) {
  PacerStory s;
  const JobDescriptor app = of_application("app");
  s.crash(app);
  for (int n = 0; n < 3'000; ++n) ASSERT_TRUE(s.pacer.hold(s.task(app), Launch::first, s.now));
  for (int window = 0; window < 20; ++window) {
    const std::size_t count = s.released_in(milliseconds(100));
    EXPECT_LE(count, 111U);
    EXPECT_GE(count, 99U);
  }
  EXPECT_GT(s.pacer.size(), 0U);
  EXPECT_LE(*s.pacer.next_release() - s.now, milliseconds(10)) << "small portions, close together";
}

TEST(CrashPacer, HoldsFirstLaunchesOnlyOfAProgramThatCrashesAgainAndAgain) {
  PacerStory s;
  const JobDescriptor app = of_application("app");
  s.crash(app, CrashPacer::crashes_until_paced - 1);
  EXPECT_FALSE(s.holds_a_first(app));
  s.crash(app, 1);
  EXPECT_TRUE(s.holds_a_first(app));
  JobDescriptor other = app;
  other.env["PART"] = "2";
  EXPECT_FALSE(s.holds_a_first(other)) << "the same application, but it runs something else";
  JobDescriptor labelled = app;
  labelled.attributes["ticket"] = "17";
  labelled.group_sequence = "004";
  EXPECT_TRUE(s.holds_a_first(labelled)) << "what users note says nothing of what runs";
}

TEST(CrashPacer, ForgetsCrashesByEndsThatAreWellAndByTime) {
  PacerStory s;
  const JobDescriptor app = of_application("app"), aged = of_application("aged");
  s.crash(app);
  s.pacer.ended(app, Reason::normal, s.now);
  EXPECT_FALSE(s.holds_a_first(app));
  s.crash(aged, 100'000);
  s.now = s.now + 3 * CrashPacer::half_life;
  EXPECT_TRUE(s.holds_a_first(aged));
  s.now = s.now + CrashPacer::half_life;
  EXPECT_FALSE(s.holds_a_first(aged)) << "however many they were";
  s.now = s.now + 10 * CrashPacer::half_life;
  s.pacer.ended(aged, Reason::normal, s.now);
  EXPECT_FALSE(s.pacer.is_alert());
}

TEST(CrashPacer, CountsNoOtherEnd) {
  PacerStory s;
  const JobDescriptor app = of_application("app");
  for (const Reason reason : {Reason::killed, Reason::evicted, Reason::lost, Reason::scaled_down,
                              Reason::normal, Reason::runtime_limit_exceeded})
    for (int n = 0; n < 100; ++n) s.pacer.ended(app, reason, s.now);
  EXPECT_FALSE(s.pacer.is_alert());
}

TEST(CrashPacer, TakesApplicationsInTurnAndEachByAge) {
  PacerStory s;
  const JobDescriptor many = of_application("many"), few = of_application("few");
  s.crash(many);
  s.crash(few);
  std::vector<QueuedTask> mine;
  for (int n = 0; n < 500; ++n) s.pacer.hold(s.task(many), Launch::first, s.now);
  for (int n = 0; n < 3; ++n) {
    mine.push_back(s.task(few));
    s.pacer.hold(mine.back(), Launch::first, s.now);
  }
  EXPECT_NE(s.pacer.why_held(mine[2].task).find("2 of application few are before it"), std::string::npos);
  std::vector<TaskId> order;
  for (const QueuedTask& task : s.pacer.release(s.now))
    if (task.descriptor->application_name == "few") order.push_back(task.task);
  EXPECT_EQ(order, (std::vector<TaskId>{mine[0].task, mine[1].task, mine[2].task}));
}

TEST(CrashPacer, KeepsTheNewestOfATaskAndForgetsWhatDoesNotWait) {
  PacerStory s;
  const JobDescriptor app = of_application("app");
  s.crash(app);
  QueuedTask one = s.task(app);
  const QueuedTask gone = s.task(app);
  ASSERT_TRUE(s.pacer.hold(one, Launch::first, s.now));
  ASSERT_TRUE(s.pacer.hold(gone, Launch::first, s.now));
  one.version = Index{900};
  ASSERT_TRUE(s.pacer.hold(one, Launch::first, s.now));
  s.pacer.forget(gone.task);
  const auto released = s.pacer.release(s.now);
  ASSERT_EQ(released.size(), 1U);
  EXPECT_EQ(released[0].version, Index{900});
  ASSERT_TRUE(s.pacer.hold(gone, Launch::first, s.now));
  s.pacer.forget_all();
  EXPECT_EQ(s.pacer.size(), 0U);
}

TEST(CrashPacer, HoldsNoGangAndWithoutARateNobody) {
  PacerStory s;
  const JobDescriptor app = of_application("app");
  s.crash(app);
  QueuedTask gang = s.task(app);
  gang.gang = 2;
  EXPECT_FALSE(s.pacer.hold(gang, Launch::first, s.now));
  CrashPacer none{0};
  for (int n = 0; n < 100; ++n) none.ended(app, Reason::failed, s.now);
  EXPECT_FALSE(none.is_alert());
  EXPECT_FALSE(none.hold(s.task(app), Launch::after_crash, s.now));
}

TEST(CrashPacer, RemembersABoundedNumberOfPrograms) {
  PacerStory s;
  for (std::size_t n = 0; n < CrashPacer::programs_max; ++n)
    s.pacer.ended(of_application("app-" + std::to_string(n)), Reason::failed, s.now);
  const JobDescriptor beyond = of_application("beyond");
  s.crash(beyond);
  EXPECT_FALSE(s.holds_a_first(beyond));
  s.now = s.now + 2 * CrashPacer::half_life;
  s.crash(beyond);
  EXPECT_TRUE(s.holds_a_first(beyond)) << "what has faded made room";
}

}  // namespace
}  // namespace troupe::scheduler
