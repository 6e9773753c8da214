// The debug document over HTTP: what the node's actors told is in it, and what they did not tell says why.

#include <gmock/gmock.h>

#include "actors/gateway/services.hpp"
#include "actors/runtime/logging.hpp"
#include "scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

constexpr std::size_t questions = 5;  // four of the console, one of the operations

/// Answers every question that is open with an object that has the question in it.
void answer_all(Scene& scene) {
  while (!scene.asked.empty()) {
    const auto* console = std::get_if<AskConsole>(&scene.asked.front().question);
    EXPECT_EQ(scene.asked.front().node, NodeId{1});
    scene.answer(Answer::of(Bytes(R"({"of":")" + (console == nullptr ? "members" : console->command) +
                                  R"(","password":"hunter2"})")));
  }
}

TEST(GatewayDebug, OneDocumentTellsAllOfThisNode) {
  Scene scene;
  logging::warn("debug_is_tried password={}", "hunter2");
  const auto seen = scene.get("/api/v3/debug");
  EXPECT_EQ(scene.asked.size(), questions);
  EXPECT_FALSE(seen->answered);
  answer_all(scene);
  ASSERT_EQ(seen->response.status, 200);
  const auto document = seen->json();
  EXPECT_EQ(*document.find("about")->find("node")->integer(), 1);
  EXPECT_EQ(*document.find("actors")->find("of")->text(), "actors");
  EXPECT_EQ(*document.find("members")->find("of")->text(), "members");
  EXPECT_EQ(*document.find("settings")->find("gateway_waiting_max")->find("value")->integer(), 10'000);
  EXPECT_TRUE(*document.find("status")->find("serves")->boolean());
  EXPECT_THAT(*document.find("metrics")->find("text")->text(), HasSubstr("troupe_raft_term"));
  EXPECT_THAT(*document.find("metrics")->find("text")->text(),
              HasSubstr("troupe_scheduler_placements_total"));
  EXPECT_FALSE(document.find("threads")->find("threads")->array()->empty());
  EXPECT_THAT(seen->response.body, HasSubstr("debug_is_tried password=[redacted]"));
  EXPECT_THAT(seen->response.body, testing::Not(HasSubstr("hunter2")));
}

TEST(GatewayDebug, SilentActorsAreMissingAndTheRestIsThere) {
  Scene scene;
  const auto seen = scene.get("/api/v3/debug");
  scene.answer(Answer::of(Error{ErrorCode::unavailable, "the node is not up yet"}));
  scene.asked.clear();
  scene.advance(milliseconds(7'000));
  ASSERT_EQ(seen->response.status, 200);
  const auto document = seen->json();
  EXPECT_EQ(*document.find("actors")->find("missing")->text(), "the node is not up yet");
  EXPECT_EQ(*document.find("members")->find("missing")->text(), "no answer in time");
  EXPECT_NE(document.find("process")->find("pid"), nullptr);
}

TEST(GatewayDebug, NeedsNeitherLeaderNorFreshState) {
  Scene scene;
  scene.context->status.leader = 0;
  scene.replica_does = Scene::Replica::silent;
  const auto seen = scene.get("/api/v3/debug");
  answer_all(scene);
  ASSERT_EQ(seen->response.status, 200);
  EXPECT_FALSE(*seen->json().find("status")->find("serves")->boolean());
  EXPECT_EQ(scene.reads_awaited, 0u);
}

TEST(GatewayDebug, OnlyAFewAreMadeAtOnce) {
  Scene scene;
  for (long n = 0; n < gateway::debug_calls_max; ++n) scene.get("/api/v3/debug");
  const auto refused = scene.get("/api/v3/debug");
  EXPECT_EQ(refused->response.status, 503);
  EXPECT_EQ(refused->code(), "overloaded");
  answer_all(scene);
  const auto later = scene.get("/api/v3/debug");
  answer_all(scene);
  EXPECT_EQ(later->response.status, 200);
}

TEST(GatewayDebug, TakesNoParameters) {
  Scene scene;
  EXPECT_EQ(scene.get("/api/v3/debug?node=2")->response.status, 400);
  EXPECT_TRUE(scene.asked.empty());
}

}  // namespace
}  // namespace troupe
