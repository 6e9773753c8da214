// Scheduling that is paused: nothing is placed, nobody is preempted; what runs is as before.

#include <gmock/gmock.h>

#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

using Kind = SchedulingScope::Kind;
using testing::HasSubstr;

struct Stop {
  Cell cell;
  HostId host = cell.host("h1"), other = cell.host("h2");
  JobId job = cell.submit(service_of(0, 3, 5));
  TaskId running = cell.running(job, 0, host), waiting = cell.start(job, 1);

  Done say(SchedulingScope scope, bool paused) {
    Command command;
    command.caller = "ann";
    command.reason = "INC-12";
    command.body = PauseScheduling{std::move(scope), paused};
    return cell.apply(std::move(command));
  }
  std::optional<PauseRecord> pause_of(const SchedulingScope& scope) const {
    if (scope.kind == Kind::host) return cell.reads().host_facts(scope.host)->pause;
    const auto pauses = cell.reads().wide_pauses();
    const auto found = pauses.find(scope.text());
    return found == pauses.end() ? std::nullopt : std::optional(found->second);
  }
};

TEST(Pausing, OfTheCellAGroupOrAHostLetsNothingBePlacedThere) {
  for (const SchedulingScope& scope : {SchedulingScope{}, SchedulingScope{Kind::group, "DEFAULT", {}},
                                       SchedulingScope{Kind::host, {}, HostId{1}}}) {
    Stop s;
    ASSERT_TRUE(s.say(scope, true).taken());
    const Done refused = s.cell.place(s.waiting, s.host);
    EXPECT_EQ(refused.refusal(), ErrorCode::precondition_failed) << scope.text();
    EXPECT_THAT(refused.outcome.refused.at(0).message, HasSubstr(scope.text() + " is paused"));
    EXPECT_EQ(s.cell.place(s.waiting, s.other).taken(), scope.kind == Kind::host);
    EXPECT_EQ(s.cell.task(s.running).state, TaskState::started);
    EXPECT_TRUE(s.cell.user_kill(s.running).taken()) << "what is to end, ends";
    expect_derived(*s.cell.machine, *s.cell.store);
    s.cell.restart();
    ASSERT_TRUE(s.pause_of(scope)) << "a restart forgets it not";
    EXPECT_EQ(s.pause_of(scope)->reason, "INC-12");
    EXPECT_EQ(s.cell.reads().wide_pauses().size(), scope.kind == Kind::host ? 0U : 1U);
    expect_derived(*s.cell.machine, *s.cell.store);
    ASSERT_TRUE(s.say(scope, false).taken());
    EXPECT_FALSE(s.pause_of(scope));
    if (scope.kind != Kind::host) {
      EXPECT_TRUE(s.cell.place(s.waiting, s.host).taken());
    }
    s.cell.restart();
    EXPECT_FALSE(s.pause_of(scope));
    expect_derived(*s.cell.machine, *s.cell.store);
  }
}

TEST(Pausing, IsToldWithWhomAndWhyAndKeepsTheFirstWord) {
  Stop s;
  const Instant since = s.cell.now;
  ASSERT_TRUE(s.say({Kind::host, {}, s.host}, true).taken());
  s.cell.now = s.cell.now + milliseconds(5'000);
  EXPECT_TRUE(s.say({Kind::host, {}, s.host}, true).changed_nothing());
  const auto pause = s.cell.reads().host(s.host)->pause;
  ASSERT_TRUE(pause);
  EXPECT_EQ(*pause, (PauseRecord{since, "ann", "INC-12"}));
  EXPECT_FALSE(s.cell.reads().host_facts(s.other)->pause);
  ASSERT_TRUE(s.say({}, true).taken());
  EXPECT_TRUE(s.cell.reads().cell().pause);
  ASSERT_TRUE(s.say({Kind::group, "DEFAULT", {}}, true).taken());
  EXPECT_TRUE(s.cell.reads().group("DEFAULT")->pause);
}

TEST(Pausing, TellsThoseWhoFollowTheState) {
  Stop s;
  EXPECT_EQ(s.say({}, true).events.at(0).kind, EventKind::cell_changed);
  EXPECT_EQ(s.say({Kind::group, "DEFAULT", {}}, true).events.at(0).kind, EventKind::group_changed);
  const Done done = s.say({Kind::host, {}, s.other}, true);
  EXPECT_EQ(done.events.at(0).kind, EventKind::host_changed);
  EXPECT_EQ(done.events.at(0).host, s.other);
}

TEST(Pausing, OfWhatIsNotThereIsRefused) {
  Stop s;
  EXPECT_EQ(s.say({Kind::group, "nobody", {}}, true).refusal(), ErrorCode::not_found);
  EXPECT_EQ(s.say({Kind::host, {}, HostId{99}}, true).refusal(), ErrorCode::not_found);
  EXPECT_TRUE(s.say({}, false).changed_nothing()) << "it is not paused";
}

TEST(Pausing, LetsNobodyEndForThoseWhoWait) {
  Stop s;
  const TaskId urgent = s.cell.start(s.cell.submit(with_priority(batch_of(1), 5)), 0);
  const PreemptTasks body{{{urgent, s.cell.task(urgent).version, s.host, {s.cell.victim(s.running)}}}};
  ASSERT_TRUE(s.say({Kind::group, "DEFAULT", {}}, true).taken());
  EXPECT_EQ(s.cell.apply(body, s.cell.term_fence()).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(s.cell.task(s.running).state, TaskState::started);
  ASSERT_TRUE(s.say({Kind::group, "DEFAULT", {}}, false).taken());
  EXPECT_TRUE(s.cell.apply(body, s.cell.term_fence()).taken());
}

TEST(Pausing, OfAGroupGoesWithIt) {
  Stop s;
  ASSERT_TRUE(s.cell.apply(PutGroup{{"g", Tier::flex, {}, 1, 1, {}}}).taken());
  ASSERT_TRUE(s.say({Kind::group, "g", {}}, true).taken());
  ASSERT_TRUE(s.cell.apply(DeleteGroup{"g"}).taken());
  EXPECT_TRUE(s.cell.reads().wide_pauses().empty());
  s.cell.restart();
  EXPECT_TRUE(s.cell.reads().wide_pauses().empty());
  expect_derived(*s.cell.machine, *s.cell.store);
}

}  // namespace
}  // namespace troupe
