// What outlives an agent, and what becomes of a task whose shim dies.

#include <spawn.h>

#include "tests/actors/agent/process_bench.hpp"

namespace troupe::agent {
namespace {

TEST_F(ProcessDriverTest, adopts_what_runs_and_what_ended_meanwhile) {
  boot();
  const TaskId running = launch("echo before; mkfifo gate; echo open; read line < gate; echo $line; exit 9");
  const TaskId ending = launch("mkfifo gate; echo open; read line < gate; exit 8");
  ASSERT_TRUE(started(running) && started(ending) && await_log(running, "open") && await_log(ending, "open"));
  driver_.reset();  // Its sockets close, as they do when the agent is killed.
  open_gate(ending, "go");
  ASSERT_TRUE(await_exit_file(ending));
  EXPECT_EQ(boot(driver_config(root_)).size(), 2u);
  EXPECT_EQ(end(ending).exit_code, 8);
  EXPECT_EQ(news_->count(ending, TaskState::started), 0u);
  EXPECT_TRUE(started(running));
  open_gate(running, "after");
  EXPECT_EQ(end(running).exit_code, 9);
  EXPECT_EQ(log(running), "before\nopen\nafter\n");
}

/// An agent of its own process, to be killed.
class HelperAgent {
 public:
  HelperAgent(const std::string& root, const TaskId& task, const std::string& script) {
    std::string program = HELPER_PROGRAM, id = to_text(task), folder = root, text = script;
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    Fd theirs(ends[1]);
    ready_ = Fd(ends[0]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), 1);
    char* argv[] = {program.data(), folder.data(), id.data(), text.data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~HelperAgent() { kill_now(); }
  /// True once it was told that its task has started.
  bool is_ready() {
    pollfd polled{ready_.get(), POLLIN, 0};
    char byte = 0;
    return poll(&polled, 1, 20'000) == 1 && read(ready_.get(), &byte, 1) == 1;
  }
  void kill_now() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  Fd ready_;
};

TEST_F(ProcessDriverTest, loses_nothing_when_the_agent_is_killed) {
  const TaskId task = fresh();
  HelperAgent agent(root_, task,
                    "echo before; mkfifo gate; echo open; read line < gate; echo $line; exit 42");
  ASSERT_TRUE(agent.is_ready());
  agent.kill_now();
  EXPECT_EQ(boot(driver_config(root_)), std::vector<TaskId>{task});
  EXPECT_TRUE(started(task));
  ASSERT_TRUE(await_log(task, "open"));
  open_gate(task, "after");
  EXPECT_EQ(end(task).exit_code, 42);
  EXPECT_EQ(news_->count(task, TaskState::finished), 1u);
  EXPECT_EQ(log(task), "before\nopen\nafter\n");
  expect_no_children();
}

TEST_F(ProcessDriverTest, finds_the_end_of_a_task_that_ended_without_an_agent) {
  const TaskId task = fresh();
  HelperAgent agent(root_, task, "mkfifo gate; echo open; read line < gate; exit 42");
  ASSERT_TRUE(agent.is_ready());
  agent.kill_now();
  driver_ = std::make_unique<ProcessDriver>(driver_config(root_));  // To read the log: it is not adopting.
  ASSERT_TRUE(await_log(task, "open"));
  open_gate(task, "go");
  ASSERT_TRUE(await_exit_file(task));
  boot();
  EXPECT_EQ(end(task).exit_code, 42);
  EXPECT_EQ(end(task).reason, Reason::failed);
}

TEST_F(ProcessDriverTest, stops_an_adopted_task) {
  boot();
  const TaskId task = launch("exec sleep 1000");
  ASSERT_TRUE(started(task));
  boot();
  driver_->stop(task, milliseconds(60'000));
  EXPECT_EQ(end(task).signal, SIGTERM);
  EXPECT_EQ(end(task).reason, Reason::killed);
}

constexpr const char* tree_script =
    "echo x >> runs; (setsid sh -c 'trap \"\" TERM HUP; sleep 1000' &) ; sleep 1000 & echo ready; wait";

TEST_F(ProcessDriverTest, tells_the_truth_when_a_shim_is_killed) {
  boot();
  const TaskId task = launch(tree_script);
  ASSERT_TRUE(started(task) && await_log(task, "ready"));
  ASSERT_TRUE(signal_exactly(process_in(folder(task) / "shim.pid"), SIGKILL));
  const TaskReport report = end(task);
  EXPECT_EQ(report.reason, Reason::local_system_error);
  EXPECT_EQ(report.message, "its shim died; the exit code is unknown");
  EXPECT_EQ(report.signal, 0);
  EXPECT_TRUE(processes_marked(mark_of(task)).empty());
  driver_->launch(shell(task, tree_script));
  boot();
  EXPECT_EQ(end(task).message, report.message);
  std::ifstream runs(folder(task) / "work" / "runs");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(runs), {}), "x\n");
  expect_no_children();
}

TEST_F(ProcessDriverTest, tells_the_truth_when_agent_and_shim_were_killed) {
  boot();
  const TaskId task = launch(tree_script);
  ASSERT_TRUE(started(task) && await_log(task, "ready"));
  driver_.reset();
  const ProcessId shim = process_in(folder(task) / "shim.pid");
  const Fd shim_end = open_pidfd(shim.pid);
  ASSERT_TRUE(signal_exactly(shim, SIGKILL));
  pollfd gone{shim_end.get(), POLLIN, 0};
  ASSERT_EQ(poll(&gone, 1, 20'000), 1);
  boot();
  EXPECT_EQ(end(task).message, "its shim died; the exit code is unknown");
  EXPECT_TRUE(processes_marked(mark_of(task)).empty());
  expect_no_children();
}

TEST_F(ProcessDriverTest, declares_a_task_lost_whose_shim_was_never_started) {
  const TaskId task = fresh();
  std::filesystem::create_directories(folder(task) / "work");
  boot();
  EXPECT_EQ(end(task).reason, Reason::local_system_error);
}

}  // namespace
}  // namespace troupe::agent
