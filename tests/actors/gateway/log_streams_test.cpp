#include <gmock/gmock.h>

#include "actors/gateway/gateway_settings.hpp"
#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

agent::CallAnswer said(std::string data, std::uint64_t next_offset, bool ended = false) {
  agent::CallAnswer answer;
  answer.data = std::move(data);
  answer.next_offset = next_offset;
  answer.ended = ended;
  return answer;
}

agent::CallAnswer refused(ErrorCode code) {
  agent::CallAnswer answer;
  answer.error = static_cast<std::uint8_t>(1 + static_cast<int>(code));
  answer.message = "refused by the agent";
  return answer;
}

struct LogScene : Scene {
  LogScene() = default;
  explicit LogScene(const std::function<void(NodeContext&)>& change) : Scene(change) {}
  HostId host = cell.host("h1");
  JobId job = cell.submit(batch_of(2));
  TaskId task = cell.running(job, 0, host);
  std::string url = "/api/v3/tasks/" + to_text(task) + "/logs";

  const AskAgent& question() const { return std::get<AskAgent>(asked.front().question); }
};

TEST(GatewayLogs, ALogIsReadPieceByPieceToItsPresentEnd) {
  LogScene scene;
  const auto seen = scene.get(scene.url + "?stream=stderr&offset=5");
  ASSERT_EQ(scene.asked.size(), 1U);
  EXPECT_EQ(scene.asked.front().node, first_node);
  EXPECT_EQ(scene.question().host, scene.host);
  EXPECT_EQ(scene.question().call.task, scene.task);
  EXPECT_EQ(scene.question().call.stream, agent::LogStream::standard_error);
  EXPECT_EQ(scene.question().call.offset, 5U);
  EXPECT_EQ(scene.question().call.bytes_max, 64U * 1024);
  EXPECT_EQ(scene.question().call.wait, milliseconds(0));
  scene.answer(said("hello ", 11));
  EXPECT_EQ(seen->header("x-troupe-offset"), "5");
  EXPECT_THAT(std::string(seen->header("content-type")), HasSubstr("text/plain"));
  EXPECT_EQ(scene.question().call.offset, 11U);
  scene.answer(said("world", 16));
  EXPECT_FALSE(seen->finished);
  scene.answer(said("", 16));
  EXPECT_TRUE(seen->finished);
  EXPECT_EQ(seen->body, "hello world");
}

TEST(GatewayLogs, AFollowedLogGoesOnUntilTheTaskHasEnded) {
  LogScene scene;
  const auto seen = scene.get(scene.url + "?follow=true");
  EXPECT_TRUE(seen->opened);
  EXPECT_EQ(scene.question().call.wait, milliseconds(2'000));
  scene.answer(said("a", 1));
  scene.answer(said("", 1));
  EXPECT_TRUE(scene.asked.empty());
  scene.advance(milliseconds(100));
  ASSERT_EQ(scene.asked.size(), 1U);
  EXPECT_EQ(scene.question().call.offset, 1U);
  scene.answer(said("b", 2, true));
  EXPECT_TRUE(seen->finished);
  EXPECT_EQ(seen->body, "ab");
}

TEST(GatewayLogs, TheNextPieceIsAskedOnlyWhenTheReaderHasTakenTheLast) {
  LogScene scene;
  const auto slow = scene.start("GET", scene.url, {}, {}, true);
  scene.run();
  scene.answer(said("a", 1));
  EXPECT_TRUE(scene.asked.empty());
  slow->take();
  scene.run();
  EXPECT_EQ(scene.asked.size(), 1U);
}

TEST(GatewayLogs, AFailoverInTheMiddleIsRetriedAtTheSameOffset) {
  LogScene scene;
  const auto seen = scene.get(scene.url + "?follow=true");
  scene.answer(said("first ", 6));
  scene.answer(Answer::of(Error{ErrorCode::unavailable, "node 1 cannot be reached"}));
  EXPECT_TRUE(scene.asked.empty());
  ASSERT_TRUE(scene.cell.close(scene.host, scene.cell.session(scene.host)).taken());
  scene.advance(milliseconds(2'000));
  EXPECT_TRUE(scene.asked.empty());  // The host has no link at all.
  ASSERT_TRUE(scene.cell.open(scene.host, scene.cell.random.uuid<SessionId>(), NodeId{2}).taken());
  scene.run();
  ASSERT_EQ(scene.asked.size(), 1U);
  EXPECT_EQ(scene.asked.front().node, NodeId{2});
  EXPECT_EQ(scene.question().call.offset, 6U);
  scene.answer(said("second", 12, true));
  EXPECT_EQ(seen->body, "first second");
  EXPECT_TRUE(seen->finished);
}

TEST(GatewayLogs, AnUnansweredReadIsRepeatedAndItsLateAnswerIgnored) {
  LogScene scene;
  const auto seen = scene.get(scene.url + "?follow=true");
  const Ask late = scene.asked.front();
  scene.asked.clear();
  scene.advance(milliseconds(8'800));
  ASSERT_EQ(scene.asked.size(), 1U);
  caf::anon_send(scene.gateway, Answered{late.cookie, Answer::of(packed(said("x", 1)))});
  scene.run();
  EXPECT_EQ(seen->body, "");
  scene.answer(said("x", 1, true));
  EXPECT_EQ(seen->body, "x");
}

TEST(GatewayLogs, AFollowerWaitsForATaskThatIsNotPlacedYet) {
  LogScene scene;
  const TaskId waiting = scene.cell.start(scene.job, 1);
  const std::string url = "/api/v3/tasks/" + to_text(waiting) + "/logs";
  const auto once = scene.get(url);
  EXPECT_TRUE(once->finished);
  EXPECT_EQ(once->body, "");
  const auto seen = scene.get(url + "?follow=true");
  scene.advance(milliseconds(5'000));
  EXPECT_TRUE(scene.asked.empty());
  scene.cell.place(waiting, scene.host);
  scene.run();
  ASSERT_EQ(scene.asked.size(), 1U);
  scene.answer(refused(ErrorCode::not_found));  // The agent has not heard of it yet.
  EXPECT_FALSE(seen->cut);
  scene.cell.report(scene.host, waiting, TaskState::started);
  scene.run();
  ASSERT_EQ(scene.asked.size(), 1U);
  scene.answer(said("up", 2, true));
  EXPECT_EQ(seen->body, "up");
}

TEST(GatewayLogs, ATaskThatStartsWhileItsLogIsAskedForIsAskedAgain) {
  LogScene scene;
  const TaskId task = scene.cell.start(scene.job, 1);
  scene.cell.place(task, scene.host);
  const auto seen = scene.get("/api/v3/tasks/" + to_text(task) + "/logs?follow=true");
  ASSERT_EQ(scene.asked.size(), 1U);
  scene.cell.report(scene.host, task, TaskState::started);
  scene.run();
  scene.answer(refused(ErrorCode::not_found));  // True when it was asked.
  EXPECT_FALSE(seen->cut);
  scene.advance(milliseconds(100));
  ASSERT_EQ(scene.asked.size(), 1U);
  scene.answer(said("up", 2, true));
  EXPECT_EQ(seen->body, "up");
}

TEST(GatewayLogs, ATaskThatEndsUnplacedHasAnEmptyLog) {
  LogScene scene;
  const TaskId waiting = scene.cell.start(scene.job, 1);
  const auto seen = scene.get("/api/v3/tasks/" + to_text(waiting) + "/logs?follow=true");
  scene.cell.user_kill(waiting);
  scene.run();
  EXPECT_TRUE(seen->finished);
  EXPECT_EQ(seen->body, "");
}

TEST(GatewayLogs, AnEndedTasksLogIsReadFromTheHostItRanOn) {
  LogScene scene;
  scene.cell.ended(scene.host, scene.task, Reason::normal);
  const auto seen = scene.get(scene.url);
  ASSERT_EQ(scene.asked.size(), 1U);
  scene.answer(said("all", 3, true));
  EXPECT_EQ(seen->body, "all");
  EXPECT_TRUE(seen->finished);
}

TEST(GatewayLogs, ErrorsBeforeTheFirstByteAreStatuses) {
  LogScene scene;
  const auto gone = scene.get(scene.url);
  scene.answer(refused(ErrorCode::not_found));
  EXPECT_EQ(gone->response.status, 404);
  EXPECT_EQ(
      scene.get("/api/v3/tasks/" + to_text(scene.cell.random.uuid<TaskId>()) + "/logs")->response.status,
      404);
  EXPECT_EQ(scene.get(scene.url + "?stream=all")->response.status, 400);
  EXPECT_EQ(scene.get(scene.url + "?follow=perhaps")->response.status, 400);
  EXPECT_EQ(scene.get(scene.url + "?offset=-1")->response.status, 400);
  EXPECT_EQ(scene.get(scene.url + "?colour=red")->response.status, 400);
  scene.cell.close(scene.host, scene.cell.session(scene.host));
  const auto away = scene.get(scene.url + "?follow=true");
  EXPECT_EQ(away->response.status, 503);
  EXPECT_THAT(away->response.body, HasSubstr("h1 is disconnected"));
}

TEST(GatewayLogs, AReadThatNeverBeginsIs503AfterItsPatience) {
  LogScene scene;
  const auto seen = scene.get(scene.url);
  for (int i = 0; i < 12 && !seen->answered; ++i) {
    scene.answer(Answer::of(Error{ErrorCode::unavailable, "not now"}));
    scene.advance(milliseconds(500));
  }
  EXPECT_EQ(seen->response.status, 503);
  EXPECT_EQ(seen->header("retry-after"), "1");
}

TEST(GatewayLogs, AnErrorAfterTheFirstByteCutsTheStream) {
  LogScene scene;
  const auto seen = scene.get(scene.url);
  scene.answer(said("half", 4));
  scene.answer(refused(ErrorCode::io));
  EXPECT_TRUE(seen->cut);
  EXPECT_FALSE(seen->finished);
}

TEST(GatewayLogs, ALimitEndsTheAnswer) {
  LogScene scene;
  const auto seen = scene.get(scene.url + "?limit=3&follow=true");
  EXPECT_EQ(scene.question().call.bytes_max, 3U);
  scene.answer(said("abc", 3));
  EXPECT_TRUE(seen->finished);
  EXPECT_TRUE(scene.asked.empty());
}

TEST(GatewayLogs, AFollowerIsCutAfterAnHour) {
  LogScene scene;
  const TaskId waiting = scene.cell.start(scene.job, 1);
  const auto seen = scene.get("/api/v3/tasks/" + to_text(waiting) + "/logs?follow=true");
  scene.advance(milliseconds(3'599'000));
  EXPECT_FALSE(seen->cut);
  scene.advance(milliseconds(2'000));
  EXPECT_TRUE(seen->cut);
}

TEST(GatewayLogs, ReadersAreBoundedAndLeaversMakeRoom) {
  LogScene scene([](NodeContext& context) { context.settings.set(gateway::gateway_logs_max, 1); });
  const auto first = scene.get(scene.url + "?follow=true");
  EXPECT_EQ(scene.get(scene.url)->code(), "overloaded");
  first->leave();
  scene.run();
  scene.get(scene.url);
  EXPECT_EQ(scene.asked.size(), 2U);
}

}  // namespace
}  // namespace troupe
