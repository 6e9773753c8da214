#include <gmock/gmock.h>

#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;

struct Members : testing::Test {
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(Members, AreListed) {
  cell.on(
      "GET /api/v3/cell/members",
      R"({"items":[{"node":1,"role":"LEADER","address":"a:1","state":"","match":"90","lag":"0","lastContactMs":0,"levelKnown":1},)"
      R"({"node":2,"role":"LEARNER","address":"b:1","state":"snapshot","match":"7","lag":"83","lastContactMs":12}]})");
  EXPECT_EQ(line.run({"cell", "members"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(),
            "NODE  ROLE     ADDRESS  STATE     MATCH  LAG  LAST CONTACT  LEVEL KNOWN\n"
            "1     LEADER   a:1      -         90     0    -             1\n"
            "2     LEARNER  b:1      snapshot  7      83   12 ms         -\n");
}

constexpr const char* standing =
    R"({"leader":1,"term":"3","commit":"90","spared":{"node":2,"by":"ann","reason":"release 12","forMs":900},"items":[)"
    R"({"node":1,"role":"LEADER","reachable":true,"http":"","term":"3","last":"91","commit":"90","applied":"90","snapshot":"40","build":"0123456789abcdef","shardsOwned":64,"lag":"0","lastContactMs":0},)"
    R"({"node":2,"role":"VOTER","reachable":false,"why":"cannot be reached","http":"","lag":"5","lastContactMs":900},)"
    R"({"node":3,"role":"LEARNER","reachable":true,"voteWithheld":"repairs itself","http":"","term":"3","last":"7","commit":"7","applied":"7","snapshot":"0","lag":"84","lastContactMs":20}]})";

TEST_F(Members, HowEachStandsIsPartOfTheCellsStatus) {
  cell.on("GET /api/v3/cell", R"({"name":"home"})");
  cell.on("GET /api/v3/cell/status", standing);
  EXPECT_EQ(line.run({"cell", "status"}), exit_ok) << line.err.str();
  EXPECT_EQ(
      line.out.str(),
      "name: home\n\n"
      "NODE  ROLE     TERM  LAST  COMMITTED  APPLIED  SNAPSHOT  LAG  LAST CONTACT  BUILD             SHARDS  "
      "REACHABLE\n"
      "1     LEADER   3     91    90         90       40        0    -             0123456789abcdef  64      "
      "yes\n"
      "2     VOTER    -     -     -          -        -         5    900 ms        -                 -       "
      "NO: cannot be reached, hands over for ann: release 12\n"
      "3     LEARNER  3     7     7          7        0         84   20 ms         -                 -       "
      "yes, does not vote: repairs itself\n");
  EXPECT_EQ(line.run({"cell", "status", "--json"}), exit_ok);
  EXPECT_THAT(line.out.str(), testing::StartsWith(R"({"name":"home","nodes":[{"node":1,)"));
}

TEST_F(Members, OneIsAddedPromotedAndRemoved) {
  cell.on("POST /api/v3/cell/members", R"({"index":"91"})");
  cell.on("POST /api/v3/cell/members/3/promote", R"({"index":"99"})");
  cell.on("DELETE /api/v3/cell/members/3", R"({"index":"120"})");
  EXPECT_EQ(line.run({"cell", "members", "add", "3", "c:1"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("troupe cell members promote 3"));
  EXPECT_EQ(cell.asked("POST /api/v3/cell/members").at(0).body, R"({"node":3,"address":"c:1"})");
  EXPECT_EQ(line.run({"cell", "members", "promote", "3"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.run({"cell", "members", "remove", "3", "--json"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "{\"index\":\"120\"}\n");
}

TEST_F(Members, OneHandsOverAndIsTakenBack) {
  cell.on("POST /api/v3/cell/members/3/handOver", R"({"index":"91"})");
  cell.on("POST /api/v3/cell/members/3/takeBack", R"({"index":"95"})");
  EXPECT_EQ(line.run({"cell", "members", "hand-over", "3", "--for", "20m", "--reason", "new disk"}), exit_ok)
      << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("troupe cell members take-back 3"));
  const auto asked = cell.asked("POST /api/v3/cell/members/3/handOver");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].body, R"({"seconds":1200})");
  EXPECT_EQ(asked[0].header("x-titus-callreason"), "new disk");
  EXPECT_EQ(line.run({"cell", "members", "take-back", "3"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "node 3 may own shards again\n");
  EXPECT_EQ(line.run({"cell", "members", "hand-over", "3", "--for", "long", "--reason", "r"}), exit_usage);
  EXPECT_EQ(line.run({"cell", "members", "hand-over", "3"}), exit_usage) << "without a reason";
}

TEST_F(Members, ARefusalSaysWhy) {
  cell.on("POST /api/v3/cell/members/3/promote",
          R"({"statusCode":400,"code":"INVALID_ARGUMENT","message":"node 3 lags by 70000 entries"})", 400);
  EXPECT_NE(line.run({"cell", "members", "promote", "3"}), exit_ok);
  EXPECT_THAT(line.err.str(), HasSubstr("node 3 lags by 70000 entries"));
}

TEST_F(Members, NumbersAreNumbers) {
  EXPECT_EQ(line.run({"cell", "members", "promote", "three"}), exit_usage);
  EXPECT_EQ(line.run({"cell", "members", "remove", "0"}), exit_usage);
  EXPECT_EQ(line.run({"cell", "transfer-leader", "2", "--timeout", "soon"}), exit_usage);
}

TEST_F(Members, LeadershipIsWaitedFor) {
  cell.on("PUT /api/v3/cell/leader", "{}");
  cell.in_turn("GET /api/v3/cell", {{200, {}, R"({"leader":1})"}, {200, {}, R"({"leader":2})"}});
  EXPECT_EQ(line.run({"cell", "transfer-leader", "2"}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "node 2 leads\n");
  EXPECT_EQ(cell.asked("PUT /api/v3/cell/leader").at(0).body, R"({"node":2})");
  EXPECT_EQ(cell.asked("GET /api/v3/cell").size(), 2u);
}

TEST_F(Members, LeadershipThatStaysIsTold) {
  cell.on("PUT /api/v3/cell/leader", "{}");
  cell.on("GET /api/v3/cell", R"({"leader":1})");
  EXPECT_NE(line.run({"cell", "transfer-leader", "2", "--timeout", "1ms"}), exit_ok);
  EXPECT_THAT(line.err.str(), HasSubstr("node 2 does not lead after 1ms"));
}

}  // namespace
}  // namespace troupe::cli
