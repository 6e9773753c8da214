// A snapshot over HTTP: taken under the request's own id, read in bounded ranges, let go.

#include <gmock/gmock.h>

#include "scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;
using Kind = BackupOrder::Kind;

TEST(GatewayBackups, OneIsTakenUnderTheRequestsOwnIdAndNamesItsCaller) {
  Scene scene;
  const auto seen = scene.call("POST", "/api/v3/cell/snapshots", {},
                               {{"idempotency-key", "k1"}, {"x-titus-callerid", "ann"}});
  ASSERT_EQ(scene.backups_asked.size(), 1u);
  EXPECT_EQ(scene.backups_asked.front().order.kind, Kind::take);
  EXPECT_EQ(scene.backups_asked.front().order.id, "k1");
  EXPECT_EQ(scene.backups_asked.front().order.who, "ann");
  scene.answer_backup(Answer::of(Bytes(R"({"snapshot":"k1"})")));
  EXPECT_EQ(seen->response.status, 200);
  EXPECT_EQ(seen->response.body, R"({"snapshot":"k1"})");
}

TEST(GatewayBackups, AnotherOneUnderWayIsNotNowAndSaysWhenToComeBack) {
  Scene scene;
  const auto seen = scene.call("POST", "/api/v3/cell/snapshots");
  scene.answer_backup(Answer::of(Error{ErrorCode::overloaded, "another backup is being taken"}));
  EXPECT_EQ(seen->response.status, 503);
  EXPECT_EQ(seen->code(), "overloaded");
  EXPECT_FALSE(seen->header("retry-after").empty());
}

TEST(GatewayBackups, ManifestAndFilesComeAsTheyAre) {
  Scene scene;
  const auto manifest = scene.get("/api/v3/cell/snapshots/k1");
  EXPECT_EQ(scene.backups_asked.front().order.kind, Kind::manifest);
  EXPECT_EQ(scene.backups_asked.front().order.id, "k1");
  const Bytes bytes("\0\xff\x01", 3);
  scene.answer_backup(Answer::of(bytes));
  EXPECT_EQ(manifest->response.status, 200);
  EXPECT_EQ(manifest->response.body, bytes);
  EXPECT_EQ(manifest->header("content-type"), "application/octet-stream");

  const auto piece = scene.get("/api/v3/cell/snapshots/k1/files/000012.sst?offset=1048576&limit=3");
  const BackupOrder order = scene.backups_asked.front().order;
  EXPECT_EQ(order.kind, Kind::read);
  EXPECT_EQ(order.file, "000012.sst");
  EXPECT_EQ(order.offset, 1'048'576u);
  EXPECT_EQ(order.size, 3u);
  scene.answer_backup(Answer::of(bytes));
  EXPECT_EQ(piece->response.body, bytes);
}

TEST(GatewayBackups, RangesAreNumbersAndNothingElseIsAsked) {
  Scene scene;
  for (const char* query : {"offset=-1", "offset=x", "limit=1k", "size=3"})
    EXPECT_EQ(scene.get(std::string("/api/v3/cell/snapshots/k1/files/a?") + query)->response.status, 400)
        << query;
  EXPECT_EQ(scene.get("/api/v3/cell/snapshots/k1?x=1")->response.status, 400);
  EXPECT_TRUE(scene.backups_asked.empty());
}

TEST(GatewayBackups, OneIsLetGo) {
  Scene scene;
  const auto seen = scene.call("DELETE", "/api/v3/cell/snapshots/k1");
  EXPECT_EQ(scene.backups_asked.front().order.kind, Kind::drop);
  scene.answer_backup(Answer::of(Bytes("{}")));
  EXPECT_EQ(seen->response.status, 200);
}

TEST(GatewayBackups, ASnapshotThatIsGoneIsNotFound) {
  Scene scene;
  const auto seen = scene.get("/api/v3/cell/snapshots/k1/files/a");
  scene.answer_backup(Answer::of(Error{ErrorCode::not_found, "this node holds no such snapshot any more"}));
  EXPECT_EQ(seen->response.status, 404);
  EXPECT_THAT(seen->response.body, HasSubstr("no such snapshot"));
}

}  // namespace
}  // namespace troupe
