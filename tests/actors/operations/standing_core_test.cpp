#include "actors/operations/standing_core.hpp"

#include <gtest/gtest.h>

namespace troupe::operations {
namespace {

const std::string leaders =
    R"({"term":"3","leader":1,"commit":"90","last":"91","applied":"90","snapshot":"40","items":[)"
    R"({"node":1,"role":"LEADER","lag":"0","lastContactMs":0},)"
    R"({"node":2,"role":"VOTER","lag":"5","lastContactMs":20},)"
    R"({"node":3,"role":"LEARNER","lag":"91","lastContactMs":7000}]})";
const std::string followers =
    R"({"term":"3","leader":1,"commit":"86","last":"86","applied":"85","snapshot":"0","items":[)"
    R"({"node":1,"role":"LEADER"},{"node":2,"role":"VOTER"},{"node":3,"role":"LEARNER"}]})";

TEST(Standing, IsTheLeadersViewAndWhatEachNodeSaysOfItself) {
  const std::map<NodeId, NodeSaid> said{{NodeId{1}, {"a:1", "a:2", leaders, {}}},
                                        {NodeId{2}, {"b:1", "b:2", followers, {}}},
                                        {NodeId{3}, {"c:1", "", std::nullopt, "cannot be reached"}}};
  EXPECT_EQ(
      standing_json(said),
      R"({"leader":1,"term":"3","commit":"90","items":[)"
      R"({"node":1,"role":"LEADER","reachable":true,"address":"a:1","http":"a:2","term":"3","last":"91","commit":"90","applied":"90","snapshot":"40","lag":"0","lastContactMs":0},)"
      R"({"node":2,"role":"VOTER","reachable":true,"address":"b:1","http":"b:2","term":"3","last":"86","commit":"86","applied":"85","snapshot":"0","lag":"5","lastContactMs":20},)"
      R"({"node":3,"role":"LEARNER","reachable":false,"why":"cannot be reached","address":"c:1","http":"","lag":"91","lastContactMs":7000}]})");
}

TEST(Standing, WithoutALeaderIsWhatTheNodesSeeThemselves) {
  const std::map<NodeId, NodeSaid> said{{NodeId{1}, {"a:1", "", std::nullopt, "no"}},
                                        {NodeId{2}, {"b:1", "", followers, {}}},
                                        {NodeId{9}, {"x:1", "", std::nullopt, "no"}}};
  EXPECT_EQ(
      standing_json(said),
      R"({"leader":0,"term":"0","commit":"0","items":[)"
      R"({"node":1,"role":"NONE","reachable":false,"why":"no","address":"a:1","http":""},)"
      R"({"node":2,"role":"VOTER","reachable":true,"address":"b:1","http":"","term":"3","last":"86","commit":"86","applied":"85","snapshot":"0"},)"
      R"({"node":9,"role":"NONE","reachable":false,"why":"no","address":"x:1","http":""}]})");
}

TEST(Standing, TellsBuildsAndWhomTheLeaderSpares) {
  const std::string leads =
      R"({"term":"3","leader":1,"commit":"9","build":"aa","shardsOwned":32,"spared":{"node":2},"items":[]})";
  const std::string follows =
      R"({"term":"3","leader":1,"build":"bb","shardsOwned":0,"spared":{"node":7},"items":[]})";
  const std::string standing =
      standing_json({{NodeId{1}, {"", "", leads, {}}}, {NodeId{2}, {"", "", follows, {}}}});
  EXPECT_NE(standing.find(R"("commit":"9","spared":{"node":2},"items")"), std::string::npos) << standing;
  EXPECT_NE(standing.find(R"("build":"aa","shardsOwned":32)"), std::string::npos) << standing;
  EXPECT_NE(standing.find(R"("build":"bb","shardsOwned":0)"), std::string::npos) << standing;
}

TEST(Standing, OfTwoWhoSayTheyLeadTheLaterTermCounts) {
  const std::string older = R"({"term":"2","leader":2,"commit":"7","items":[]})";
  const std::map<NodeId, NodeSaid> said{{NodeId{1}, {"", "", leaders, {}}}, {NodeId{2}, {"", "", older, {}}}};
  EXPECT_EQ(standing_json(said).substr(0, 36), R"({"leader":1,"term":"3","commit":"90")");
}

}  // namespace
}  // namespace troupe::operations
