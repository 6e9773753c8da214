// Orders, reports and the journal, told as scenarios.

#include "tests/actors/agent/core_bench.hpp"

namespace troupe::agent {
namespace {

Launch launch_of(std::uint8_t session, std::uint64_t index, std::vector<ContainerSpec> tasks) {
  return {session_id(session), Index{index}, std::move(tasks)};
}
Kill kill_of(std::uint8_t session, std::uint64_t index, std::vector<TaskId> tasks) {
  return {session_id(session), Index{index}, std::move(tasks)};
}
Acknowledge ack_of(std::uint8_t session, std::vector<TaskId> tasks) {
  return {session_id(session), std::move(tasks)};
}

TEST(AgentCore, says_hello_and_reports_everything_when_welcomed) {
  CoreBench bench;
  const auto hello = sent<Hello>(bench.on(LinkUp{bench.dial}));
  ASSERT_EQ(hello.size(), 1u);
  EXPECT_EQ(hello[0].host, "host-1");
  EXPECT_EQ(hello[0].cell, "");
  const auto reports = sent<Report>(bench.say(Welcome{"cell-1", session_id(1), Index{10}}));
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports[0].full);
  EXPECT_EQ(reports[0].session, session_id(1));
  EXPECT_TRUE(reports[0].tasks.empty());
}

TEST(AgentCore, remembers_its_cell_and_index_over_a_restart) {
  CoreBench bench;
  bench.welcome(1, 10);
  bench.say(launch_of(1, 25, {spec_of(1)}));
  bench.restart({task_id(1)});
  const auto hello = sent<Hello>(bench.on(LinkUp{bench.dial}));
  ASSERT_EQ(hello.size(), 1u);
  EXPECT_EQ(hello[0].cell, "cell-1");
  EXPECT_EQ(hello[0].highest_index, Index{25});
}

TEST(AgentCore, journals_a_task_before_it_is_launched) {
  CoreBench bench;
  bench.welcome(1);
  const auto effects = bench.say(launch_of(1, 11, {spec_of(1), spec_of(2)}));
  ASSERT_GE(effects.size(), 3u);
  EXPECT_EQ(std::get<WriteJournal>(effects[0]).changes.size(), 3u);  // the index and two tasks, one write
  EXPECT_EQ(std::get<LaunchTask>(effects[1]).spec, spec_of(1));
  EXPECT_EQ(std::get<LaunchTask>(effects[2]).spec, spec_of(2));
}

TEST(AgentCore, never_runs_a_task_with_less_isolation_than_it_asks_for) {
  CoreBench bench;
  bench.welcome(1);
  ContainerSpec wants_container = spec_of(1), chooses_less = spec_of(2);
  wants_container.image = chooses_less.image = "busybox:1.36";
  chooses_less.attributes["troupe.driver"] = "process";
  const auto launched = all_of<LaunchTask>(bench.say(launch_of(1, 11, {wants_container, chooses_less})));
  ASSERT_EQ(launched.size(), 1u);
  EXPECT_EQ(launched[0].spec.task, task_id(2));
  EXPECT_EQ(bench.core->status().refused_isolation, 1u);
  const auto reports = sent<Report>(bench.next_wake());
  ASSERT_EQ(reports.size(), 1u);
  ASSERT_EQ(reports[0].tasks.size(), 2u);
  EXPECT_EQ(reports[0].tasks[0].state, TaskState::finished);
  EXPECT_EQ(reports[0].tasks[0].reason, Reason::local_system_error);
}

TEST(AgentCore, reports_a_known_task_again_instead_of_launching_it_twice) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1)}));
  bench.started(1);
  bench.next_wake();
  EXPECT_TRUE(all_of<LaunchTask>(bench.say(launch_of(1, 12, {spec_of(1)}))).empty());
  const auto reports = sent<Report>(bench.next_wake());
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].tasks[0].state, TaskState::started);
  EXPECT_EQ(bench.core->status().repeated_launches, 1u);
}

TEST(AgentCore, never_starts_a_task_that_ended_even_after_its_acknowledgement_and_a_restart) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1)}));
  bench.finished(1, 3);
  EXPECT_TRUE(all_of<LaunchTask>(bench.say(launch_of(1, 12, {spec_of(1)}))).empty());
  bench.say(ack_of(1, {task_id(1)}));
  EXPECT_TRUE(all_of<LaunchTask>(bench.say(launch_of(1, 13, {spec_of(1)}))).empty());
  bench.restart({});
  bench.welcome(2);
  EXPECT_TRUE(all_of<LaunchTask>(bench.say(launch_of(2, 14, {spec_of(1)}))).empty());
  const auto reports = sent<Report>(bench.next_wake());
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].tasks[0].exit_code, 3);
}

TEST(AgentCore, coalesces_changes_of_a_moment_into_one_report) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1), spec_of(2), spec_of(3)}));
  EXPECT_TRUE(sent<Report>(bench.started(1)).empty());
  EXPECT_TRUE(sent<Report>(bench.started(2)).empty());
  bench.finished(2);
  const auto reports = sent<Report>(bench.next_wake());
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_FALSE(reports[0].full);
  ASSERT_EQ(reports[0].tasks.size(), 3u);
  EXPECT_EQ(reports[0].tasks[0].state, TaskState::started);
  EXPECT_EQ(reports[0].tasks[1].state, TaskState::finished);
  EXPECT_EQ(reports[0].tasks[2].state, TaskState::launched);
}

TEST(AgentCore, splits_a_large_report) {
  AgentConfig config = bench_config();
  config.report_tasks_max = 2;
  CoreBench bench(config);
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1), spec_of(2), spec_of(3), spec_of(4), spec_of(5)}));
  const auto reports = sent<Report>(bench.next_wake());
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports[2].tasks.size(), 1u);
}

TEST(AgentCore, repeats_an_end_until_it_is_acknowledged) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1)}));
  bench.finished(1, 42);
  EXPECT_EQ(sent<Report>(bench.next_wake()).size(), 1u);
  for (int lost = 0; lost < 3; ++lost) {
    bench.after(milliseconds(2'000));
    const auto again = sent<Report>(bench.next_wake());
    ASSERT_EQ(again.size(), 1u);
    EXPECT_FALSE(again[0].full);
    EXPECT_EQ(again[0].tasks[0].exit_code, 42);
  }
  const auto effects = bench.say(ack_of(1, {task_id(1)}));
  ASSERT_GE(effects.size(), 2u);
  EXPECT_EQ(std::get<DiscardTask>(effects[0]).task, task_id(1));  // before the journal forgets
  EXPECT_TRUE(std::holds_alternative<WriteJournal>(effects[1]));
  bench.after(milliseconds(2'000));
  EXPECT_TRUE(sent<Report>(bench.after(milliseconds(10))).empty());
  EXPECT_EQ(bench.core->status().settled, 1u);
}

TEST(AgentCore, reports_ends_of_its_time_without_a_link_in_the_next_session) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1), spec_of(2)}));
  bench.on(LinkDown{bench.dial});
  bench.finished(1, 5);
  bench.next_wake();
  const auto reports = sent<Report>(bench.welcome(2));
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports[0].full);
  ASSERT_EQ(reports[0].tasks.size(), 2u);
  EXPECT_EQ(reports[0].tasks[0].exit_code, 5);
  EXPECT_EQ(reports[0].session, session_id(2));
}

TEST(AgentCore, reports_in_full_now_and_then) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1)}));
  bench.next_wake();
  const auto reports = sent<Report>(bench.after(milliseconds(60'000)));
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports[0].full);
}

TEST(AgentCore, writes_a_kills_index_before_it_stops) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1)}));
  const auto effects = bench.say(kill_of(1, 12, {task_id(1)}));
  ASSERT_GE(effects.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<WriteJournal>(effects[0]));
  EXPECT_EQ(std::get<StopTask>(effects[1]).task, task_id(1));
  EXPECT_EQ(std::get<StopTask>(effects[1]).grace, milliseconds(1'500));
}

TEST(AgentCore, reports_an_unknown_killed_task_as_lost_and_then_refuses_its_late_launch) {
  CoreBench bench;
  bench.welcome(1);
  EXPECT_TRUE(all_of<StopTask>(bench.say(kill_of(1, 12, {task_id(9)}))).empty());
  const auto reports = sent<Report>(bench.next_wake());
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].tasks[0].state, TaskState::finished);
  EXPECT_EQ(reports[0].tasks[0].reason, Reason::lost);
  EXPECT_TRUE(all_of<LaunchTask>(bench.say(launch_of(1, 13, {spec_of(9)}))).empty());
}

TEST(AgentCore, refuses_a_kill_of_an_older_state_even_after_a_restart) {
  CoreBench bench;
  bench.welcome(1, 10);
  bench.say(launch_of(1, 50, {spec_of(1)}));
  bench.restart({task_id(1)});
  bench.welcome(2, 20);  // a cell that was restored from an old copy
  const auto effects = bench.say(kill_of(2, 49, {task_id(1)}));
  EXPECT_TRUE(effects.empty());
  EXPECT_EQ(bench.core->status().refused_index, 1u);
  EXPECT_NE(bench.core->status().last_refusal.find("49"), std::string::npos);
  EXPECT_EQ(all_of<StopTask>(bench.say(kill_of(2, 50, {task_id(1)}))).size(), 1u);
}

TEST(AgentCore, refuses_orders_of_another_session) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1)}));
  bench.finished(1);
  bench.on(LinkDown{bench.dial});
  bench.next_wake();
  bench.on(LinkUp{bench.dial});
  EXPECT_TRUE(bench.say(launch_of(1, 12, {spec_of(2)})).empty());  // before any welcome
  bench.say(Welcome{"cell-1", session_id(2), Index{20}});
  EXPECT_TRUE(bench.say(launch_of(1, 30, {spec_of(2)})).empty());
  EXPECT_TRUE(bench.say(kill_of(1, 30, {task_id(1)})).empty());
  EXPECT_TRUE(bench.say(ack_of(1, {task_id(1)})).empty());
  EXPECT_EQ(bench.core->status().refused_session, 4u);
  EXPECT_EQ(bench.core->status().highest_index, Index{20});
}

TEST(AgentCore, refuses_another_cell) {
  CoreBench bench;
  bench.welcome(1);
  bench.restart({});
  bench.on(LinkUp{bench.dial});
  const auto effects = bench.say(Welcome{"cell-2", session_id(2), Index{900}});
  EXPECT_EQ(all_of<HangUp>(effects).size(), 1u);
  EXPECT_TRUE(bench.say(kill_of(2, 901, {task_id(1)})).empty());
  EXPECT_EQ(bench.core->status().refused_other_cell, 1u);
  EXPECT_EQ(bench.core->status().cell, "cell-1");
  EXPECT_EQ(bench.core->status().highest_index, Index{10});
}

TEST(AgentCore, refuses_launches_beyond_its_limit_and_takes_others_later) {
  AgentConfig config = bench_config();
  config.tasks_max = 2;
  CoreBench bench(config);
  bench.welcome(1);
  EXPECT_EQ(all_of<LaunchTask>(bench.say(launch_of(1, 11, {spec_of(1), spec_of(2), spec_of(3)}))).size(), 2u);
  const auto reports = sent<Report>(bench.next_wake());
  ASSERT_EQ(reports[0].tasks.size(), 3u);
  EXPECT_EQ(reports[0].tasks[2].state, TaskState::finished);
  EXPECT_EQ(reports[0].tasks[2].reason, Reason::local_system_error);
  bench.finished(1);
  bench.say(ack_of(1, {task_id(1)}));
  EXPECT_TRUE(
      all_of<LaunchTask>(bench.say(launch_of(1, 12, {spec_of(3)}))).empty());  // it was said to have ended
  EXPECT_EQ(all_of<LaunchTask>(bench.say(launch_of(1, 12, {spec_of(4)}))).size(), 1u);
}

TEST(AgentCore, forgets_the_oldest_settled_task_beyond_the_limit) {
  AgentConfig config = bench_config();
  config.settled_max = 2;
  CoreBench bench(config);
  bench.welcome(1);
  for (std::uint8_t number = 1; number <= 5; ++number) {
    bench.say(launch_of(1, 10u + number, {spec_of(number)}));
    bench.finished(number);
    bench.say(ack_of(1, {task_id(number)}));
  }
  EXPECT_EQ(bench.core->status().settled, 2u);
  EXPECT_EQ(bench.disk.journal.size(), 3u);  // two tasks and the index
}

TEST(AgentCore, declares_a_journaled_task_lost_that_no_driver_knows) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1), spec_of(2)}));
  bench.restart({task_id(2)});
  const auto reports = sent<Report>(bench.welcome(2));
  ASSERT_EQ(reports[0].tasks.size(), 2u);
  EXPECT_EQ(reports[0].tasks[0].reason, Reason::lost);
  EXPECT_EQ(reports[0].tasks[1].state, TaskState::launched);
}

TEST(AgentCore, reports_a_task_that_only_its_driver_remembers) {
  CoreBench bench;
  bench.disk.journal.clear();
  bench.restart({task_id(6)});
  bench.started(6);
  const auto reports = sent<Report>(bench.welcome(1));
  ASSERT_EQ(reports[0].tasks.size(), 1u);
  EXPECT_EQ(reports[0].tasks[0].state, TaskState::started);
  EXPECT_EQ(all_of<StopTask>(bench.say(kill_of(1, 12, {task_id(6)}))).size(), 1u);
}

TEST(AgentCore, discards_again_what_was_settled_when_the_agent_died) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1)}));
  bench.finished(1);
  bench.say(ack_of(1, {task_id(1)}));
  bench.restart({task_id(1)});
  EXPECT_EQ(all_of<DiscardTask>(bench.finished(1)).size(), 1u);
  EXPECT_TRUE(sent<Report>(bench.welcome(2))[0].tasks.empty());
}

TEST(AgentCore, believes_only_the_first_end) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1)}));
  bench.finished(1, 3);
  bench.finished(1, 4);
  bench.started(1);
  const auto reports = sent<Report>(bench.next_wake());
  ASSERT_EQ(reports[0].tasks.size(), 1u);
  EXPECT_EQ(reports[0].tasks[0].exit_code, 3);
}

TEST(AgentCore, never_reports_a_task_backwards) {
  CoreBench bench;
  bench.welcome(1);
  bench.say(launch_of(1, 11, {spec_of(1)}));
  bench.started(1);
  TaskReport late;
  late.task = task_id(1);
  late.state = TaskState::start_initiated;
  bench.on(DriverNews{late});
  const auto reports = sent<Report>(bench.next_wake());
  ASSERT_EQ(reports[0].tasks.size(), 1u);
  EXPECT_EQ(reports[0].tasks[0].state, TaskState::started);
}

TEST(AgentProtocol, comes_back_from_its_bytes) {
  ContainerSpec spec = spec_of(1);
  spec.env = {{"A", "b"}};
  spec.attributes = {{"troupe.sim", "run=1s"}};
  spec.resources.cpu_milli = 250;
  TaskReport report;
  report.task = task_id(1);
  report.state = TaskState::finished;
  report.reason = Reason::failed;
  report.exit_code = -1;
  report.message = "why";
  report.at = Instant{1'700'000'000'000};
  const FromAgent from[] = {
      Hello{"h", "g", "c", Index{7}, spec.resources, {{"zone", "a"}}, {"sim"}},
      Report{session_id(1), true, {report}},
      CallAnswer{.call = 3, .message = "m", .data = Bytes("\0\xff", 2), .next_offset = 9}};
  for (const FromAgent& message : from) EXPECT_EQ(unpacked<FromAgent>(packed(message)).value(), message);
  const ToAgent to[] = {Redirect{"a:1"},
                        Welcome{"c", session_id(1), Index{7}},
                        Refused{"no"},
                        Launch{session_id(1), Index{8}, {spec}},
                        Kill{session_id(1), Index{8}, {task_id(1)}},
                        Acknowledge{session_id(1), {task_id(1)}},
                        Call{4, task_id(1), LogStream::standard_error, 5, 6, milliseconds(7)}};
  for (const ToAgent& message : to) EXPECT_EQ(unpacked<ToAgent>(packed(message)).value(), message);
}

TEST(AgentCore, refuses_a_corrupt_journal) {
  AgentCore core(bench_config(), Random(1));
  EXPECT_EQ(core.restore({{"meta", "\xc1"}}).error().code, ErrorCode::corrupt);
  EXPECT_EQ(core.restore({{"other", ""}}).error().code, ErrorCode::corrupt);
  TaskRecord live_with_end;
  live_with_end.end = TaskReport{};
  EXPECT_EQ(core.restore({{"t/" + Bytes(16, '\0'), packed(live_with_end)}}).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace troupe::agent
