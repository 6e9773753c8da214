// A trace over HTTP: every node is asked for its part, and the parts are merged.

#include <gmock/gmock.h>

#include "scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

const std::string id = "0123456789abcdef";

std::string command_of(const Scene& scene) {
  return std::get<AskConsole>(scene.asked.front().question).command;
}

std::string part(const std::string& items, const std::string& state = "over") {
  return R"({"id":"0123456789abcdef","entity":"host/h1","state":")" + state +
         R"(","why":"stopped","messages":1,"items":[)" + items + "]}";
}
const std::string nudge =
    R"({"kind":"handled","entity":"host/h1","what":"nudge","index":"7","at":"1800000000000"})";

TEST(GatewayTraces, AreStartedOnEveryNode) {
  Scene scene;
  const auto seen = scene.call("POST", "/api/v3/traces", R"({"entity":"host/h1","messages":50})");
  ASSERT_EQ(scene.asked.size(), 2U);
  EXPECT_THAT(command_of(scene), MatchesRegex("trace start [0-9a-f]{16} 50 60 host/h1"));
  scene.answer(Answer::of(Bytes(part("", "on"))));
  EXPECT_FALSE(seen->answered);
  scene.answer(Answer::of(Error{ErrorCode::unavailable, "node 2 cannot be reached"}));
  EXPECT_EQ(seen->response.status, 200);
  EXPECT_THAT(seen->response.body, HasSubstr(R"({"node":2,"error":"node 2 cannot be reached"})"));
}

TEST(GatewayTraces, AreShownAndStoppedOnEveryNode) {
  Scene scene;
  for (const auto& [method, verb] : {std::pair{"GET", "show"}, {"DELETE", "stop"}}) {
    const auto seen = scene.call(method, "/api/v3/traces/" + id);
    ASSERT_EQ(scene.asked.size(), 2U);
    EXPECT_EQ(command_of(scene), "trace " + std::string(verb) + ' ' + id);
    scene.answer(Answer::of(Bytes(part(nudge))));
    scene.answer(Answer::of(Bytes(part(nudge))));
    EXPECT_EQ(seen->response.status, 200);
    EXPECT_EQ(seen->json().find("items")->array()->size(), 2U);
  }
}

TEST(GatewayTraces, OfWhichNoNodeKnowsAreNotFound) {
  Scene scene;
  const auto seen = scene.get("/api/v3/traces/" + id);
  for (int node = 0; node < 2; ++node)
    scene.answer(Answer::of(Error{ErrorCode::not_found, "this node has no trace " + id}));
  EXPECT_EQ(seen->response.status, 404);
  EXPECT_EQ(scene.get("/api/v3/traces/x%20y")->response.status, 404);
  EXPECT_TRUE(scene.asked.empty()) << "only ids that were given out go into a command";
}

TEST(GatewayTraces, BadOnesAreRefusedWithTheirPlace) {
  Scene scene;
  for (const char* body :
       {"{}", R"({"entity":""})", R"({"entity":"host/h1 1"})", R"({"entity":"host/h1","messages":0})",
        R"({"entity":"host/h1","seconds":601})", R"({"entity":"host/h1","depth":1})"}) {
    const auto seen = scene.call("POST", "/api/v3/traces", body);
    EXPECT_EQ(seen->response.status, 400) << body;
    EXPECT_THAT(seen->response.body, HasSubstr("violations")) << body;
  }
  EXPECT_TRUE(scene.asked.empty());
}

}  // namespace
}  // namespace troupe
