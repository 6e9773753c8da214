// Real processes: their ends, their output, their trees.

#include <sys/resource.h>

#include <fstream>
#include <thread>

#include "tests/actors/agent/process_bench.hpp"

namespace troupe::agent {
namespace {

TEST_F(ProcessDriverTest, tells_exit_codes_and_signals_apart) {
  boot();
  const TaskId good = launch("exit 0"), bad = launch("exit 42"), crashed = launch("kill -SEGV $$");
  EXPECT_EQ(end(good).reason, Reason::normal);
  EXPECT_EQ(end(bad).reason, Reason::failed);
  EXPECT_EQ(end(bad).exit_code, 42);
  EXPECT_EQ(end(bad).signal, 0);
  EXPECT_EQ(end(crashed).reason, Reason::failed);
  EXPECT_EQ(end(crashed).signal, SIGSEGV);
  EXPECT_EQ(news_->count(bad, TaskState::start_initiated), 1u);
  EXPECT_EQ(news_->count(bad, TaskState::started), 1u);
  expect_no_children();
}

TEST_F(ProcessDriverTest, says_clearly_why_a_program_cannot_run) {
  boot();
  const TaskId missing = fresh(), directory = fresh(), no_name = fresh();
  ContainerSpec spec = shell(missing, "");
  spec.argv = {"no-such-program"};
  driver_->launch(spec);
  spec.task = directory;
  spec.argv = {"/tmp"};
  driver_->launch(spec);
  spec = shell(no_name, "true");
  spec.env["A=B"] = "c";
  driver_->launch(spec);
  EXPECT_EQ(end(missing).reason, Reason::invalid_request);
  EXPECT_EQ(end(missing).message, "cannot run 'no-such-program': No such file or directory");
  EXPECT_EQ(end(directory).message, "cannot run '/tmp': Permission denied");
  EXPECT_EQ(end(no_name).reason, Reason::invalid_request);
  EXPECT_EQ(news_->count(missing, TaskState::started), 0u);
}

TEST_F(ProcessDriverTest, reports_a_shim_that_cannot_be_started) {
  ProcessDriverConfig config = driver_config(root_);
  config.shim_command = {"/no/such/shim"};
  boot(config);
  EXPECT_EQ(end(launch("true")).reason, Reason::local_system_error);
}

TEST_F(ProcessDriverTest, launches_a_task_once) {
  boot();
  const TaskId task = fresh();
  const ContainerSpec spec = shell(task, "echo run; exit 3");
  driver_->launch(spec);
  driver_->launch(spec);
  EXPECT_EQ(end(task).exit_code, 3);
  driver_->launch(spec);
  boot();
  EXPECT_EQ(end(task).exit_code, 3);
  EXPECT_EQ(log(task), "run\n");
}

TEST_F(ProcessDriverTest, gives_the_task_its_variables_folder_and_session) {
  boot();
  const TaskId task = fresh();
  ContainerSpec spec =
      shell(task,
            "echo $MINE $TITUS_TASK_ID $TROUPE_TASK_INDEX $TITUS_NUM_CPU $TITUS_NUM_MEM; pwd; umask; "
            "for n in 3 4 5 6 7 8 9; do if [ -e /proc/$$/fd/$n ]; then echo open $n; fi; done; cut -d' ' -f6 "
            "/proc/$$/stat; echo $$ >&2");
  spec.env = {{"MINE", "my value"}, {"TITUS_TASK_ID", "forged"}};
  spec.slot = 4;
  spec.resources.cpu_milli = 1'500;
  spec.resources.memory_mb = 64;
  driver_->launch(spec);
  EXPECT_EQ(end(task).exit_code, 0);
  const std::string pid =
      log(task, LogStream::standard_error).substr(0, log(task, LogStream::standard_error).find('\n'));
  EXPECT_EQ(log(task), "my value " + to_text(task) + " 4 2 64\n" + (folder(task) / "work").string() +
                           "\n0022\n" + pid + "\n");
}

TEST_F(ProcessDriverTest, shows_output_while_the_task_runs_and_afterwards) {
  boot();
  const TaskId task = launch("echo early; exec sleep 1000");
  ASSERT_TRUE(started(task));
  EXPECT_TRUE(await_log(task, "early\n"));
  const auto running = driver_->read_log(task, LogStream::standard_output, 6, 100);
  ASSERT_TRUE(running.ok());
  EXPECT_FALSE(running.value().ended);
  driver_->stop(task, milliseconds(10'000));
  end(task);
  const auto ended = driver_->read_log(task, LogStream::standard_output, 2, 100);
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(ended.value().data, "rly\n");
  EXPECT_EQ(ended.value().next_offset, 6u);
  EXPECT_TRUE(ended.value().ended);
  EXPECT_EQ(driver_->read_log(fresh(), LogStream::standard_output, 0, 100).error().code,
            ErrorCode::not_found);
}

TEST_F(ProcessDriverTest, keeps_the_last_of_a_large_output_at_its_offsets) {
  ProcessDriverConfig config = driver_config(root_);
  config.segment_bytes = 10'000;
  config.segments_max = 3;
  boot(config);
  const TaskId task = launch("seq -f '%09g' 1 100000");
  EXPECT_EQ(end(task).exit_code, 0);
  std::uint64_t offset = 0;
  std::string tail;
  for (bool is_ended = false; !is_ended;) {
    const auto chunk = driver_->read_log(task, LogStream::standard_output, offset, 4'096);
    ASSERT_TRUE(chunk.ok());
    if (tail.empty()) {
      EXPECT_GE(chunk.value().next_offset - chunk.value().data.size(), 1'000'000u - 30'000u);
    }
    tail += chunk.value().data;
    offset = chunk.value().next_offset;
    is_ended = chunk.value().ended;
  }
  EXPECT_EQ(offset, 1'000'000u);
  EXPECT_LE(tail.size(), 30'000u);
  EXPECT_GE(tail.size(), 20'000u);
  EXPECT_TRUE(tail.ends_with("000099999\n000100000\n"));
}

TEST_F(ProcessDriverTest, stops_by_term) {
  boot();
  const TaskId plain = launch("exec sleep 1000"),
               trapping = launch("trap 'echo bye; exit 7' TERM; echo ready; sleep 1000 & wait");
  ASSERT_TRUE(started(plain) && started(trapping) && await_log(trapping, "ready"));
  driver_->stop(plain, milliseconds(60'000));
  driver_->stop(trapping, milliseconds(60'000));
  EXPECT_EQ(end(plain).reason, Reason::killed);
  EXPECT_EQ(end(plain).signal, SIGTERM);
  EXPECT_EQ(end(trapping).reason, Reason::killed);
  EXPECT_EQ(end(trapping).exit_code, 7);
  EXPECT_EQ(log(trapping), "ready\nbye\n");
}

TEST_F(ProcessDriverTest, ends_a_task_that_took_too_much_as_failed_with_the_reason) {
  boot();
  const TaskId task = launch("trap '' TERM; echo ready; while true; do sleep 1; done");
  ASSERT_TRUE(started(task) && await_log(task, "ready"));
  driver_->fail(task, "it wrote too much");
  EXPECT_EQ(end(task).reason, Reason::failed);
  EXPECT_EQ(end(task).message, "it wrote too much");
  driver_->fail(task, "again");
  expect_no_children();
}

TEST_F(ProcessDriverTest, stops_a_task_whose_launch_was_only_just_ordered) {
  boot();
  const TaskId task = launch("exec sleep 1000");
  driver_->stop(task, milliseconds(60'000));
  EXPECT_EQ(end(task).reason, Reason::killed);
}

TEST_F(ProcessDriverTest, kills_what_ignores_term_when_its_grace_is_over) {
  boot();
  const TaskId task = launch("trap '' TERM; echo ready; sleep 1000 & sleep 1000");
  ASSERT_TRUE(started(task) && await_log(task, "ready"));
  driver_->stop(task, milliseconds(50));
  driver_->stop(task, milliseconds(60'000));  // The first deadline stands.
  EXPECT_EQ(end(task).signal, SIGKILL);
  EXPECT_EQ(end(task).reason, Reason::killed);
  expect_no_children();
}

TEST_F(ProcessDriverTest, ends_grandchildren_that_left_the_session_with_their_task) {
  boot();
  const TaskId task = launch(
      "setsid sh -c '(trap \"\" TERM HUP; exec sleep 1000) & echo $!'; setsid env -i sh -c 'sleep 1000 &'; "
      "exit 5");
  const TaskReport report = end(task);
  EXPECT_EQ(report.exit_code, 5);
  EXPECT_EQ(report.reason, Reason::failed);
  const pid_t escaped = std::stoi(log(task));
  EXPECT_NE(kill(escaped, 0), 0);
  expect_no_children();
}

TEST_F(ProcessDriverTest, runs_fifty_tasks_at_once) {
  boot();
  std::vector<TaskId> tasks;
  for (int number = 0; number < 50; ++number)
    tasks.push_back(launch("echo out; exit " + std::to_string(number)));
  for (int number = 0; number < 50; ++number) {
    EXPECT_EQ(end(tasks[static_cast<std::size_t>(number)]).exit_code, number);
    EXPECT_EQ(log(tasks[static_cast<std::size_t>(number)]), "out\n");
  }
  expect_no_children();
}

TEST_F(ProcessDriverTest, ends_every_task_truthfully_when_it_runs_out_of_descriptors) {
  boot();
  rlimit usual{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  const rlimit few{40, usual.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<TaskId> tasks;
  for (int number = 0; number < 40; ++number) tasks.push_back(launch("sleep 0.3; exit 6"));
  int ran = 0, refused = 0;
  for (const TaskId& task : tasks) {
    const TaskReport report = end(task);
    ran += report.exit_code == 6 ? 1 : 0;
    refused += report.reason == Reason::local_system_error ? 1 : 0;
  }
  setrlimit(RLIMIT_NOFILE, &usual);
  EXPECT_GT(ran, 0);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(ran + refused, 40);
  expect_no_children();
}

TEST_F(ProcessDriverTest, keeps_logs_of_discarded_tasks_within_its_limits) {
  ProcessDriverConfig config = driver_config(root_);
  config.ended_kept_max = 2;
  boot(config);
  std::vector<TaskId> tasks;
  for (int number = 0; number < 4; ++number) {
    tasks.push_back(launch("echo " + std::to_string(number) + "; touch litter"));
    end(tasks.back());
  }
  FolderWatch watch(std::filesystem::path(root_) / "ended");
  for (const TaskId& task : tasks) driver_->discard(task), driver_->discard(task);
  boot(config);  // Waits for the orders; a new life knows what is kept.
  EXPECT_FALSE(driver_->read_log(tasks[0], LogStream::standard_output, 0, 10).ok());
  EXPECT_FALSE(driver_->read_log(tasks[1], LogStream::standard_output, 0, 10).ok());
  EXPECT_EQ(log(tasks[2]), "2\n");
  EXPECT_EQ(log(tasks[3]), "3\n");
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(root_) / "ended" / to_text(tasks[3]) / "work"));
  EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path(root_) / "tasks"));
}

TEST_F(ProcessDriverTest, reads_a_log_whole_while_its_folder_moves) {
  ProcessDriver driver(driver_config(root_));
  const auto ended = std::filesystem::path(root_) / "ended";
  std::filesystem::create_directories(ended);
  constexpr int rounds = 300;
  int read_while_there = 0;
  for (int round = 0; round < rounds; ++round) {
    const TaskId task = fresh();
    const auto from = folder(task), to = ended / to_text(task);
    std::filesystem::create_directories(from);
    std::ofstream(from / ("stdout." + std::string(20, '0'))) << "x";
    std::ofstream(from / "exit") << "e";
    std::thread mover([&] { std::filesystem::rename(from, to); });
    while (std::filesystem::exists(from)) {
      const auto chunk = driver.read_log(task, LogStream::standard_output, 0, 16);
      ASSERT_TRUE(chunk.ok()) << chunk.error().message;
      ASSERT_EQ(chunk.value().data, "x");
      ++read_while_there;
    }
    mover.join();
  }
  EXPECT_GT(read_while_there, 0);
}

}  // namespace
}  // namespace troupe::agent
