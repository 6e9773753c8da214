#include "actors/cores/task_core.hpp"

namespace troupe::cores {
namespace {

struct Story {
  Story() {
    task.id.bytes[0] = 3;
    task.host = HostId{4};
    BatchSpec batch;
    batch.runtime_limit = milliseconds(90'000);
    descriptor.kind = batch;
  }
  void enter(TaskState state) {
    task.state = state;
    task.enter(state, {now, Reason::none});
  }
  std::optional<TaskEffect> tell(const TaskEvent& event) {
    const auto effects = core.on(now, {task, descriptor, policy, cared_since}, event);
    EXPECT_LE(effects.size(), 1U);
    if (effects.empty()) return std::nullopt;
    return effects.front();
  }
  /// Awaits the wake that the core asks for, and returns what it proposes then.
  Propose at_deadline(milliseconds expected) {
    const auto wake = std::get<WakeAt>(tell(Look{}).value());
    EXPECT_EQ(wake.at - now, expected);
    now = wake.at - milliseconds(1);
    EXPECT_TRUE(std::holds_alternative<WakeAt>(tell(Look{}).value())) << "not a moment too early";
    now = wake.at;
    return std::get<Propose>(tell(Look{}).value());
  }

  TaskRecord task;
  JobDescriptor descriptor;
  CellPolicy policy;
  Instant now{5'000'000};
  Instant cared_since{};
  TaskCore core;
};

TEST(TaskCore, KillsATaskThatIsStuckOnItsWayUp) {
  for (const TaskState state : {TaskState::launched, TaskState::start_initiated}) {
    Story s;
    s.enter(state);
    const auto stay = state == TaskState::launched ? s.policy.launched_max : s.policy.start_initiated_max;
    const auto kill = std::get<KillTasks>(s.at_deadline(stay).body);
    ASSERT_EQ(kill.items.size(), 1U);
    EXPECT_EQ(kill.items[0].task, s.task.id);
    EXPECT_EQ(kill.items[0].reason, Reason::stuck_in_state);
  }
}

TEST(TaskCore, HearsTheAgentsOutBeforeATaskIsOverdue) {
  Story s;
  s.enter(TaskState::start_initiated);
  s.now = s.cared_since = s.now + std::chrono::hours(2);  // Nobody could hear for so long.
  const auto kill = std::get<KillTasks>(s.at_deadline(hearing_grace).body);
  EXPECT_EQ(kill.items.at(0).reason, Reason::stuck_in_state);
}

TEST(TaskCore, KeepsARuntimeLimitToTheSecondUnlessItPassedUnheard) {
  Story s;
  s.enter(TaskState::started);
  s.now = s.cared_since = s.now + std::chrono::seconds(80);
  s.at_deadline(std::chrono::seconds(10));
  Story unheard;
  unheard.enter(TaskState::started);
  unheard.now = unheard.cared_since = unheard.now + std::chrono::seconds(100);
  unheard.at_deadline(hearing_grace);
}

TEST(TaskCore, KillsABatchTaskAtItsRuntimeLimit) {
  Story s;
  s.enter(TaskState::started);
  const auto kill = std::get<KillTasks>(s.at_deadline(milliseconds(90'000)).body);
  EXPECT_EQ(kill.items.at(0).reason, Reason::runtime_limit_exceeded);
}

TEST(TaskCore, LetsAServiceRunForEver) {
  Story s;
  s.descriptor.kind = ServiceSpec{};
  s.enter(TaskState::started);
  EXPECT_TRUE(std::holds_alternative<Rest>(s.tell(Look{}).value()));
}

TEST(TaskCore, EndsATaskWhoseGangHadNoPlaceInTime) {
  Story s;
  s.descriptor.attributes["troupe.gangSeconds"] = "30";
  s.enter(TaskState::accepted);
  s.cared_since = s.now;
  s.task.host = {};
  const auto end = std::get<EndTasks>(s.at_deadline(milliseconds(30'000)).body);
  EXPECT_EQ(end.items.at(0).reason, Reason::killed);
  EXPECT_EQ(end.items.at(0).host, HostId{}) << "one that has been placed meanwhile is spared";
  Story later;
  later.descriptor.attributes["troupe.gangSeconds"] = "30";
  later.task.resubmits = 1;
  later.enter(TaskState::accepted);
  EXPECT_TRUE(std::holds_alternative<Rest>(later.tell(Look{}).value())) << "it starts alone";
}

TEST(TaskCore, EndsATaskWhoseKillDoesNotEnd) {
  Story s;
  s.enter(TaskState::kill_initiated);
  const auto end = std::get<EndTasks>(s.at_deadline(s.policy.kill_initiated_max).body);
  ASSERT_EQ(end.items.size(), 1U);
  EXPECT_EQ(end.items[0].reason, Reason::stuck_in_killing_state);
  EXPECT_EQ(end.items[0].host, s.task.host);
}

TEST(TaskCore, HasNothingToDoForAcceptedFinishedOrSetAsideTasks) {
  Story s;
  s.enter(TaskState::accepted);
  EXPECT_TRUE(std::holds_alternative<Rest>(s.tell(Look{}).value()));
  s.enter(TaskState::launched);
  s.task.set_aside = "crashed";
  EXPECT_TRUE(std::holds_alternative<Rest>(s.tell(Look{}).value()));
}

TEST(TaskCore, ProposesAgainAfterARefusalAndMovesOnWithTheView) {
  Story s;
  s.enter(TaskState::launched);
  const Propose first = s.at_deadline(s.policy.launched_max);
  EXPECT_FALSE(s.tell(Look{}).has_value());
  const auto pause = s.tell(Settled{first.number, Settled::How::refused, ErrorCode::fenced, {}});
  s.now = std::get<WakeAt>(pause.value()).at;
  const auto second = std::get<Propose>(s.tell(Look{}).value());
  EXPECT_NE(second.number, first.number);
  s.enter(TaskState::kill_initiated);
  EXPECT_TRUE(
      std::holds_alternative<WakeAt>(s.tell(Settled{second.number, Settled::How::taken, {}, {}}).value()));
}

}  // namespace
}  // namespace troupe::cores
