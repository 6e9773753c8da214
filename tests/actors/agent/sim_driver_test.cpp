// Scripted containers under virtual time.

#include "actors/agent/sim_driver.hpp"

#include "tests/actors/agent/core_bench.hpp"

namespace troupe::agent {
namespace {

constexpr std::int64_t ms_ns = 1'000'000;

SimScript parsed(const std::string& text, std::uint32_t slot = 0) {
  auto script = parse_sim_script(text, {slot, 0, {}, {}});
  EXPECT_TRUE(script.ok()) << text << ": " << (script.ok() ? "" : script.error().message);
  return script.ok() ? script.value() : SimScript{};
}

TEST(SimScript, runs_forever_by_default_and_at_once_to_a_given_end) {
  EXPECT_EQ(parsed(""), SimScript{});
  EXPECT_EQ(parsed("run=forever").run, std::nullopt);
  EXPECT_EQ(parsed("exit=3").run, milliseconds(0));
  EXPECT_EQ(parsed("exit=3").exit_code, 3);
  EXPECT_EQ(parsed("crash").signal, 11);
  EXPECT_EQ(parsed("crash run=2s").run, milliseconds(2'000));
}

TEST(SimScript, lets_a_slots_clause_override_the_general_ones_wherever_it_stands) {
  const std::string text = "slot 3: exit=1; run=1s exit=0";
  EXPECT_EQ(parsed(text, 3).exit_code, 1);
  EXPECT_EQ(parsed(text, 3).run, milliseconds(1'000));
  EXPECT_EQ(parsed(text, 2).exit_code, 0);
}

TEST(SimScript, selects_by_attempt_host_and_group_the_later_clause_being_stronger) {
  const std::string text = "run=1s; attempt 0-1: exit=1; attempt 2-: exit=0; host h7 group flex: crash";
  const auto exit_of = [&](const SimSubject& subject) {
    const SimScript script = parse_sim_script(text, subject).value();
    return script.signal != 0 ? -script.signal : script.exit_code;
  };
  EXPECT_EQ(exit_of({0, 0, "h1", "flex"}), 1);
  EXPECT_EQ(exit_of({5, 1, "h7", "critical"}), 1);
  EXPECT_EQ(exit_of({0, 2, "h1", "flex"}), 0);
  EXPECT_EQ(exit_of({0, 9, "h1", "flex"}), 0);
  EXPECT_EQ(exit_of({0, 0, "h7", "flex"}), -11);
}

TEST(SimScript, knows_all_its_items) {
  const SimScript script =
      parsed("prepare=1s forget start=20ms run=2m stop=1s ignore_term hang fail output='a b; c' every=5s");
  EXPECT_EQ(script.start, milliseconds(20));
  EXPECT_EQ(script.run, milliseconds(120'000));
  EXPECT_EQ(script.stop, milliseconds(1'000));
  EXPECT_EQ(script.prepare, milliseconds(1'000));
  EXPECT_TRUE(script.ignores_term && script.hangs && script.fails && script.forgets);
  EXPECT_EQ(script.line, "a b; c\n");
  EXPECT_EQ(script.every, milliseconds(5'000));
}

TEST(SimScript, names_the_column_of_an_error) {
  const std::pair<const char*, const char*> cases[] = {
      {"run=1s exit=256", "column 13: expected a whole number from 0 to 255"},
      {"run=1", "column 6: a time needs its unit"},
      {"run=1h", "column 6: a time needs its unit"},
      {"walk=1s", "column 1: unknown item 'walk'"},
      {"slot 3 exit=1", "column 8: expected ':'"},
      {"attempt 4-2: crash", "column 11: expected a whole number from 4"},
      {"host : crash", "column 6: expected a name"},
      {"output='open", "column 9: the quote is never closed"},
      {"run=1s,exit=1", "column 7: expected ';' or a blank"},
      {"every=0s", "column 9: every= must be above zero"},
      {"slot 9: crush", "column 9: unknown item 'crush'"},
      {"run=99999999m", "column 14: the time is longer than a year"},
  };
  for (const auto& [text, wanted] : cases) {
    const auto script = parse_sim_script(text, {});
    ASSERT_FALSE(script.ok()) << text;
    EXPECT_NE(script.error().message.find(wanted), std::string::npos)
        << text << ": " << script.error().message;
  }
}

class SimDriverTest : public ::testing::Test {
 protected:
  SimDriverTest() { adopt(); }
  std::vector<TaskId> adopt() {
    return driver_.adopt([this](const DriverEvent& event) { news_.push_back(event.report); });
  }
  void launch(std::uint8_t number, const std::string& script, const std::string& image = "process:latest") {
    ContainerSpec spec = spec_of(number);
    spec.image = image;
    spec.attributes["troupe.sim"] = script;
    driver_.launch(spec);
  }
  std::vector<TaskReport> until(std::int64_t ms) {
    news_.clear();
    driver_.advance(Moment{ms * ms_ns}, Instant{5'000 + ms});
    return news_;
  }
  std::string log(std::uint8_t number) {
    const auto chunk = driver_.read_log(task_id(number), LogStream::standard_output, 0, 1'000);
    return chunk.ok() ? chunk.value().data : "error " + chunk.error().message;
  }
  std::shared_ptr<SimRegistry> registry_ = std::make_shared<SimRegistry>();
  SimDriver driver_{"", "", registry_};
  std::vector<TaskReport> news_;
};

TEST_F(SimDriverTest, follows_the_script_to_the_millisecond) {
  launch(1, "start=20ms run=2s exit=7");
  ASSERT_EQ(until(0).size(), 1u);
  EXPECT_EQ(news_[0].state, TaskState::start_initiated);
  EXPECT_EQ(driver_.next_due(), Moment{20 * ms_ns});
  EXPECT_TRUE(until(19).empty());
  ASSERT_EQ(until(20).size(), 1u);
  EXPECT_EQ(news_[0].state, TaskState::started);
  EXPECT_TRUE(until(2'019).empty());
  ASSERT_EQ(until(2'500).size(), 1u);
  EXPECT_EQ(news_[0].exit_code, 7);
  EXPECT_EQ(news_[0].reason, Reason::failed);
  EXPECT_EQ(news_[0].at, Instant{5'000 + 2'020});
  EXPECT_EQ(driver_.next_due(), std::nullopt);
}

TEST_F(SimDriverTest, stays_launched_while_it_prepares) {
  launch(1, "prepare=1s start=20ms run=2s");
  EXPECT_TRUE(until(999).empty());
  ASSERT_EQ(until(1'000).size(), 1u);
  EXPECT_EQ(news_[0].state, TaskState::start_initiated);
  EXPECT_TRUE(until(1'019).empty());
  ASSERT_EQ(until(1'020).size(), 1u);
  EXPECT_EQ(news_[0].state, TaskState::started);
}

TEST_F(SimDriverTest, lacks_an_image_only_while_the_registry_is_down) {
  launch(1, "prepare=1s start=10m", "known:1");
  until(1'000);
  registry_->is_down = true;
  launch(2, "prepare=1s start=10m", "known:1");
  launch(3, "prepare=1s start=10m", "other:1");
  launch(4, "prepare=1s start=10m");
  ASSERT_EQ(until(2'000).size(), 3u);
  EXPECT_EQ(news_[0].state, TaskState::start_initiated) << "it is here already";
  EXPECT_EQ(news_[1].state, TaskState::finished);
  EXPECT_EQ(news_[1].reason, Reason::local_system_error);
  EXPECT_EQ(news_[1].message, "cannot get image other:1: its registry does not answer");
  EXPECT_EQ(news_[2].state, TaskState::start_initiated) << "it has none";
  registry_->is_down = false;
  launch(5, "prepare=1s start=10m", "other:1");
  ASSERT_EQ(until(3'000).size(), 1u);
  EXPECT_EQ(news_[0].state, TaskState::start_initiated);
}

TEST_F(SimDriverTest, ends_while_it_prepares_if_told_to_stop) {
  launch(1, "prepare=1s");
  until(0);
  driver_.stop(task_id(1), milliseconds(500));
  ASSERT_EQ(until(10).size(), 1u);
  EXPECT_EQ(news_[0].reason, Reason::killed);
}

TEST_F(SimDriverTest, forgets_to_report_until_the_agent_starts_again) {
  launch(1, "forget run=1s exit=3");
  EXPECT_TRUE(until(5'000).empty());
  driver_.agent_died();
  adopt();
  ASSERT_EQ(until(5'001).size(), 1u);
  EXPECT_EQ(news_[0].exit_code, 3);
}

TEST_F(SimDriverTest, gives_news_of_many_tasks_in_the_order_of_their_times) {
  launch(1, "run=3s");
  launch(2, "run=1s");
  launch(3, "run=2s crash");
  until(0);
  until(4'000);
  ASSERT_EQ(news_.size(), 3u);
  EXPECT_EQ(news_[0].task, task_id(2));
  EXPECT_EQ(news_[0].reason, Reason::normal);
  EXPECT_EQ(news_[1].task, task_id(3));
  EXPECT_EQ(news_[1].signal, 11);
  EXPECT_EQ(news_[2].task, task_id(1));
}

TEST_F(SimDriverTest, stops_by_term_and_kills_what_ignores_it_after_its_grace) {
  launch(1, "");
  launch(2, "ignore_term");
  launch(3, "stop=10s");
  launch(4, "hang");
  EXPECT_EQ(until(100).size(), 7u);
  for (std::uint8_t number = 1; number <= 4; ++number) driver_.stop(task_id(number), milliseconds(500));
  driver_.stop(task_id(2), milliseconds(50'000));  // The first stop's deadline stands.
  ASSERT_EQ(until(100).size(), 2u);
  EXPECT_EQ(news_[0].signal, 15);
  EXPECT_EQ(news_[0].reason, Reason::killed);
  EXPECT_TRUE(until(599).empty());
  ASSERT_EQ(until(600).size(), 2u);
  EXPECT_EQ(news_[0].signal, 9);
}

TEST_F(SimDriverTest, ends_what_cannot_start) {
  launch(1, "fail");
  launch(2, "nonsense");
  until(0);
  ASSERT_EQ(news_.size(), 4u);
  EXPECT_EQ(news_[1].reason, Reason::local_system_error);
  EXPECT_EQ(news_[3].reason, Reason::invalid_request);
  EXPECT_NE(news_[3].message.find("column 1"), std::string::npos);
}

TEST_F(SimDriverTest, launches_once) {
  launch(1, "run=1s");
  launch(1, "run=1s");
  EXPECT_EQ(until(5'000).size(), 3u);
  launch(1, "run=1s");
  EXPECT_TRUE(until(9'000).empty());
}

TEST_F(SimDriverTest, keeps_running_while_its_agent_is_dead) {
  launch(1, "run=1s exit=4");
  launch(2, "");
  until(10);
  driver_.agent_died();
  EXPECT_TRUE(until(3'000).empty());
  EXPECT_EQ(adopt().size(), 2u);
  until(3'000);
  EXPECT_EQ(news_.back().exit_code, 4);
  EXPECT_EQ(driver_.running(), 1u);
}

TEST_F(SimDriverTest, makes_up_its_logs) {
  launch(1, "run=10s output=tick every=1s");
  until(2'500);
  EXPECT_EQ(log(1), "tick\ntick\ntick\n");
  until(60'000);
  const auto tail = driver_.read_log(task_id(1), LogStream::standard_output, 50, 1'000);
  ASSERT_TRUE(tail.ok());
  EXPECT_EQ(tail.value().data, "tick\n");
  EXPECT_TRUE(tail.value().ended);
  driver_.discard(task_id(1));
  EXPECT_EQ(log(1).size(), 55u);
  EXPECT_FALSE(driver_.read_log(task_id(9), LogStream::standard_output, 0, 10).ok());
}

}  // namespace
}  // namespace troupe::agent
