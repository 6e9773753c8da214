// Any entity's actor may end after any of its messages: what it cared for still comes right.

#include "tests/cmd/embedded/cell.hpp"

namespace troupe::embedded {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t stride = 11;  // Sanitized, each life of a cell takes ten times as long.
#else
constexpr std::uint64_t stride = 1;
#endif

/// What went wrong, or nothing.
using Told = std::string;

Told batch_jobs_end(Cell& cell) {
  const JobId good = cell.submit({.size = 3, .script = "start=20ms run=300ms exit=0"});
  const JobId bad = cell.submit({.size = 2,
                                 .script = "run=100ms exit=0; slot 1: run=100ms exit=7",
                                 .retry = R"({"delayed": {"delayMs": "500", "retries": 2}})"});
  const JobId doomed = cell.submit({.size = 3, .script = "run=forever"});
  if (!cell.await_running(doomed, 3)) return "the long job never ran";
  if (cell.kill(doomed) != 200) return "the kill was refused";
  if (!cell.await_finished(doomed, Reason::killed)) return "the killed job did not end";
  if (!cell.await_finished(good, Reason::normal)) return "the good job did not end";
  if (!cell.await_finished(bad, Reason::failed)) return "the failing job did not end";
  return {};
}

Told service_keeps_its_size(Cell& cell) {
  const JobId job = cell.submit({.is_service = true, .size = 3, .script = "start=20ms run=forever"});
  if (!cell.await_running(job, 3)) return "it never ran";
  if (cell.resize(job, 5) != 200) return "growing was refused";
  if (!cell.await_running(job, 5)) return "it did not grow";
  if (cell.resize(job, 2) != 200) return "shrinking was refused";
  if (!cell.await_running(job, 2)) return "it did not shrink";
  const TaskId victim = cell.look(job).tasks.at(0);
  if (cell.sim.call(cell.up(), "DELETE", "/api/v3/tasks/" + to_text(victim)).status != 200)
    return "the task's kill was refused";
  if (!cell.await([&] { return cell.sim.launches(victim) == 1 && cell.look(job).tasks.at(0) != victim; }))
    return "the task was not replaced";
  if (!cell.await_running(job, 2)) return "it lost a task for good";
  if (cell.kill(job) != 200) return "the kill was refused";
  if (!cell.await_finished(job, Reason::killed)) return "it did not end";
  return {};
}

bool group_is_alerted(Cell& cell) {
  const Reads* reads = cell.up() == 0 ? nullptr : cell.sim.reads(cell.up());
  return reads != nullptr && reads->group("DEFAULT")->condition.is_raised();
}

Told a_group_that_waits_is_noted(Cell& cell) {
  const JobId job = cell.submit({.size = 2, .script = "run=1s exit=0", .memory_mb = 30'000});
  if (!cell.await([&] { return group_is_alerted(cell); }, group_patience + milliseconds(10'000)))
    return "nobody noticed that its tasks wait";
  if (cell.kill(job) != 200) return "the kill was refused";
  if (!cell.await_finished(job, Reason::killed)) return "the job did not end";
  if (!cell.await([&] { return !group_is_alerted(cell); })) return "the alert did not end";
  return {};
}

struct Life {
  std::uint64_t points = 0;
  std::string ended;  ///< which actor, after which message
  Told problem;
};

Life live(Told (*story)(Cell&), const std::function<bool(std::uint64_t point)>& ends) {
  Life life;
  auto armed = std::make_shared<bool>(false);
  SimOptions options = cell_options(5);
  options.fault_point = [&life, armed, &ends](const EntityRef& entity, std::string_view message) {
    if (!*armed || !ends(++life.points)) return false;
    life.ended += entity.text() + " after " + std::string(message) + " ";
    return true;
  };
  Cell cell(options);
  *armed = true;
  life.problem = story(cell);
  *armed = false;
  if (life.problem.empty() && !cell.await([&] { return cell.duties().empty(); }))
    life.problem = "still to be done: " + cell.duties();
  if (life.problem.empty() && !cell.await_whole()) life.problem = cell.why_not_whole();
  life.problem += cell.violations();
  return life;
}

void end_an_actor_at_every_point(Told (*story)(Cell&), std::uint64_t points_min = 20) {
  const Life whole = live(story, [](std::uint64_t) { return false; });
  ASSERT_EQ(whole.problem, "");
  ASSERT_GT(whole.points, points_min);
  for (std::uint64_t point = 1; point <= whole.points; point += stride) {
    const Life life = live(story, [point](std::uint64_t n) { return n == point; });
    EXPECT_NE(life.ended, "") << "point " << point << " was never reached";
    ASSERT_EQ(life.problem, "") << "point " << point << ": " << life.ended;
  }
}

TEST(SimEntityFaults, BatchJobsEndRightWhereverAnActorEnds) { end_an_actor_at_every_point(batch_jobs_end); }

TEST(SimEntityFaults, AServiceReachesItsSizesWhereverAnActorEnds) {
  end_an_actor_at_every_point(service_keeps_its_size);
}

TEST(SimEntityFaults, AGroupsAlertComesAndGoesWhereverAnActorEnds) {
  end_an_actor_at_every_point(a_group_that_waits_is_noted, 5);
}

TEST(SimEntityFaults, SeveralActorsEndInOneLife) {
  for (std::uint64_t seed = 1; seed <= 60; seed += stride) {
    Random random(seed);
    int left = 5;  // No entity can use up its restart intensity.
    const auto ends = [&](std::uint64_t) { return left > 0 && random.chance(6) && left-- > 0; };
    const Life life = live(seed % 2 == 0 ? batch_jobs_end : service_keeps_its_size, ends);
    ASSERT_EQ(life.problem, "") << "seed " << seed << ": " << life.ended;
  }
}

TEST(SimEntityFaults, AnEntityThatCrashesAgainAndAgainIsSetAsideUntilItIsReleased) {
  JobId cursed, healthy;
  bool is_cursed = false;
  SimOptions options = cell_options(3);
  options.fault_point = [&](const EntityRef& entity, std::string_view) {
    return is_cursed && entity.kind == EntityKind::job && entity.job() != healthy;
  };
  Cell cell(options);
  healthy = cell.submit({.is_service = true, .size = 2, .script = "run=forever"});
  ASSERT_TRUE(cell.await_running(healthy, 2));
  is_cursed = true;
  cursed = cell.submit({.is_service = true, .size = 3, .script = "run=forever"});
  // Each change of its size wakes it once more.
  for (std::uint32_t size = 4; size < 14 && cell.look(cursed).set_aside.empty(); ++size) {
    ASSERT_EQ(cell.resize(cursed, size), 200);
    cell.sim.run_for(milliseconds(2'000));
  }
  ASSERT_NE(cell.look(cursed).set_aside, "");
  const std::string path = "/api/v3/jobs/" + to_text(cursed);
  EXPECT_NE(
      cell.sim.call(cell.up(), "GET", path).body.find("\"setAside\":\"its actor crashed again and again\""),
      std::string::npos);
  // Nobody touches it, and the others go on.
  ASSERT_EQ(cell.resize(cursed, 20), 200);
  cell.sim.run_for(milliseconds(20'000));
  EXPECT_LT(cell.look(cursed).live, 20u);
  ASSERT_EQ(cell.resize(healthy, 4), 200);
  EXPECT_TRUE(cell.await_running(healthy, 4));
  is_cursed = false;
  EXPECT_EQ(cell.sim.call(cell.up(), "POST", "/api/v3/entities/job/" + to_text(cursed) + "/release").status,
            200);
  EXPECT_TRUE(cell.await_running(cursed, 20));
  EXPECT_EQ(cell.look(cursed).set_aside, "");
}

}  // namespace
}  // namespace troupe::embedded
