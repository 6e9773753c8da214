// Pausing the scheduling of the cell, a group or a host, and what is told of it.

#include <gmock/gmock.h>

#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Paths {
  std::string change, look;
};
const std::vector<Paths> paths{{"/api/v3/cell/scheduling", "/api/v3/cell"},
                               {"/api/v3/groups/DEFAULT/scheduling", "/api/v3/groups/DEFAULT"},
                               {"/api/v3/hosts/h1/scheduling", "/api/v3/hosts/h1"},
                               {"/api/v3/hosts/1/scheduling", "/api/v3/hosts"}};
const http::Headers why{{"x-titus-callreason", "INC-12"}};

struct LevelScene : Scene {
  explicit LevelScene(std::uint32_t level) {
    for (std::uint32_t n = 1; n <= level; ++n) cell.apply(RaiseLevel{n}, cell.term_fence());
    cell.host("h1");
  }
};

TEST(GatewayScheduling, IsPausedWithAReasonAndResumed) {
  for (const Paths& path : paths) {
    LevelScene scene(3);
    EXPECT_EQ(scene.call("PUT", path.change, R"({"paused":true})", why)->response.status, 200) << path.change;
    EXPECT_THAT(scene.get(path.look)->response.body, HasSubstr(R"("reason":"INC-12"})")) << path.look;
    EXPECT_EQ(scene.call("PUT", path.change, R"({"paused":false})")->response.status, 200);
    EXPECT_THAT(scene.get(path.look)->response.body, Not(HasSubstr("paused")));
  }
}

TEST(GatewayScheduling, IsNotPausedWithoutAWordOrByABadOne) {
  LevelScene scene(3);
  for (const Paths& path : paths) {
    const auto silent = scene.call("PUT", path.change, R"({"paused":true})");
    EXPECT_EQ(silent->response.status, 400);
    EXPECT_THAT(silent->response.body, HasSubstr("X-Titus-CallReason"));
    for (const char* body : {"{}", R"({"paused":"yes"})", R"({"paused":true,"for":"ever"})", "", "["})
      EXPECT_EQ(scene.call("PUT", path.change, body, why)->response.status, 400) << body;
  }
  for (const char* path : {"/api/v3/groups/nobody/scheduling", "/api/v3/hosts/nobody/scheduling"})
    EXPECT_EQ(scene.call("PUT", path, R"({"paused":true})", why)->response.status, 404) << path;
  EXPECT_EQ(scene.call("PUT", paths[0].change + std::string("?dryRun=true"), R"({"paused":true})", why)
                ->response.status,
            400)
      << "nobody reads it";
  EXPECT_TRUE(scene.cell.reads().wide_pauses().empty());
}

TEST(GatewayScheduling, WaitsForTheCellsLevel) {
  LevelScene scene(2);
  EXPECT_EQ(scene.call("PUT", paths[0].change, R"({"paused":true})", why)->response.status, 409);
}

}  // namespace
}  // namespace troupe
