// The engine against a toy log that applies, refuses and forgets in random order: no host is ever overbooked,
// by the log's reckoning or by the engine's, and when the log is quiet all that fits is placed.

#include <map>

#include "tests/actors/scheduler/engine_story.hpp"

namespace troupe::scheduler {
namespace {

using test::EngineStory;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    const auto hosts = static_cast<std::uint32_t>(3 + random_.below(12));
    for (std::uint32_t i = 1; i <= hosts; ++i) {
      total_[HostId{i}] = {random_.between(500, 4'000), random_.between(500, 4'000), 100, 100, 0};
      show_host(HostId{i});
    }
    for (int i = 0; i < 6; ++i) {
      kinds_.push_back(test::job_like({random_.between(50, 900), random_.between(50, 900), 1, 1, 0}));
      if (i % 3 == 0) kinds_.back() = test::with_constraints(kinds_.back(), {{"uniqueHost", "true"}});
    }
  }

  void step() {
    switch (random_.below(6)) {
      case 0:
        for (std::uint64_t n = random_.below(6); n > 0; --n) submit();
        break;
      case 1:
        plan();
        break;
      case 2:
        apply_one();
        break;
      case 3:
        end_one();
        break;
      case 4:
        show_host(HostId{static_cast<std::uint32_t>(1 + random_.below(total_.size()))});
        break;
      case 5:
        if (random_.chance(20)) kill_one();
        break;
    }
  }
  /// Until the log refuses nothing any more and the engine has nothing to propose.
  void settle_all() {
    is_quiet_ = true;
    do {
      while (!pending_.empty()) apply_one();
      story_.now = story_.now + Engine::rest_max;
      plan();
    } while (!pending_.empty());
    is_quiet_ = false;
    for (const auto& [task, kind] : waiting_) {
      const auto why = story_.engine.explain(task);
      EXPECT_EQ(why.standing, Explanation::Standing::waiting);
      EXPECT_EQ(why.fitting, 0U) << "a task waits although a host would take it";
    }
    EXPECT_EQ(story_.engine.status().queued, waiting_.size());
    EXPECT_EQ(story_.engine.status().in_flight, 0U);
  }

 private:
  struct Running {
    HostId host;
    DescriptorPtr kind;
  };
  Resources used(HostId host) const {
    Resources sum;
    for (const auto& [task, run] : running_)
      if (run.host == host) sum += run.kind->resources;
    return sum;
  }
  void show_host(HostId id) {
    story_.engine.upsert_host(story_.facts(id.value, total_[id], used(id), {Index{index_}}));
  }
  void submit() {
    const auto& kind = kinds_[random_.below(kinds_.size())];
    waiting_[story_.task(kind)] = kind;
  }
  void plan() {
    story_.now = story_.now + milliseconds(static_cast<std::int64_t>(random_.below(20)));
    for (const Placement& p : story_.place().placements) {
      EXPECT_EQ(waiting_.count(p.task), 1U) << "placed twice, or although it was gone";
      pending_.push_back(p);
    }
    std::map<HostId, Resources> booked;
    for (const Placement& p : pending_)
      if (const auto at = waiting_.find(p.task); at != waiting_.end())
        booked[p.host] += at->second->resources;
    for (auto& [host, sum] : booked) {
      sum += used(host);
      EXPECT_TRUE(sum.fits_into(total_[host])) << "host " << host.value << " is overbooked";
    }
  }
  /// In log order, refusing some.
  void apply_one() {
    if (pending_.empty()) return;
    const Placement p = pending_.front();
    pending_.erase(pending_.begin());
    const auto at = waiting_.find(p.task);
    if (at == waiting_.end()) return;
    if (random_.chance(15)) return story_.settle(p.task, Refused{ErrorCode::precondition_failed, "no"});
    running_[p.task] = {p.host, at->second};
    waiting_.erase(at);
    ++index_;
    const bool seen_first = random_.chance(30);
    if (seen_first) show_host(p.host);
    story_.settle(p.task, Placed{{Index{index_}}});
    EXPECT_TRUE(used(p.host).fits_into(total_[p.host]));
  }
  void end_one() {
    if (running_.empty()) return;
    auto at = running_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(running_.size())));
    const TaskId task = at->first;
    const Running run = at->second;
    running_.erase(at);
    ++index_;
    if (random_.chance(30)) show_host(run.host);
    story_.engine.task_ended({task, story_.job, run.host, run.kind->resources, {Index{index_}}});
  }
  void kill_one() {
    if (waiting_.empty()) return;
    const TaskId task = waiting_.begin()->first;
    waiting_.erase(waiting_.begin());
    story_.engine.forget(task);
  }

  Random random_;
  EngineStory story_;
  std::map<HostId, Resources> total_;
  std::vector<DescriptorPtr> kinds_;
  std::map<TaskId, DescriptorPtr> waiting_;
  std::map<TaskId, Running> running_;
  std::vector<Placement> pending_;
  std::uint64_t index_ = 1;
  bool is_quiet_ = false;
};

TEST(EngineRandom, NeverOverbooksAndLeavesNothingWaitingThatFits) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 60; ++i) world.step();
      world.settle_all();
    }
    if (testing::Test::HasFailure()) break;
  }
}

TEST(EngineRandom, GivesTheSamePlansForTheSameCalls) {
  const auto run = [] {
    EngineStory s;
    std::vector<std::pair<TaskId, HostId>> plans;
    for (std::uint32_t i = 1; i <= 20; ++i)
      s.host(i, {1'000 + 100 * static_cast<std::int64_t>(i), 2'000, 0, 0, 0});
    for (int i = 0; i < 200; ++i) s.task(test::job_like({100 + s.random.between(0, 300), 50, 0, 0, 0}));
    for (const auto& p : s.place().placements) plans.emplace_back(p.task, p.host);
    return plans;
  };
  EXPECT_EQ(run(), run());
  EXPECT_GT(run().size(), 50U);
}

}  // namespace
}  // namespace troupe::scheduler
