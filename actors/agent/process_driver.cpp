#include "actors/agent/process_driver.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "actors/agent/ended_tasks.hpp"
#include "actors/agent/shim_child.hpp"
#include "actors/agent/spawn.hpp"
#include "actors/agent/task_folder.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds reconnect_every{20};  // to a shim that lives but does not listen yet
constexpr std::size_t epoll_events_max = 64;

struct Spawned {
  Fd socket, pidfd;
};

/// The shim starts with nothing of the agent's: no variables, signals or descriptors but its end of the
/// socket.
Result<Spawned> spawn_shim(const ProcessDriverConfig& config, const fs::path& folder, const ShimFds& fds) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return Error{ErrorCode::io, std::string("cannot make a socket pair: ") + std::strerror(errno)};
  Spawned spawned{Fd(ends[0]), {}};
  const Fd theirs(ends[1]);
  std::vector<std::string> argv = config.shim_command;
  for (const std::string& more :
       {std::string("--dir"), folder.string(), std::string("--fd"), std::string("3"),
        std::string("--segment-bytes"), std::to_string(config.segment_bytes), std::string("--segments-max"),
        std::to_string(config.segments_max)})
    argv.push_back(more);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, (folder / "shim.log").c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), 3);
  int next = 4;
  std::vector<Fd> sources;  // None has a number that another is given before.
  for (const auto& [option, fd] : fds) {
    sources.emplace_back(fcntl(fd.get(), F_DUPFD_CLOEXEC, 16));
    posix_spawn_file_actions_adddup2(&actions, sources.back().get(), next);
    argv.push_back(option);
    argv.push_back(std::to_string(next++));
  }
  const auto pid = spawn_bare(std::move(argv), actions, POSIX_SPAWN_SETSID);
  posix_spawn_file_actions_destroy(&actions);
  if (!pid.ok()) return pid.error();
  spawned.pidfd = open_pidfd(pid.value());  // Not reaped by anybody else: it is surely the shim.
  if (spawned.pidfd.is_open()) return spawned;
  const std::string reason = std::strerror(errno);
  kill(pid.value(), SIGKILL);
  waitpid(pid.value(), nullptr, 0);
  return Error{ErrorCode::io, "cannot watch the shim: " + reason};
}

TaskReport report_of(const TaskId& task, TaskState state) {
  TaskReport report;
  report.task = task;
  report.state = state;
  report.at = SystemClock().wall();
  return report;
}

TaskReport end_of(const TaskId& task, Reason reason, std::string message) {
  TaskReport end = report_of(task, TaskState::finished);
  end.reason = reason;
  end.message = std::move(message);
  return end;
}

Reason reason_of(ErrorCode code) {
  if (code == ErrorCode::conflict) return Reason::killed;
  const bool is_users = code == ErrorCode::invalid_argument || code == ErrorCode::not_found;
  return is_users ? Reason::invalid_request : Reason::local_system_error;
}

}  // namespace

std::vector<std::string> default_shim_command() {
  std::error_code problem;
  const fs::path self = fs::read_symlink("/proc/self/exe", problem);
  const fs::path beside = self.parent_path() / "troupe-shim";
  if (!problem && access(beside.c_str(), X_OK) == 0) return {beside.string()};
  return {"/proc/self/exe", "shim"};
}

/// Owns all watched tasks; only its thread touches them once it runs.
class ProcessDriver::Watcher {
 public:
  Watcher(const ProcessDriverConfig& config, Listener listener)
      : config_(config),
        listener_(std::move(listener)),
        ended_(fs::path(config.root) / "ended", config.ended_kept_max, config.ended_bytes_max),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    TROUPE_CHECK(epoll_.is_open() && wake_.is_open());
    watch(wake_, wake_key);
  }
  ~Watcher() {
    post([this] { is_stopping_ = true; });
    if (thread_.joinable()) thread_.join();
  }

  void start(const std::vector<TaskId>& found) {
    for (const TaskId& task : found) post([this, task] { adopt(task); });
    post([this] { ended_.load(); });
    thread_ = std::thread([this] { run(); });
  }
  /// Bounded by the agent core, which knows a limited number of tasks and gives few orders for each.
  void post(std::function<void()> order) {
    {
      const std::lock_guard lock(mutex_);
      orders_.push_back(std::move(order));
    }
    const std::uint64_t one = 1;
    (void)!write(wake_.get(), &one, sizeof one);
  }

  void launch(const TaskId& task, const ShimFds& fds) {
    if (tasks_.contains(task)) return;
    give(report_of(task, TaskState::start_initiated));
    Watched& watched = begin(task);
    auto spawned = spawn_shim(config_, folder(task).path, fds);
    if (!spawned.ok()) {
      end_orphans(task);  // It may have come as far as to start the program.
      return settle(task, end_of(task, Reason::local_system_error, spawned.error().message));
    }
    take(watched, std::move(spawned).value());
  }
  /// A task that could not even be given to a shim.
  void refuse(const TaskId& task, const TaskReport& end) {
    if (tasks_.contains(task)) return;
    begin(task);
    settle(task, end);
  }
  void stop(const TaskId& task, milliseconds grace) {
    const auto found = tasks_.find(task);
    if (found == tasks_.end() || found->second.is_ended) return;
    Watched& watched = found->second;
    watched.stop = driver_stops + std::to_string(std::max<std::int64_t>(grace.count(), 0));
    send_stop(watched);
  }
  void fail(const TaskId& task, const std::string& message) {
    const auto found = tasks_.find(task);
    if (found == tasks_.end() || found->second.is_ended) return;
    found->second.stop = driver_fails + message.substr(0, fail_message_bytes_max);
    send_stop(found->second);
  }
  void discard(const TaskId& task) {
    const auto found = tasks_.find(task);
    if (found == tasks_.end() || !found->second.is_ended) return;
    ended_.take(task, folder(task).path);
    keys_.erase(found->second.key);
    tasks_.erase(found);
  }

 private:
  struct Watched {
    TaskId task;
    std::uint64_t key = 0;
    Fd socket, pidfd;
    std::string stop;  ///< still to be sent
    bool is_started = false, is_ended = false;
  };
  static constexpr std::uint64_t wake_key = 0;

  TaskFolder folder(const TaskId& task) const { return {fs::path(config_.root) / "tasks" / to_text(task)}; }
  void give(TaskReport report) { listener_({std::move(report)}); }
  std::size_t end_orphans(const TaskId& task) const {
    return config_.end_orphans ? config_.end_orphans(task, folder(task)) : kill_marked(mark_of(task));
  }

  Watched& begin(const TaskId& task) {
    Watched& watched = tasks_[task];
    watched.task = task;
    watched.key = next_key_++;
    keys_[watched.key] = task;
    return watched;
  }

  void watch(const Fd& fd, std::uint64_t key) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = key;
    TROUPE_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0);
  }

  void take(Watched& watched, Spawned spawned) {
    watched.socket = std::move(spawned.socket);
    watched.pidfd = std::move(spawned.pidfd);
    watch(watched.socket, watched.key);
    watch(watched.pidfd, watched.key);
    send_stop(watched);
  }

  void send_stop(Watched& watched) {
    if (watched.stop.empty() || !watched.socket.is_open()) return;
    if (send(watched.socket.get(), watched.stop.data(), watched.stop.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
      watched.stop.clear();
  }

  void run() {
    std::array<epoll_event, epoll_events_max> events{};
    while (!is_stopping_) {
      const int timeout_ms = connecting_.empty() ? -1 : static_cast<int>(reconnect_every.count());
      const int count = epoll_wait(epoll_.get(), events.data(), epoll_events_max, timeout_ms);
      TROUPE_CHECK(count >= 0 || errno == EINTR);
      for (int i = 0; i < count; ++i) follow(events[static_cast<std::size_t>(i)].data.u64);
      for (const TaskId& task : std::exchange(connecting_, {})) adopt(task);
    }
  }

  void follow(std::uint64_t key) {
    if (key == wake_key) return obey();
    const auto found = keys_.find(key);  // Gone: two events of one task in one batch.
    if (found != keys_.end()) hear(tasks_.at(found->second));
  }

  void obey() {
    std::uint64_t count = 0;
    (void)!read(wake_.get(), &count, sizeof count);
    std::deque<std::function<void()>> orders;
    {
      const std::lock_guard lock(mutex_);
      orders.swap(orders_);
    }
    for (const auto& order : orders) order();
  }

  void hear(Watched& watched) {
    if (watched.is_ended) return;
    if (watched.socket.is_open()) hear_shim(watched);
    siginfo_t info{};
    // Reaps a shim that we started. One that an earlier life started is not our child: its pidfd alone tells.
    const int reaped = waitid(P_PIDFD, static_cast<id_t>(watched.pidfd.get()), &info, WEXITED | WNOHANG);
    if (reaped == 0 ? info.si_pid != 0 : is_readable(watched.pidfd)) shim_gone(watched);
  }

  void hear_shim(Watched& watched) {
    char message[8];
    ssize_t count = 0;
    while ((count = recv(watched.socket.get(), message, sizeof message, MSG_DONTWAIT)) > 0) {
      if (message[0] != shim_started || watched.is_started) continue;
      watched.is_started = true;
      give(report_of(watched.task, TaskState::started));
    }
    // Closed: it is about to exit, or dead. The pidfd says when, and only then is its `exit` looked for.
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) watched.socket.reset();
  }

  static bool is_readable(const Fd& pidfd) {
    pollfd polled{pidfd.get(), POLLIN, 0};
    return poll(&polled, 1, 0) == 1;
  }

  void shim_gone(Watched& watched) {
    const TaskId task = watched.task;
    watched.socket.reset();  // First: an agent out of descriptors must still be able to read the end.
    watched.pidfd.reset();
    if (const auto end = folder(task).read_exit()) return settle(task, *end);
    const Fd lock = folder(task).try_lock();
    const std::size_t left = end_orphans(task);
    std::string message = "its shim died; the exit code is unknown";
    if (left > 0) message += "; " + std::to_string(left) + " of its processes cannot be killed";
    settle(task, end_of(task, Reason::local_system_error, std::move(message)));
  }

  /// Writes the end unless it is written already, and reports it.
  void settle(const TaskId& task, const TaskReport& end) {
    Watched& watched = tasks_.at(task);
    if (watched.is_ended) return;
    watched.is_ended = true;
    watched.socket.reset();
    watched.pidfd.reset();
    // Best effort: on a full disk the end is reported all the same, and a restarted agent comes to a like
    // conclusion.
    if (!folder(task).read_exit()) (void)folder(task).write_exit(end).ok();
    give(end);
  }

  // ---- adoption ----
  void adopt(const TaskId& task) {
    const auto known = tasks_.find(task);
    Watched& watched = known == tasks_.end() ? begin(task) : known->second;
    if (watched.is_ended || watched.socket.is_open()) return;
    if (const auto end = folder(task).read_exit()) return settle(task, *end);
    if (const Fd lock = folder(task).try_lock(); lock.is_open()) return adopt_dead(watched);
    if (!connect(watched)) connecting_.push_back(task);
  }

  /// Under the lock: a shim that comes only now finds the end and leaves.
  void adopt_dead(Watched& watched) {
    if (const auto end = folder(watched.task).read_exit()) return settle(watched.task, *end);
    shim_gone(watched);
  }

  bool connect(Watched& watched) {
    Fd socket_fd = folder(watched.task).connect_control();
    ucred peer{};
    socklen_t size = sizeof peer;
    if (!socket_fd.is_open() || getsockopt(socket_fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
      return false;
    Fd pidfd = open_pidfd(peer.pid);
    // While its lock is held the shim lives, so that the pid, which is that of the listener, was still its
    // own.
    if (!pidfd.is_open() || folder(watched.task).try_lock().is_open()) return false;
    take(watched, {std::move(socket_fd), std::move(pidfd)});
    return true;
  }

  const ProcessDriverConfig& config_;
  const Listener listener_;
  EndedTasks ended_;
  Fd epoll_, wake_;
  std::map<TaskId, Watched> tasks_;
  std::map<std::uint64_t, TaskId> keys_;
  std::vector<TaskId> connecting_;
  std::uint64_t next_key_ = 1;
  bool is_stopping_ = false;
  std::mutex mutex_;
  std::deque<std::function<void()>> orders_;
  std::thread thread_;
};

ProcessDriver::ProcessDriver(ProcessDriverConfig config) : config_(std::move(config)) {
  TROUPE_CHECK(!config_.root.empty() && !config_.shim_command.empty());
}

ProcessDriver::~ProcessDriver() = default;

std::vector<TaskId> ProcessDriver::adopt(Listener listener) {
  TROUPE_CHECK(!watcher_);
  const fs::path root = config_.root;
  std::error_code problem;
  fs::create_directories(root / "tasks", problem);
  fs::create_directories(root / "ended", problem);
  std::vector<TaskId> found;
  for (const auto& entry : fs::directory_iterator(root / "tasks", problem)) {
    const auto task = parse_uuid<TaskId>(entry.path().filename().string());
    if (task.ok()) found.push_back(task.value());
  }
  watcher_ = std::make_unique<Watcher>(config_, std::move(listener));
  watcher_->start(found);
  return found;
}

void ProcessDriver::launch(const ContainerSpec& spec) {
  launch_prepared(spec, [&](const TaskFolder&) -> Result<ShimFds> {
    const std::string complaint = complaint_about(spec);
    if (complaint.empty()) return ShimFds();
    return Error{ErrorCode::invalid_argument, complaint};
  });
}

void ProcessDriver::launch_prepared(const ContainerSpec& spec, const Prepare& prepare) {
  TROUPE_CHECK(watcher_ != nullptr);
  const TaskId task = spec.task;
  const auto refuse = [&](Reason reason, const std::string& message) {
    watcher_->post(
        [watcher = watcher_.get(), end = end_of(task, reason, message)] { watcher->refuse(end.task, end); });
  };
  const TaskFolder folder{fs::path(config_.root) / "tasks" / to_text(task)};
  std::error_code problem;
  const bool is_fresh = fs::create_directory(folder.path, problem);
  if (problem) return refuse(Reason::local_system_error, "cannot make its folder: " + problem.message());
  if (!is_fresh) return;  // An earlier launch: it is watched already.
  fs::create_directory(folder.path / "work", problem);
  auto ready = prepare(folder);
  if (!ready.ok()) return refuse(reason_of(ready.error().code), ready.error().message);
  const auto written = folder.write_spec(spec);
  if (!written.ok()) return refuse(Reason::local_system_error, written.error().message);
  const auto fds = std::make_shared<const ShimFds>(std::move(ready).value());
  watcher_->post([watcher = watcher_.get(), task, fds] { watcher->launch(task, *fds); });
}

void ProcessDriver::stop(const TaskId& task, milliseconds grace) {
  TROUPE_CHECK(watcher_ != nullptr);
  watcher_->post([watcher = watcher_.get(), task, grace] { watcher->stop(task, grace); });
}

void ProcessDriver::fail(const TaskId& task, const std::string& message) {
  TROUPE_CHECK(watcher_ != nullptr);
  watcher_->post([watcher = watcher_.get(), task, message] { watcher->fail(task, message); });
}

void ProcessDriver::discard(const TaskId& task) {
  TROUPE_CHECK(watcher_ != nullptr);
  watcher_->post([watcher = watcher_.get(), task] { watcher->discard(task); });
}

Result<LogChunk> ProcessDriver::read_log(const TaskId& task, LogStream stream, std::uint64_t offset,
                                         std::size_t bytes_max) {
  // The folder may move at any time, but only one way: what was read while it went is read again.
  for (const char* place : {"tasks", "ended"}) {
    const TaskFolder folder{fs::path(config_.root) / place / to_text(task)};
    if (!fs::exists(folder.path)) continue;
    auto chunk = read_segments(folder, stream, offset, bytes_max);
    if (fs::exists(folder.path)) return chunk;
  }
  return Error{ErrorCode::not_found, "there is no log of task " + to_text(task) + " here, or not any more"};
}

}  // namespace troupe::agent
