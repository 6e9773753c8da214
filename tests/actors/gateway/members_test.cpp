// The cell's members through HTTP: what is asked of the leader, and what is refused before.

#include <gmock/gmock.h>

#include "scene.hpp"

namespace troupe {
namespace {

using raft::MemberChangeKind;
using testing::HasSubstr;

const CellOrder& order_of(const Scene& scene) {
  return std::get<AskCell>(scene.asked.front().question).order;
}

TEST(GatewayMembers, AreAskedOfTheLeader) {
  Scene scene;
  const auto seen = scene.get("/api/v3/cell/members");
  ASSERT_EQ(scene.asked.size(), 1U);
  EXPECT_EQ(scene.asked.front().node, NodeId{0});
  EXPECT_EQ(order_of(scene).kind, CellOrder::Kind::look);
  scene.answer(Answer::of(Bytes(R"({"items":[]})")));
  EXPECT_EQ(seen->response.status, 200);
  EXPECT_EQ(seen->response.body, R"({"items":[]})");
  EXPECT_EQ(scene.get("/api/v3/cell/members?color=red")->response.status, 400);
}

TEST(GatewayMembers, OneIsAddedByNumberAndAddress) {
  Scene scene;
  const auto seen = scene.call("POST", "/api/v3/cell/members", R"({"node":4,"address":"10.0.0.4:7101"})");
  ASSERT_EQ(scene.asked.size(), 1U);
  EXPECT_EQ(order_of(scene).change, MemberChangeKind::add_learner);
  EXPECT_EQ(order_of(scene).node, NodeId{4});
  EXPECT_EQ(order_of(scene).address, "10.0.0.4:7101");
  scene.answer(
      Answer::of(Error{ErrorCode::conflict, "the membership change before is not applied yet; try again"}));
  EXPECT_EQ(seen->response.status, 409);
  EXPECT_THAT(seen->response.body, HasSubstr("not applied yet"));
}

TEST(GatewayMembers, EachOrderIsInTheAuditBeforeItIsGiven) {
  Scene scene;
  scene.cell.apply(RaiseLevel{1}, scene.cell.term_fence());
  scene.cell.apply(RaiseLevel{2}, scene.cell.term_fence());
  const http::Headers said{{"x-titus-callerid", "ann"}, {"x-titus-callreason", "its disk is old"}};
  scene.replica_does = Scene::Replica::fails;
  EXPECT_EQ(scene.call("DELETE", "/api/v3/cell/members/3", {}, said)->response.status, 503);
  EXPECT_TRUE(scene.asked.empty()) << "what cannot be noted is not done";
  scene.replica_does = Scene::Replica::works;
  for (const auto& [method, target, body] :
       {std::tuple{"POST", "/api/v3/cell/members", R"({"node":4,"address":"a:1"})"},
        {"POST", "/api/v3/cell/members/4/promote", ""},
        {"POST", "/api/v3/cell/members/2/handOver", R"({"seconds":90})"},
        {"POST", "/api/v3/cell/members/2/takeBack", ""},
        {"DELETE", "/api/v3/cell/members/3", ""},
        {"PUT", "/api/v3/cell/leader", R"({"node":2})"}}) {
    scene.call(method, target, body, said);
    ASSERT_EQ(scene.asked.size(), 1U) << target;
    scene.answer(Answer::of(Bytes("{}")));
  }
  std::vector<std::string> subjects;
  const auto entries = scene.cell.machine->reads().audit(1, 100);
  ASSERT_TRUE(entries.ok());
  for (const AuditRecord& entry : entries.value()) {
    if (entry.caller != "ann") continue;
    EXPECT_EQ(entry.reason, "its disk is old");
    subjects.push_back(entry.subject);
  }
  EXPECT_THAT(subjects, testing::ElementsAre("members/add/4", "members/promote/4", "members/hand-over/2",
                                             "members/take-back/2", "members/remove/3", "leader/2"));
}

TEST(GatewayMembers, BadOrdersAreRefusedWithTheirPlace) {
  Scene scene;
  const auto bad = [&](const std::string& body) {
    const auto seen = scene.call("POST", "/api/v3/cell/members", body);
    EXPECT_EQ(seen->response.status, 400) << body;
    return seen->response.body;
  };
  EXPECT_THAT(bad(R"({"address":"a:1"})"), HasSubstr("node"));
  EXPECT_THAT(bad(R"({"node":0,"address":"a:1"})"), HasSubstr("node"));
  EXPECT_THAT(bad(R"({"node":70000,"address":"a:1"})"), HasSubstr("node"));
  for (const char* address : {"", "a", "a:", ":1", "a:0", "a:65536", "a:1x"})
    EXPECT_THAT(bad(std::string(R"({"node":4,"address":")") + address + "\"}"), HasSubstr("address"));
  bad(R"({"node":4,"address":"a:1","vote":true})");
  bad("{");
  for (const char* node : {"zero", "0", "-1", "70000", "4x"})
    EXPECT_EQ(scene.call("DELETE", std::string("/api/v3/cell/members/") + node)->response.status, 400)
        << node;
  EXPECT_EQ(scene.call("PUT", "/api/v3/cell/leader", R"({"node":"two"})")->response.status, 400);
  EXPECT_TRUE(scene.asked.empty());
}

TEST(GatewayMembers, OneIsPromotedAndRemovedAndLeadershipHandedOver) {
  Scene scene;
  const auto given = [&](std::string_view method, std::string_view target, std::string body = {}) {
    const auto seen = scene.call(method, target, std::move(body));
    const CellOrder order = order_of(scene);
    scene.answer(Answer::of(Bytes(R"({"index":"7"})")));
    EXPECT_EQ(seen->response.status, 200);
    return order;
  };
  EXPECT_EQ(given("POST", "/api/v3/cell/members/4/promote").change, MemberChangeKind::promote);
  const CellOrder removal = given("DELETE", "/api/v3/cell/members/4");
  EXPECT_EQ(removal.change, MemberChangeKind::remove);
  EXPECT_EQ(removal.node, NodeId{4});
  const CellOrder transfer = given("PUT", "/api/v3/cell/leader", R"({"node":2})");
  EXPECT_EQ(transfer.kind, CellOrder::Kind::transfer);
  EXPECT_EQ(transfer.node, NodeId{2});
  EXPECT_EQ(given("POST", "/api/v3/cell/members/2/takeBack").kind, CellOrder::Kind::take_back);
}

TEST(GatewayMembers, ANodeHandsOverForAWhileInTheNameOfWhoAsks) {
  Scene scene;
  const auto seen = scene.call("POST", "/api/v3/cell/members/2/handOver", R"({"seconds":90})",
                               {{"x-titus-callerid", "ann"}, {"x-titus-callreason", "release 12"}});
  ASSERT_EQ(scene.asked.size(), 1U);
  const CellOrder order = unpacked<CellOrder>(packed(order_of(scene))).value();
  EXPECT_EQ(order.kind, CellOrder::Kind::hand_over);
  EXPECT_EQ(order.node, NodeId{2});
  EXPECT_EQ(order.at_most, milliseconds(90'000));
  EXPECT_EQ(order.caller, "ann");
  EXPECT_EQ(order.reason, "release 12");
  scene.answer(Answer::of(Bytes(R"({"index":"7"})")));
  EXPECT_EQ(seen->response.status, 200);
  for (const char* body : {R"({"seconds":0})", R"({"seconds":3601})", "{}", R"({"seconds":9,"node":1})"})
    EXPECT_EQ(scene.call("POST", "/api/v3/cell/members/2/handOver", body)->response.status, 400) << body;
}

TEST(GatewayShards, OneGoesToAnotherNodeInTheNameOfWhoAsks) {
  Scene scene;
  const auto put = [&](const std::string& shard, const std::string& body) {
    return scene
        .call("PUT", "/api/v3/cell/shards/" + shard + "/owner", body,
              {{"x-titus-callerid", "ann"}, {"x-titus-callreason", "node 1 is slow"}})
        ->response.status;
  };
  EXPECT_EQ(put("3", R"({"node":1})"), 409) << "it is there already";
  EXPECT_EQ(put("3", R"({"node":9})"), 409) << "no voter";
  EXPECT_EQ(put("3", "{}"), 400);
  EXPECT_EQ(put("three", R"({"node":2})"), 400);
  EXPECT_EQ(put("640", R"({"node":2})"), 404);
  ASSERT_EQ(put("3", R"({"node":2})"), 200);
  EXPECT_EQ(scene.cell.reads().shard(ShardId{3}).owner, NodeId{2});
  EXPECT_EQ(scene.cell.reads().shard(ShardId{2}).owner, NodeId{1}) << "node 1 still has more than its share";
}

TEST(GatewayActors, OneIsRestartedWhereItsOwnerIsAfterTheAuditHasIt) {
  Scene scene;
  for (std::uint32_t level = 1; level <= 2; ++level)
    scene.cell.apply(RaiseLevel{level}, scene.cell.term_fence());
  const HostId host = scene.cell.host("h-1");
  const JobId job = scene.cell.submit(batch_of(1));
  const auto order_for = [&](const std::string& entity) {
    const auto seen = scene.call("POST", "/api/v3/actors/" + entity + "/restart");
    const CellOrder order = unpacked<CellOrder>(packed(order_of(scene))).value();
    EXPECT_EQ(order.kind, CellOrder::Kind::restart);
    scene.answer(Answer::of(Bytes(R"({"index":"7"})")));
    EXPECT_EQ(seen->response.status, 200);
    return order.entity;
  };
  EXPECT_EQ(order_for("job/" + to_text(job)), EntityRef::of(job));
  EXPECT_EQ(order_for("host/h-1"), EntityRef::of(host));
  EXPECT_EQ(order_for("group/DEFAULT"), EntityRef::of_group("DEFAULT"));
  for (const char* entity : {"job/6f1c0000-0000-4000-8000-000000000009", "host/nobody", "group/none"})
    EXPECT_EQ(scene.call("POST", "/api/v3/actors/" + std::string(entity) + "/restart")->response.status, 404)
        << entity;
  for (const char* entity : {"node/1", "job/x"})
    EXPECT_EQ(scene.call("POST", "/api/v3/actors/" + std::string(entity) + "/restart")->response.status, 400)
        << entity;
}

}  // namespace
}  // namespace troupe
