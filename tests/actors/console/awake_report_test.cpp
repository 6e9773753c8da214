#include "actors/directory/awake_report.hpp"

#include <gmock/gmock.h>

#include <caf/scheduler/test_coordinator.hpp>

#include "storage/base/random.hpp"

namespace troupe {
namespace {

/// Entities whose actors never run: what was sent and handled is what a test says.
struct Awake : testing::Test {
  Awake() {
    config.set("scheduler.policy", caf::atom("testing"));
    system = std::make_unique<caf::actor_system>(config);
    system->await_actors_before_shutdown(false);
  }
  Activations::Active& wake(const EntityRef& entity, std::uint64_t sent, std::uint64_t handled) {
    auto meter = std::make_shared<EntityMeter>();
    meter->handled = handled;
    const auto actor = system->spawn([]() -> caf::behavior { return {[](Passivate) {}}; });
    auto& active = activations.add(entity, actor, meter, Instant{1000});
    active.sent = sent;
    return active;
  }
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  Activations activations;
  Random random{1};
  const EntityRef job = EntityRef::of(random.uuid<JobId>());
  const EntityRef other_job = EntityRef::of(random.uuid<JobId>());
  const EntityRef host = EntityRef::of(HostId{7});
};

TEST_F(Awake, AreSummedByKind) {
  wake(job, 9, 4);
  wake(other_job, 3, 1);
  wake(host, 5, 5);
  const auto told = awake_report(activations, {std::nullopt, std::nullopt, 10});
  ASSERT_EQ(told.kinds.size(), 4u);
  EXPECT_EQ(told.kinds[0].awake, 2u);
  EXPECT_EQ(told.kinds[0].waiting, 7u);
  EXPECT_EQ(told.kinds[0].waiting_max, 5u);
  EXPECT_EQ(told.kinds[0].handled, 5u);
  EXPECT_EQ(told.kinds[2].waiting, 0u);
  ASSERT_EQ(told.awake.size(), 3u);
  EXPECT_EQ(told.awake[0].entity, job);  // The fullest first.
  EXPECT_EQ(told.awake[0].waiting, 5u);
  EXPECT_EQ(told.awake[2].entity, host);
  EXPECT_EQ(told.left_out, 0u);
}

TEST_F(Awake, AreListedUpToTheLimitOfTheKindAsked) {
  wake(job, 1, 0);
  wake(other_job, 2, 0);
  wake(host, 9, 0);
  const auto told = awake_report(activations, {EntityKind::job, std::nullopt, 1});
  ASSERT_EQ(told.kinds.size(), 1u);
  ASSERT_EQ(told.awake.size(), 1u);
  EXPECT_EQ(told.awake[0].entity, other_job);
  EXPECT_EQ(told.left_out, 1u);
  const auto one = awake_report(activations, {EntityKind::host, host, 1});
  ASSERT_EQ(one.awake.size(), 1u);
  EXPECT_EQ(one.awake[0].waiting, 9u);
}

TEST_F(Awake, RememberWhatThoseBeforeThemDid) {
  wake(job, 4, 4);
  activations.remove(job);
  activations.crashed(job, Instant{2000}, "out of cheese");
  wake(job, 1, 1);
  const auto told = awake_report(activations, {EntityKind::job, std::nullopt, 10});
  EXPECT_EQ(told.kinds[0].handled, 5u);
  EXPECT_EQ(told.kinds[0].activations, 2u);
  EXPECT_EQ(told.kinds[0].crashes, 1u);
  EXPECT_EQ(told.awake[0].restarts, 1u);
  EXPECT_EQ(told.awake[0].last_error, "out of cheese");
}

}  // namespace
}  // namespace troupe
