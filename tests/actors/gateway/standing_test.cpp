// The whole cell's standing over HTTP: each node is asked for itself.

#include <gmock/gmock.h>

#include "scene.hpp"

namespace troupe {
namespace {

TEST(GatewayStanding, EveryNodeIsAskedAndWhoIsSilentIsToldAsSuch) {
  Scene scene;
  const auto seen = scene.get("/api/v3/cell/status");
  ASSERT_EQ(scene.asked.size(), 2u);
  EXPECT_EQ(scene.asked[0].node, NodeId{1});
  EXPECT_EQ(scene.asked[1].node, NodeId{2});
  EXPECT_EQ(std::get<AskCell>(scene.asked[1].question).order.kind, CellOrder::Kind::look);
  scene.answer(Answer::of(Bytes(
      R"({"term":"3","leader":1,"commit":"9","last":"9","applied":"9","snapshot":"0","items":[{"node":1,"role":"LEADER"},{"node":2,"role":"VOTER","lag":"4","lastContactMs":900}]})")));
  EXPECT_FALSE(seen->answered);
  scene.answer(Answer::of(Error{ErrorCode::unavailable, "node 2 cannot be reached"}));
  EXPECT_EQ(seen->response.status, 200);
  const json::Value items = *seen->json().find("items");
  ASSERT_EQ(items.array()->size(), 2u);
  const json::Value& down = (*items.array())[1];
  EXPECT_FALSE(*down.find("reachable")->boolean());
  EXPECT_EQ(*down.find("why")->text(), "node 2 cannot be reached");
  EXPECT_EQ(*down.find("lag")->text(), "4");
}

TEST(GatewayStanding, IsAnsweredInTimeWhenNobodyAnswers) {
  Scene scene;
  const auto seen = scene.get("/api/v3/cell/status");
  scene.advance(milliseconds(4'000));
  EXPECT_EQ(seen->response.status, 200);
  EXPECT_EQ(*seen->json().find("leader")->integer(), 0);
}

}  // namespace
}  // namespace troupe
