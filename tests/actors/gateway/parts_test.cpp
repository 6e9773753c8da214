#include <gmock/gmock.h>

#include "actors/gateway/event_ring.hpp"
#include "actors/gateway/router.hpp"
#include "actors/gateway/waits.hpp"

namespace troupe::gateway {
namespace {

using testing::ElementsAre;

TEST(GatewayRouter, PatternsTakeOneSegmentEach) {
  const auto match = match_route(routes(), "POST", "/api/v3/entities/job/7/release");
  ASSERT_NE(match.route, nullptr);
  EXPECT_THAT(match.captured, ElementsAre("job", "7"));
  EXPECT_EQ(match_route(routes(), "GET", "/api/v3/jobs/a/b").route, nullptr);
  EXPECT_EQ(match_route(routes(), "GET", "/api/v3/jobs/a/").route, nullptr);
  EXPECT_EQ(match_route(routes(), "GET", "//api/v3/jobs").route, nullptr);
  EXPECT_EQ(match_route(routes(), "GET", "").route, nullptr);
  EXPECT_EQ(match_route(routes(), "GET", "*").route, nullptr);
}

TEST(GatewayRouter, HeadIsAnsweredAsGet) {
  EXPECT_EQ(match_route(routes(), "HEAD", "/health").route, match_route(routes(), "GET", "/health").route);
}

TEST(GatewayRouter, EveryRouteIsReachedByItsOwnPattern) {
  for (const Route& route : routes())
    EXPECT_EQ(match_route(routes(), route.method, route.pattern).route, &route) << route.pattern;
}

Applied applied_with(std::uint64_t index, std::uint32_t events) {
  Applied applied;
  applied.index = Index{index};
  for (std::uint32_t i = 0; i < events; ++i) {
    Event event;
    event.id = {Index{index}, i};
    applied.events.push_back(event);
  }
  return applied;
}

TEST(GatewayEventRing, KnowsWhatItHasAndForgetsTheOldest) {
  EventRing ring(Index{10}, 3);
  EXPECT_TRUE(ring.covers(ring.end()));
  EXPECT_FALSE(ring.covers({Index{10}, 0}));
  ring.add(applied_with(11, 2));
  EXPECT_EQ(ring.end(), (EventId{Index{11}, 1}));
  EXPECT_EQ(ring.after({Index{11}, 0}), 1U);
  ring.add(applied_with(12, 0));
  EXPECT_EQ(ring.end(), (EventId{Index{12}, 0}));
  EXPECT_EQ(ring.after(ring.end()), ring.size());
  ring.add(applied_with(13, 3));
  EXPECT_EQ(ring.size(), 3U);
  EXPECT_FALSE(ring.covers({Index{11}, 0}));
  EXPECT_TRUE(ring.covers({Index{11}, 1}));
  EXPECT_TRUE(ring.covers({Index{12}, 0}));
}

TEST(GatewayWaits, EachContinuationRunsOnceAndMayWaitAgain) {
  Waits<int> waits;
  std::vector<int> got;
  const auto first =
      waits.add(Moment{10}, [&](const Result<int>& r) { got.push_back(r.ok() ? r.value() : -1); });
  waits.add(Moment{20}, [&](const Result<int>& r) {
    got.push_back(r.ok() ? r.value() : -2);
    waits.add(Moment{20}, [&](const Result<int>&) { got.push_back(-3); });
  });
  waits.settle(first, 7);
  waits.settle(first, 8);
  waits.expire(Moment{19}, {ErrorCode::unavailable, "late"});
  EXPECT_THAT(got, ElementsAre(7));
  waits.expire(Moment{20}, {ErrorCode::unavailable, "late"});
  EXPECT_THAT(got, ElementsAre(7, -2));
  EXPECT_EQ(waits.size(), 1U);
}

}  // namespace
}  // namespace troupe::gateway
