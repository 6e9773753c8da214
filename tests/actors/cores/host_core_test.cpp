#include "tests/actors/cores/host_story.hpp"

namespace troupe::cores {
namespace {

using test::HostStory;
using Where = Looked::Where;

TEST(HostCore, OpensASessionAndWelcomesTheAgentOnlyWhenTheLogHasIt) {
  HostStory s;
  s.tell(Activated{s.host, s.policy, {}});
  s.tell(AgentUp{});
  const auto open = s.proposed<OpenSession>();
  EXPECT_EQ(open.host, s.host.id);
  EXPECT_EQ(open.node, NodeId{9});
  EXPECT_FALSE(open.session.is_nil());
  s.settle();
  EXPECT_TRUE(s.sent<agent::Welcome>().empty());
  s.host.session = open.session;
  s.move_host();
  ASSERT_EQ(s.sent<agent::Welcome>().size(), 1U);
  EXPECT_EQ(s.sent<agent::Welcome>()[0], (agent::Welcome{"cell", open.session, s.index}));
}

TEST(HostCore, ProposesTheSameSessionAgainWhenTheOutcomeIsUnknownAndHangsUpWhenRefused) {
  HostStory s;
  s.tell(Activated{s.host, s.policy, {}});
  s.tell(AgentUp{});
  const auto open = s.proposed<OpenSession>();
  s.settle(Settled::How::unknown);
  s.pass(milliseconds(500));
  EXPECT_EQ(s.proposed<OpenSession>().session, open.session);
  s.settle(Settled::How::refused);
  EXPECT_EQ(s.all<CloseLink>().size(), 1U);
  EXPECT_EQ(s.core.status().link, HostStatus::Link::down);
}

TEST(HostCore, HangsUpOnAnAgentThatGivesNoFullReport) {
  HostStory s;
  s.welcome();
  s.pass(HostCore::full_report_max);
  EXPECT_EQ(s.all<CloseLink>().size(), 1U);
  EXPECT_TRUE(s.proposes<CloseSessions>()) << "and closes what it opened";
}

TEST(HostCore, HangsUpWhenTheRecordShowsAnotherSession) {
  HostStory s;
  s.welcome();
  s.host.session = SessionId{};
  s.move_host();
  EXPECT_EQ(s.all<CloseLink>().size(), 1U);
}

TEST(HostCore, LaunchesOnlyAfterTheFullReportWhatTheAgentDoesNotKnow) {
  HostStory s;
  s.welcome({s.task(1, TaskState::launched), s.task(2, TaskState::launched)});
  EXPECT_TRUE(s.sent<agent::Launch>().empty());
  s.report({s.said(2, TaskState::start_initiated)}, true);
  const auto launches = s.sent<agent::Launch>();
  ASSERT_EQ(launches.size(), 1U);
  EXPECT_EQ(launches[0].session, s.session);
  EXPECT_EQ(launches[0].index, s.index);
  ASSERT_EQ(launches[0].tasks.size(), 1U);
  const auto& spec = launches[0].tasks[0];
  EXPECT_EQ(spec.task, s.id(1));
  EXPECT_EQ(spec.argv, (std::vector<std::string>{"/bin/run", "--fast"}));
  EXPECT_EQ(spec.image, "app:v1");
  EXPECT_EQ(spec.kill_grace.count(), 3'000);
  EXPECT_EQ(spec.env.at("A"), "1");
  const auto part = s.proposed<ReportTasks>().parts.at(0);
  EXPECT_EQ(part.session, s.session);
  EXPECT_EQ(part.tasks.at(0).task, s.id(2));
}

TEST(HostCore, LaunchesAtOnceAndAgainEverLessOftenUntilTheAgentSpeaksOfIt) {
  HostStory s;
  s.welcome();
  s.report({}, true);
  s.tell(TaskMoved{s.task(1, TaskState::launched)});
  EXPECT_EQ(s.sent<agent::Launch>().size(), 1U);
  s.tell(TaskMoved{s.task(1, TaskState::launched)});
  EXPECT_TRUE(s.sent<agent::Launch>().empty()) << "once";
  s.pass(HostCore::repeat_first);
  EXPECT_EQ(s.sent<agent::Launch>().size(), 1U);
  s.pass(HostCore::repeat_first);
  EXPECT_TRUE(s.sent<agent::Launch>().empty());
  s.pass(HostCore::repeat_first);
  EXPECT_EQ(s.sent<agent::Launch>().size(), 1U);
  s.report({s.said(1, TaskState::start_initiated)});
  s.pass(HostCore::repeat_max);
  EXPECT_TRUE(s.sent<agent::Launch>().empty());
}

TEST(HostCore, LaunchesAgainInANewSession) {
  HostStory s;
  s.welcome({s.task(1, TaskState::launched)});
  s.report({}, true);
  EXPECT_EQ(s.sent<agent::Launch>().size(), 1U);
  s.link();
  s.report({}, true);
  EXPECT_EQ(s.sent<agent::Launch>().size(), 1U);
  EXPECT_EQ(s.sent<agent::Launch>()[0].session, s.session);
}

TEST(HostCore, KillsUntilTheEndIsReported) {
  HostStory s;
  s.welcome({s.task(1, TaskState::started)});
  s.report({s.said(1, TaskState::started)}, true);
  EXPECT_TRUE(s.sent<agent::Kill>().empty());
  s.tell(TaskMoved{s.task(1, TaskState::kill_initiated)});
  ASSERT_EQ(s.sent<agent::Kill>().size(), 1U);
  EXPECT_EQ(s.sent<agent::Kill>()[0], (agent::Kill{s.session, s.index, {s.id(1)}}));
  s.pass(HostCore::repeat_first);
  EXPECT_EQ(s.sent<agent::Kill>().size(), 1U);
  s.report({s.said(1, TaskState::finished)});
  s.pass(HostCore::repeat_max);
  EXPECT_TRUE(s.sent<agent::Kill>().empty());
}

TEST(HostCore, AcknowledgesAnEndOnlyWhenTheStateHasIt) {
  HostStory s;
  s.welcome({s.task(1, TaskState::started)});
  s.report({s.said(1, TaskState::finished)}, true);
  s.proposed<ReportTasks>();
  EXPECT_TRUE(s.sent<agent::Acknowledge>().empty());
  s.settle();
  EXPECT_TRUE(s.sent<agent::Acknowledge>().empty());
  s.tell(TaskGone{s.id(1)});
  ASSERT_EQ(s.sent<agent::Acknowledge>().size(), 1U);
  EXPECT_EQ(s.sent<agent::Acknowledge>()[0].tasks, std::vector<TaskId>{s.id(1)});
}

TEST(HostCore, KeepsTheOrderOfATasksReportsAndRepeatsWhatIsNotSettled) {
  HostStory s;
  s.welcome({s.task(1, TaskState::launched)});
  s.report({s.said(1, TaskState::started)}, true);
  s.proposed<ReportTasks>();
  s.report({s.said(1, TaskState::finished)});
  EXPECT_FALSE(s.proposes<ReportTasks>()) << "the first is not settled";
  s.settle(Settled::How::unknown);
  const auto part = s.proposed<ReportTasks>().parts.at(0);
  EXPECT_EQ(part.tasks.at(0).state, TaskState::finished);
  s.settle(Settled::How::unknown);
  EXPECT_FALSE(s.proposes<ReportTasks>());
  s.pass(milliseconds(1'000));
  EXPECT_EQ(s.proposed<ReportTasks>().parts.at(0).tasks.at(0).state, TaskState::finished);
}

TEST(HostCore, HasReportsOfDifferentTasksOutstandingAtOnce) {
  HostStory s;
  s.welcome({s.task(1, TaskState::launched), s.task(2, TaskState::launched)});
  s.report({s.said(1, TaskState::started)}, true);
  EXPECT_TRUE(s.proposes<ReportTasks>());
  s.report({s.said(2, TaskState::started)});
  EXPECT_TRUE(s.proposes<ReportTasks>());
}

TEST(HostCore, PassesNothingOnThatTheStateKnows) {
  HostStory s;
  s.welcome({s.task(1, TaskState::started)});
  s.report({s.said(1, TaskState::started)}, true);
  EXPECT_FALSE(s.proposes<ReportTasks>());
  s.tell(TaskMoved{s.task(1, TaskState::kill_initiated)});
  s.report({s.said(1, TaskState::started)});
  EXPECT_FALSE(s.proposes<ReportTasks>());
}

TEST(HostCore, IgnoresReportsOfAnotherSession) {
  HostStory s;
  s.welcome({s.task(1, TaskState::launched)});
  s.tell(AgentSaid{agent::Report{SessionId{}, true, {s.said(1, TaskState::finished)}}});
  EXPECT_FALSE(s.proposes<ReportTasks>());
  EXPECT_EQ(s.core.status().dropped_reports, 1U);
  EXPECT_EQ(s.core.status().link, HostStatus::Link::welcomed);
}

TEST(HostCore, DeclaresLostWhatAFullReportDoesNotMention) {
  HostStory s;
  s.welcome({s.task(1, TaskState::started), s.task(2, TaskState::start_initiated),
             s.task(3, TaskState::started), s.task(4, TaskState::kill_initiated)});
  s.report({s.said(3, TaskState::started)}, true);
  const auto end = s.proposed<EndTasks>();
  ASSERT_EQ(end.items.size(), 2U);
  EXPECT_EQ(end.items[0].reason, Reason::lost);
  EXPECT_EQ(end.items[0].host, s.host.id);
  EXPECT_NE(end.items[0].message.find("not on its host"), std::string::npos);
  EXPECT_EQ(s.sent<agent::Kill>().at(0).tasks, std::vector<TaskId>{s.id(4)});
  s.settle(Settled::How::refused);
  s.pass(milliseconds(1'000));
  EXPECT_EQ(s.proposed<EndTasks>().items.size(), 2U) << "until it is so";
}

TEST(HostCore, ClosesTheSessionWhenTheLinkIsGoneUntilTheRecordShowsIt) {
  HostStory s;
  s.welcome();
  s.report({}, true);
  s.tell(AgentDown{});
  const auto close = s.proposed<CloseSessions>();
  EXPECT_EQ(close.items.at(0).session, s.session);
  s.settle(Settled::How::unknown);
  s.pass(milliseconds(500));
  EXPECT_TRUE(s.proposes<CloseSessions>());
  s.proposed<CloseSessions>();
  s.settle();
  s.disconnect();
  EXPECT_FALSE(s.proposes<CloseSessions>());
  EXPECT_EQ(s.all<Rest>().size(), 1U);
}

TEST(HostCore, GivesTheAgentOfAnEarlierOwnerTimeToDialBeforeItClosesTheSession) {
  HostStory s;
  s.host.session.bytes[0] = 77;
  s.host.disconnected = Instant{};
  s.tell(Activated{s.host, s.policy, {}});
  EXPECT_FALSE(s.proposes<CloseSessions>());
  EXPECT_EQ(s.wake(), s.now + HostCore::link_grace);
  s.pass(HostCore::link_grace);
  EXPECT_EQ(s.proposed<CloseSessions>().items.at(0).session, s.host.session);
}

TEST(HostCore, DeclaresTheTasksOfASilentHostLostInBatchesAndSaysHowLong) {
  HostStory s;
  std::vector<TaskFacts> tasks;
  for (int i = 0; i < 300; ++i) {
    tasks.push_back(s.task(1, TaskState::started));
    tasks.back().task.id.bytes[1] = static_cast<std::uint8_t>(i & 0xff);
    tasks.back().task.id.bytes[2] = static_cast<std::uint8_t>(i >> 8);
  }
  s.tell(Activated{s.host, s.policy, tasks});
  EXPECT_EQ(s.wake(), s.now + s.policy.host_lost_after);
  s.pass(s.policy.host_lost_after - milliseconds(1));
  EXPECT_TRUE(s.all<Propose>().empty());
  s.pass(milliseconds(1));
  const auto proposals = s.all<Propose>();
  ASSERT_EQ(proposals.size(), 2U);
  const auto& first = std::get<EndTasks>(proposals[0].body);
  EXPECT_EQ(first.items.size(), HostCore::batch_max);
  EXPECT_EQ(first.items[0].message, "host web-7 was silent for 60 s");
  EXPECT_EQ(s.core.status().declared_lost, 300U);
}

TEST(HostCore, AgentThatReturnsInTimeLosesNothing) {
  HostStory s;
  s.tell(Activated{s.host, s.policy, {s.task(1, TaskState::started)}});
  s.pass(s.policy.host_lost_after - milliseconds(1'000));
  s.link();
  s.report({s.said(1, TaskState::started)}, true);
  s.pass(s.policy.host_lost_after);
  EXPECT_FALSE(s.proposes<EndTasks>());
}

TEST(HostCore, AcknowledgesALateReportAboutAnArchivedTask) {
  HostStory s;
  s.welcome();
  s.report({s.said(1, TaskState::finished)}, true);
  ASSERT_EQ(s.all<Lookup>().size(), 1U);
  EXPECT_EQ(s.all<Lookup>()[0].tasks, std::vector<TaskId>{s.id(1)});
  s.tell(Looked{{{s.id(1), Where::archived}}});
  EXPECT_EQ(s.sent<agent::Acknowledge>().at(0).tasks, std::vector<TaskId>{s.id(1)});
  EXPECT_EQ(s.core.status().unknown_found, 0U);
  EXPECT_EQ(s.core.status().strangers, 0U);
}

TEST(HostCore, KillsAtOnceWhatStillRunsAlthoughTheStateHasEndedIt) {
  HostStory s;
  s.welcome();
  s.report({s.said(1, TaskState::started)}, true);
  s.tell(Looked{{{s.id(1), Where::archived}}});
  EXPECT_EQ(s.sent<agent::Kill>().at(0).tasks, std::vector<TaskId>{s.id(1)});
  EXPECT_EQ(s.core.status().unknown_killed, 0U);
}

TEST(HostCore, KillsUnknownContainersAfterAGraceAndAcknowledgesTheirEnd) {
  for (const Where where : {Where::never, Where::elsewhere}) {
    HostStory s;
    s.welcome();
    s.report({s.said(1, TaskState::started)}, true);
    s.tell(Looked{{{s.id(1), where}}});
    s.pass(HostCore::stranger_grace - milliseconds(1));
    EXPECT_TRUE(s.sent<agent::Kill>().empty());
    s.pass(milliseconds(1));
    EXPECT_EQ(s.sent<agent::Kill>().size(), 1U);
    EXPECT_EQ(s.core.status().unknown_killed, 1U);
    s.report({s.said(1, TaskState::finished)});
    EXPECT_EQ(s.sent<agent::Acknowledge>().size(), 1U);
  }
}

TEST(HostCore, AsksAgainWhenALookupIsNotAnsweredAndSparesATaskThatTurnsUp) {
  HostStory s;
  s.welcome();
  s.report({s.said(1, TaskState::started)}, true);
  s.pass(milliseconds(1'000));
  EXPECT_EQ(s.all<Lookup>().size(), 1U);
  s.tell(Looked{{{s.id(1), Where::here}}});
  s.tell(TaskMoved{s.task(1, TaskState::launched)});
  EXPECT_EQ(s.proposed<ReportTasks>().parts.at(0).tasks.at(0).state, TaskState::started);
  s.pass(2 * HostCore::stranger_grace);
  EXPECT_TRUE(s.sent<agent::Kill>().empty());
  EXPECT_EQ(s.core.status().strangers, 0U);
}

TEST(HostCore, KillsStrangersAtABoundedRate) {
  HostStory s;
  s.welcome();
  std::vector<agent::TaskReport> many;
  Looked looked;
  for (std::uint8_t i = 0; i < 200; ++i) {
    many.push_back(s.said(static_cast<std::uint8_t>(i + 1), TaskState::started));
    looked.tasks.push_back({many.back().task, Where::never});
  }
  s.report(many, true);
  s.tell(looked);
  s.pass(HostCore::stranger_grace);
  std::size_t killed = 0;
  for (const auto& kill : s.sent<agent::Kill>()) killed += kill.tasks.size();
  EXPECT_EQ(killed, HostCore::kills_per_minute);
  s.pass(milliseconds(59'999));
  EXPECT_TRUE(s.sent<agent::Kill>().empty());
  s.pass(milliseconds(1));
  EXPECT_FALSE(s.sent<agent::Kill>().empty());
}

TEST(HostCore, ForgetsStrangersThatAFullReportDoesNotMention) {
  HostStory s;
  s.welcome();
  s.report({s.said(1, TaskState::started)}, true);
  s.report({}, true);
  EXPECT_EQ(s.core.status().strangers, 0U);
}

TEST(HostCore, GivesNoOrdersForWhatIsSetAside) {
  HostStory s;
  auto task = s.task(1, TaskState::launched);
  task.task.set_aside = "crashed";
  s.welcome({task});
  s.report({}, true);
  EXPECT_TRUE(s.sent<agent::Launch>().empty());
}

TEST(HostCore, FollowsFreshFactsWhenActivatedAgain) {
  HostStory s;
  s.welcome({s.task(1, TaskState::started), s.task(2, TaskState::launched)});
  s.report({s.said(1, TaskState::started), s.said(2, TaskState::start_initiated)}, true);
  s.tell(Activated{s.host, s.policy, {s.task(2, TaskState::kill_initiated)}});
  EXPECT_EQ(s.all<Lookup>().at(0).tasks, std::vector<TaskId>{s.id(1)});
  EXPECT_EQ(s.sent<agent::Kill>().at(0).tasks, std::vector<TaskId>{s.id(2)});
  EXPECT_EQ(s.core.status().link, HostStatus::Link::reported);
}

}  // namespace
}  // namespace troupe::cores
