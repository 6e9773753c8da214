#pragma once
// A process driver over a temporary folder, and ways to wait for what it does.

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "actors/agent/process_driver.hpp"
#include "actors/agent/process_tree.hpp"
#include "actors/agent/shim_child.hpp"
#include "storage/base/random.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::agent {

constexpr std::chrono::seconds wait_max{20};

/// News of a driver, to be awaited.
class NewsBox {
 public:
  Driver::Listener listener() {
    return [this](const DriverEvent& event) {
      const std::lock_guard lock(mutex_);
      news_.push_back(event.report);
      changed_.notify_all();
    };
  }
  /// The first report of that task in that state; a nil task if it never came.
  TaskReport await(const TaskId& task, TaskState state) {
    std::unique_lock lock(mutex_);
    TaskReport found;
    changed_.wait_for(lock, wait_max, [&] {
      for (const TaskReport& report : news_)
        if (report.task == task && report.state == state) return found = report, true;
      return false;
    });
    return found;
  }
  std::size_t count(const TaskId& task, TaskState state) {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (const TaskReport& report : news_) count += report.task == task && report.state == state;
    return count;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<TaskReport> news_;
};

inline ProcessDriverConfig driver_config(const std::string& root) {
  ProcessDriverConfig config;
  config.root = root;
  config.shim_command = {SHIM_PROGRAM};
  return config;
}

inline ContainerSpec shell(const TaskId& task, const std::string& script) {
  ContainerSpec spec;
  spec.task = task;
  spec.argv = {"sh", "-c", script};
  return spec;
}

/// Waits for changes of files in a folder.
class FolderWatch {
 public:
  explicit FolderWatch(const std::filesystem::path& folder) : fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    inotify_add_watch(fd_.get(), folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
  }
  /// False: nothing changed any more, and it still does not hold.
  template <class Holds>
  bool await(Holds holds) {
    char events[4096];
    while (!holds()) {
      pollfd polled{fd_.get(), POLLIN, 0};
      if (poll(&polled, 1, static_cast<int>(std::chrono::milliseconds(wait_max).count())) != 1)
        return holds();
      while (read(fd_.get(), events, sizeof events) > 0) continue;
    }
    return true;
  }

 private:
  Fd fd_;
};

class ProcessDriverTest : public ::testing::Test {
 protected:
  ProcessDriverTest() : random_(Random::from_system()) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);  // Whatever is orphaned comes to us and is counted.
  }
  ~ProcessDriverTest() override {
    driver_.reset();
    for (const TaskId& task : tasks_) {
      EXPECT_TRUE(processes_marked(mark_of(task)).empty()) << "left running: " << to_text(task);
      kill_marked(mark_of(task));
    }
  }

  void boot() { boot(driver_config(root_)); }
  std::vector<TaskId> boot(const ProcessDriverConfig& config) {
    driver_.reset();
    news_ = std::make_unique<NewsBox>();
    driver_ = std::make_unique<ProcessDriver>(config);
    return driver_->adopt(news_->listener());
  }
  TaskId fresh() {
    tasks_.push_back(random_.uuid<TaskId>());
    return tasks_.back();
  }
  TaskId launch(const std::string& script) {
    const TaskId task = fresh();
    driver_->launch(shell(task, script));
    return task;
  }
  TaskReport end(const TaskId& task) { return news_->await(task, TaskState::finished); }
  bool started(const TaskId& task) { return news_->await(task, TaskState::started).task == task; }

  std::filesystem::path folder(const TaskId& task) const {
    return std::filesystem::path(root_) / "tasks" / to_text(task);
  }
  std::string log(const TaskId& task, LogStream stream = LogStream::standard_output) {
    const auto chunk = driver_->read_log(task, stream, 0, 1 << 20);
    return chunk.ok() ? chunk.value().data : "error: " + chunk.error().message;
  }
  bool await_log(const TaskId& task, const std::string& text) {
    FolderWatch watch(folder(task));
    return watch.await([&] { return log(task).find(text) != std::string::npos; });
  }
  ProcessId process_in(const std::filesystem::path& file) {
    ProcessId process;
    std::ifstream(file) >> process.pid >> process.start_ticks;
    return process;
  }
  /// Opens the gate of a task that runs `mkfifo gate; echo open; read line < gate; ...`.
  void open_gate(const TaskId& task, const std::string& line) {
    std::ofstream(folder(task) / "work" / "gate") << line << "\n" << std::flush;
  }
  bool await_exit_file(const TaskId& task) {
    FolderWatch watch(folder(task));
    return watch.await([&] { return std::filesystem::exists(folder(task) / "exit"); });
  }
  /// Reaps what came to us as orphans; every child must be gone.
  void expect_no_children() {
    for (int reaped = 0; reaped < 1'000; ++reaped) {
      const pid_t pid = waitpid(-1, nullptr, WNOHANG);
      if (pid < 0) return;
      ASSERT_NE(pid, 0) << "a child process is still there";
    }
  }

  Random random_;
  TempFolder folder_;
  const std::string root_ = folder_.path();
  std::vector<TaskId> tasks_;
  std::unique_ptr<NewsBox> news_;
  std::unique_ptr<ProcessDriver> driver_;
};

}  // namespace troupe::agent
