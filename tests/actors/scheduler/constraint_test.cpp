// Each constraint that a host's facts decide, and that people can read what it is.

#include "actors/scheduler/constraints/constraint.hpp"

#include "tests/actors/scheduler/engine_story.hpp"

namespace troupe::scheduler {
namespace {

HostFacts usual_host() {
  test::EngineStory s;
  HostFacts host = s.facts(1, {1'000, 1'000, 0, 0, 0});
  host.host_group = "big";
  host.attributes = {{"machineType", "m5"}, {"cores", "32"}};
  return host;
}

struct ConstraintRow {
  const char* name;
  StringMap hard;
  void (*spoil)(HostFacts&);  ///< makes the constraint fail
};

TEST(Constraint, EachHoldsForTheUsualHostAndFailsForOneThatLacksIt) {
  const ConstraintRow rows[] = {
      {"not connected", {}, [](HostFacts& host) { host.connected = false; }},
      {"not active", {}, [](HostFacts& host) { host.phase = HostPhase::draining; }},
      {"paused", {}, [](HostFacts& host) { host.paused = "paused by ann: INC-12"; }},
      {"noPlacement", {}, [](HostFacts& host) { host.attributes["titus.scheduler.noPlacement"] = "true"; }},
      {"driver", {}, [](HostFacts& host) { host.drivers.clear(); }},
      {"machineId", {{"machineId", "host-1"}}, [](HostFacts& host) { host.name = "host-2"; }},
      {"machineGroup", {{"machineGroup", "big"}}, [](HostFacts& host) { host.host_group = "small"; }},
      {"taint", {{"tolerations", "spot"}}, [](HostFacts& host) { host.attributes["taint.gpu"] = "x"; }},
      {"machineType", {{"machineType", "m5"}}, [](HostFacts& host) { host.attributes.erase("machineType"); }},
      {"expression",
       {{"expression", "cores >= 32"}},
       [](HostFacts& host) { host.attributes["cores"] = "16"; }},
  };
  EXPECT_EQ(std::size(rows), constraints().size());
  for (const ConstraintRow& row : rows) {
    JobDescriptor descriptor;
    descriptor.hard_constraints = row.hard;
    const Needs needs = wishes_of(descriptor).needs;
    HostFacts host = usual_host();
    EXPECT_TRUE(all_hold(host, needs)) << row.name;
    row.spoil(host);
    const auto failure = first_failure(host, needs);
    ASSERT_TRUE(failure) << row.name;
    EXPECT_EQ(failure->reason, row.name);
    EXPECT_FALSE(failure->detail.empty());
    EXPECT_EQ(failures(host, needs).size(), 1U) << row.name;
  }
}

TEST(Constraint, EachHasANameAndASentence) {
  std::set<std::string_view> names;
  for (const Constraint* constraint : constraints()) {
    EXPECT_TRUE(names.insert(constraint->name).second);
    EXPECT_TRUE(constraint->sentence.ends_with("."));
  }
}

TEST(Constraint, TaintsAreToleratedByNameByValueOrAll) {
  HostFacts host = usual_host();
  host.attributes["taint.dedicated"] = "video";
  const auto holds = [&](const std::string& tolerations) {
    JobDescriptor descriptor;
    if (!tolerations.empty()) descriptor.hard_constraints["tolerations"] = tolerations;
    return all_hold(host, wishes_of(descriptor).needs);
  };
  EXPECT_FALSE(holds(""));
  EXPECT_TRUE(holds("dedicated"));
  EXPECT_TRUE(holds("spot, dedicated=video"));
  EXPECT_FALSE(holds("dedicated=audio"));
  EXPECT_TRUE(holds("*"));
}

}  // namespace
}  // namespace troupe::scheduler
