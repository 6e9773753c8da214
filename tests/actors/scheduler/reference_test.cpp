// The engine against a slow and obvious one, on random inventories and workloads: what it places may run
// there, by the other's reckoning and at that moment; what it leaves waiting fits nowhere; and the order in
// which hosts are told decides nothing.

#include <algorithm>

#include "tests/actors/scheduler/engine_story.hpp"
#include "tests/actors/scheduler/reference_engine.hpp"

namespace troupe::scheduler {
namespace {

using test::EngineStory;

const StringMap constraint_sets[] = {
    {},
    {},
    {{"uniqueHost", "true"}},
    {{"exclusiveHost", "true"}},
    {{"zoneBalance", "true"}},
    {{"topologySpread", "host:2"}},
    {{"jobAffinity", "zone"}},
    {{"jobAntiAffinity", "rack"}},
    {{"machineType", "m"}},
    {{"machineId", "host-3"}},
    {{"expression", "rack != r0"}},
    {{"tolerations", "spot"}, {"uniqueHost", "true"}},
    {{"zoneBalance", "true"}, {"uniqueHost", "true"}},
    {{"zoneBalance", "true"}, {"machineType", "m"}},
    {{"jobAffinity", "zone"}, {"topologySpread", "host:2"}},
};
const StringMap soft_sets[] = {
    {},
    {},
    {{"machineType", "r"}},
    {{"zoneBalance", "true"}},
    {{"uniqueHost", "true"}, {"exclusiveHost", "true"}},
};

class ReferenceWorld {
 public:
  ReferenceWorld(std::uint64_t seed, std::int64_t hosts_max) : random_(seed) {
    Lookups lookups;
    lookups.places_of = [this](const JobId& job) { return places_of(job); };
    story_.engine = Engine(std::move(lookups));
    const auto hosts = static_cast<std::uint32_t>(random_.between(2, hosts_max));
    for (std::uint32_t i = 1; i <= hosts; ++i) {
      HostFacts host = story_.facts(i, {random_.between(500, 3'000), random_.between(500, 3'000), 0, 0, 0});
      host.attributes = {{"zone", std::string(1, static_cast<char>('a' + random_.below(3)))},
                         {"rack", "r" + std::to_string(random_.below(4))},
                         {"machineType", random_.chance(50) ? "m" : "r"}};
      if (random_.chance(15)) host.attributes["taint.spot"] = "true";
      reference_.hosts[host.id] = host;
      story_.engine.upsert_host(host);
    }
    for (int n = 0; n < 8; ++n) jobs_.emplace_back(random_.uuid<JobId>(), random_descriptor());
  }

  void step() {
    const auto what = random_.below(10);
    if (what < 4)
      submit();
    else if (what < 6)
      place();
    else if (what < 8)
      end_one();
    else if (what == 8)
      kill_one();
    else
      change_host();
  }
  /// Nothing is left waiting that fits.
  void place_all() {
    story_.now = story_.now + Engine::rest_max;
    refusals_percent_ = 0;
    while (place() > 0) {
    }
    refusals_percent_ = 10;
    for (const auto& [id, task] : reference_.tasks) {
      if (task.host.value != 0) continue;
      EXPECT_FALSE(reference_.fits_anywhere(task))
          << "it waits, although a host would take it: " << text_of(*task.descriptor);
    }
  }

  void submit() {
    const auto& [job, descriptor] = jobs_[random_.below(jobs_.size())];
    for (std::uint64_t n = random_.below(4); n > 0; --n)
      reference_.tasks[story_.task_of(job, descriptor)] = {job, descriptor, {}};
  }

 private:
  std::vector<Lookups::Place> places_of(const JobId& job) const {
    std::vector<Lookups::Place> places;
    for (const auto& [id, task] : reference_.tasks)
      if (task.job == job && task.host.value != 0) places.emplace_back(id, task.host);
    return places;
  }
  static std::string text_of(const JobDescriptor& d) {
    std::string text = d.is_batch() ? "batch" : "service";
    for (const auto* constraints : {&d.hard_constraints, &d.soft_constraints})
      for (const auto& [name, value] : *constraints)
        text += (constraints == &d.hard_constraints ? ", " : ", soft ") + name + '=' + value;
    return text;
  }
  DescriptorPtr random_descriptor() {
    JobDescriptor d;
    d.resources = {random_.between(50, 900), random_.between(50, 900), 0, 0, 0};
    d.hard_constraints = constraint_sets[random_.below(std::size(constraint_sets))];
    d.soft_constraints = soft_sets[random_.below(std::size(soft_sets))];
    for (const auto& [name, value] : d.hard_constraints) d.soft_constraints.erase(name);
    if (random_.chance(40)) d.kind = ServiceSpec{};
    return std::make_shared<const JobDescriptor>(std::move(d));
  }
  std::size_t place() {
    const Plan plan = story_.place();
    for (const Placement& placement : plan.placements) {
      auto& task = reference_.tasks.at(placement.task);
      EXPECT_EQ(task.host, HostId{}) << "placed twice";
      EXPECT_TRUE(reference_.may_run(task, reference_.hosts.at(placement.host)))
          << "host " << placement.host.value;
      task.host = placement.host;
    }
    for (const Placement& placement : plan.placements) {
      if (random_.chance(refusals_percent_)) {
        story_.settle(placement.task, Refused{ErrorCode::conflict, "no"});
        reference_.tasks.at(placement.task).host = {};
      } else {
        story_.settle(placement.task, Placed{{Index{++index_}}});
      }
    }
    return plan.placements.size();
  }
  std::map<TaskId, test::ReferenceTask>::iterator pick(bool is_placed) {
    std::vector<TaskId> some;
    for (const auto& [id, task] : reference_.tasks)
      if ((task.host.value != 0) == is_placed) some.push_back(id);
    return some.empty() ? reference_.tasks.end() : reference_.tasks.find(some[random_.below(some.size())]);
  }
  void end_one() {
    const auto at = pick(true);
    if (at == reference_.tasks.end()) return;
    story_.engine.task_ended({at->first,
                              at->second.job,
                              at->second.host,
                              at->second.descriptor->resources,
                              {Index{++index_}},
                              random_.chance(20)});
    reference_.tasks.erase(at);
  }
  void kill_one() {
    const auto at = pick(false);
    if (at == reference_.tasks.end()) return;
    story_.engine.forget(at->first);
    reference_.tasks.erase(at);
  }
  void change_host() {
    auto at = reference_.hosts.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(reference_.hosts.size())));
    HostFacts& host = at->second;
    switch (random_.below(4)) {
      case 0:
        host.phase = host.phase == HostPhase::active ? HostPhase::draining : HostPhase::active;
        break;
      case 1:
        host.connected = !host.connected;
        break;
      case 2:
        host.attributes["zone"] = std::string(1, static_cast<char>('a' + random_.below(3)));
        break;
      default:
        host.attributes["machineType"] = random_.chance(50) ? "m" : "r";
    }
    HostFacts told = host;
    told.used = reference_.used(host.id);
    told.as_of = {Index{++index_}};
    story_.engine.upsert_host(told);
  }

  Random random_;
  EngineStory story_;
  test::ReferenceEngine reference_;
  std::vector<std::pair<JobId, DescriptorPtr>> jobs_;
  std::uint64_t index_ = 10;
  std::uint32_t refusals_percent_ = 10;
};

TEST(Reference, AgreesOnWhatMayRunAndWhatFitsNowhere) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ReferenceWorld world(seed, 10);
    for (int round = 0; round < 6; ++round) {
      for (int n = 0; n < 25; ++n) world.step();
      world.place_all();
    }
    if (testing::Test::HasFailure()) break;
  }
}

TEST(Reference, AgreesWhereMuchWaitsForFewHostsThatImprove) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ReferenceWorld world(seed, 30);
    for (int n = 0; n < 100; ++n) world.submit();
    for (int round = 0; round < 20; ++round) {
      world.place_all();
      for (int n = 0; n < 6; ++n) world.step();
    }
    if (testing::Test::HasFailure()) break;
  }
}

std::vector<std::pair<TaskId, HostId>> plan_with_hosts_in(const std::vector<std::uint32_t>& order) {
  EngineStory s;
  for (const std::uint32_t i : order) {
    HostFacts host = s.facts(i, {1'000 + 100 * static_cast<std::int64_t>(i % 7), 2'000, 0, 0, 0});
    host.attributes = {{"zone", std::string(1, static_cast<char>('a' + i % 3))},
                       {"rack", "r" + std::to_string(i % 5)}};
    s.engine.upsert_host(host);
  }
  for (int n = 0; n < 150; ++n) {
    JobDescriptor d;
    d.resources = {100 + s.random.between(0, 300), 50, 0, 0, 0};
    d.hard_constraints = constraint_sets[static_cast<std::size_t>(n) % std::size(constraint_sets)];
    if (n % 3 == 0) d.kind = ServiceSpec{};
    const auto descriptor = std::make_shared<const JobDescriptor>(d);
    for (int m = 0; m < 3; ++m) s.task(descriptor);
  }
  std::vector<std::pair<TaskId, HostId>> plan;
  for (const auto& placement : s.place().placements) plan.emplace_back(placement.task, placement.host);
  return plan;
}

TEST(Reference, TheOrderInWhichHostsAreToldDecidesNothing) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 1; i <= 40; ++i) order.push_back(i);
  const auto plan = plan_with_hosts_in(order);
  EXPECT_GT(plan.size(), 100U);
  Random random{7};
  for (int n = 0; n < 20; ++n) {
    for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
    EXPECT_EQ(plan_with_hosts_in(order), plan);
  }
}

TEST(Reference, PacksIntoHardlyMoreHostsThanAreNeededAtLeast) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EngineStory s;
    s.random = Random(seed);
    constexpr std::int64_t size = 10'000;
    for (std::uint32_t i = 1; i <= 100; ++i) s.host(i, {size, size, 0, 0, 0});
    std::int64_t cpu = 0;
    std::int64_t memory = 0;
    for (int n = 0; n < 150; ++n) {
      const Resources need{s.random.between(200, 4'000), s.random.between(200, 4'000), 0, 0, 0};
      cpu += need.cpu_milli;
      memory += need.memory_mb;
      s.task(test::job_like(need));
    }
    const std::int64_t at_least = (std::max(cpu, memory) + size - 1) / size;
    EXPECT_LE(static_cast<std::int64_t>(s.place_counted().size()), at_least * 5 / 4) << "seed " << seed;
  }
}

}  // namespace
}  // namespace troupe::scheduler
