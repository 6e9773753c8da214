#include "actors/agent/shim.hpp"

#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "actors/agent/oci/cgroup_tree.hpp"
#include "actors/agent/oci/container_start.hpp"
#include "actors/agent/shim_child.hpp"
#include "storage/base/time.hpp"
#include "storage/model/isolation.hpp"

namespace troupe::agent {
namespace {

constexpr milliseconds kill_pause_min{20};  // between two rounds against what is left of a tree, doubling
constexpr milliseconds kill_pause_max{1'000};
constexpr milliseconds kill_max{10'000};  // then it is reported as unkillable
constexpr milliseconds drain_max{1'000};  // a writer outside the tree must not keep the end back

struct Options {
  std::string dir;
  int fd = -1;
  int ids = -1, disk = -1;  ///< of a container, see ReadyFds
  std::uint64_t segment_bytes = 8 << 20;
  std::size_t segments_max = 4;
};

template <class Number>
bool parse(const char* text, Number& value) {
  const char* end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, value);
  return error == std::errc{} && stopped == end;
}

bool read_options(int argc, char** argv, Options& options) {
  bool is_valid = true;
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--dir") options.dir = value;
    if (name == "--fd") is_valid &= parse(value, options.fd);
    if (name == "--ids") is_valid &= parse(value, options.ids);
    if (name == "--disk") is_valid &= parse(value, options.disk);
    if (name == "--segment-bytes") is_valid &= parse(value, options.segment_bytes);
    if (name == "--segments-max") is_valid &= parse(value, options.segments_max);
  }
  return is_valid && !options.dir.empty() && options.segment_bytes > 0 && options.segments_max > 0;
}

/// One task's life, as a poll loop.
class Shim {
 public:
  Shim(const Options& options, Fd lock)
      : folder_{options.dir},
        lock_(std::move(lock)),
        driver_(options.fd),
        ready_{Fd(options.ids), Fd(options.disk)},
        logs_{
            SegmentWriter(folder_, LogStream::standard_output, options.segment_bytes, options.segments_max),
            SegmentWriter(folder_, LogStream::standard_error, options.segment_bytes, options.segments_max)} {}

  int run() {
    if (!prepare()) return 1;
    while (!is_done()) turn();
    return write_end() ? 0 : 1;
  }

 private:
  using Slot = std::size_t;
  static constexpr Slot signals = 0, listener = 1, driver = 2, failure = 3, output = 4, error = 5, slots = 6;

  bool prepare() {
    auto spec = folder_.read_spec();
    if (!spec.ok()) return false;  // The driver declares the task lost: it never ran.
    spec_ = std::move(spec).value();
    end_.task = spec_.task;
    folder_.write_pid("shim.pid", getpid());
    listener_ = folder_.listen_control();
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, &watched, nullptr);
    signals_.reset(signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!listener_.is_open() || !signals_.is_open()) return fail_start("cannot prepare the shim");
    container_ = read_container(folder_);
    // A plan that cannot be read must not turn a container into a plain process.
    if (!container_ && !is_driver_enough("process", spec_.image, spec_.attributes))
      return fail_start("there is no container plan for a task that asks for a container");
    auto child = container_ ? start_container(folder_, *container_, ready_) : start_child(folder_, spec_);
    if (!child.ok()) return fail_start(child.error().message);
    child_ = std::move(child).value();
    ready_ = {};  // The container's disk goes with the container.
    if (container_)
      runtime_ = std::exchange(child_.pid, -1);
    else
      folder_.write_pid("task.pid", child_.pid);
    return true;
  }

  bool fail_start(const std::string& message) {
    end_.reason = Reason::local_system_error;
    end_.message = message;
    has_reason_ = is_reaped_ = true;
    return true;
  }

  bool is_done() const {
    if (!is_reaped_) return false;
    if (kill_until_ && clock_.steady() >= *kill_until_) return true;
    if (has_children_) return false;
    const bool is_drained = !child_.output.is_open() && !child_.error.is_open();
    return is_drained || (drain_until_ && clock_.steady() >= *drain_until_);
  }

  void turn() {
    std::array<pollfd, slots> polled{};
    const int fds[slots] = {signals_.get(),       listener_.get(),     driver_.get(),
                            child_.failure.get(), child_.output.get(), child_.error.get()};
    for (Slot slot = 0; slot < slots; ++slot) polled[slot] = {fds[slot], POLLIN, 0};
    if (poll(polled.data(), slots, timeout_ms()) < 0 && errno != EINTR) std::abort();
    if (polled[failure].revents != 0) container_ ? hear_container() : hear_child();
    if (polled[listener].revents != 0)
      accept_driver();
    else if (polled[driver].revents != 0)
      hear_driver();
    if (polled[output].revents != 0) copy(child_.output, logs_[0]);
    if (polled[error].revents != 0) copy(child_.error, logs_[1]);
    if (polled[signals].revents != 0) reap();
    follow_deadlines();
  }

  int timeout_ms() const {
    std::optional<Moment> first;
    for (const auto& deadline : {grace_until_, kill_again_, kill_until_, drain_until_})
      if (deadline && (!first || *deadline < *first)) first = deadline;
    if (!first) return -1;
    const auto left = std::chrono::ceil<milliseconds>(*first - clock_.steady());
    return left.count() < 0 ? 0 : static_cast<int>(left.count());
  }

  void follow_deadlines() {
    const Moment now = clock_.steady();
    if (grace_until_ && now >= *grace_until_) {
      grace_until_.reset();
      begin_kill();
    }
    if (kill_again_ && now >= *kill_again_) kill_tree();
  }

  // ---- the child ----
  void hear_child() {
    ExecFailure told;
    const ssize_t count = read(child_.failure.get(), &told, sizeof told);
    if (count < 0 && errno == EAGAIN) return;
    child_.failure.reset();
    if (count == static_cast<ssize_t>(sizeof told)) {
      end_ = failure_report(spec_, told);
      has_reason_ = true;
      return;
    }
    take_start();
  }

  void take_start() {
    is_started_ = true;
    if (container_)
      if (const auto held = set_late_limits(container_->cgroups); !held.ok())
        return end_unheld(held.error().message);
    tell(shim_started);
    if (is_stopped_ && !is_reaped_) terminate();
  }

  /// It must not run without the limits that it was given.
  void end_unheld(const std::string& why) {
    end_.reason = Reason::local_system_error;
    end_.message = why;
    has_reason_ = true;
    stop(milliseconds(0));
  }

  /// A container's first process hands it on to the program's group.
  void terminate() {
    if (child_.pid > 0) kill(container_ ? child_.pid : -child_.pid, SIGTERM);
  }

  // ---- a container ----
  void hear_container() {
    InitRecord record;
    ssize_t count = 0;
    while ((count = read(child_.failure.get(), &record, sizeof record)) ==
           static_cast<ssize_t>(sizeof record))
      take_record(record);
    // All its writers are gone. Until then it stays open: by its closing the container learns of our end.
    if (count >= 0 || (errno != EAGAIN && errno != EINTR)) child_.failure.reset();
  }

  void take_record(const InitRecord& record) {
    using Kind = InitRecord::Kind;
    if (record.kind == Kind::started && !is_started_) take_start();
    if (record.kind == Kind::ended) program_status_ = record.value;
    if (record.kind != Kind::not_prepared && record.kind != Kind::not_started) return;
    end_ = container_failure(folder_, spec_, record);
    has_reason_ = true;
  }

  void reaped_in_container(pid_t pid, int status) {
    if (pid == runtime_) return runtime_ended(status);
    if (pid == child_.pid) return take_status(status);
    if (runtime_ > 0) early_ends_[pid] = status;  // The container's first process may outrun the runtime.
  }

  void runtime_ended(int status) {
    runtime_ = -1;
    const auto pid = status == 0 ? container_pid(folder_) : std::nullopt;
    if (!pid) {
      if (child_.failure.is_open()) hear_container();
      if (!has_reason_) end_ = container_failure(folder_, spec_, std::nullopt);
      if (is_stopped_) end_.reason = Reason::killed;
      has_reason_ = is_reaped_ = true;
      return;
    }
    child_.pid = *pid;
    folder_.write_pid("task.pid", *pid);
    if (const auto early = early_ends_.find(*pid); early != early_ends_.end())
      return take_status(early->second);
    if (is_started_ && is_stopped_) terminate();
  }

  void leave_container() {
    if (!container_) return;
    explain_oom(end_, count_oom_kills(container_->cgroups), container_->memory_mb);
    if (remove_cgroups(container_->cgroups.folders) > 0) has_children_ = true;
  }

  void reap() {
    signalfd_siginfo info[16];
    while (read(signals_.get(), info, sizeof info) > 0) continue;
    int status = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
      if (container_)
        reaped_in_container(pid, status);
      else if (pid == child_.pid)
        take_status(status);
    has_children_ = pid == 0;
    if (!is_reaped_) return;
    // The program is the task: what it leaves running ends with it.
    if (has_children_)
      begin_kill();
    else if (!drain_until_)
      drain_until_ = clock_.steady() + drain_max;
  }

  void take_status(int status) {
    is_reaped_ = true;
    if (child_.failure.is_open()) container_ ? hear_container() : hear_child();
    if (has_reason_) return;
    if (program_status_) status = *program_status_;
    if (WIFEXITED(status)) end_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
    const bool is_clean = end_.exit_code == 0 && end_.signal == 0;
    end_.reason = is_stopped_ ? Reason::killed : is_clean ? Reason::normal : Reason::failed;
    if (!fault_.empty()) {
      end_.reason = Reason::failed;
      end_.message = fault_;
    } else if (end_.signal != 0)
      end_.message = "ended by signal " + std::to_string(end_.signal);
    else if (!is_clean)
      end_.message = "exited with code " + std::to_string(end_.exit_code);
  }

  void begin_kill() {
    // A program that cannot be killed has not ended: only what it left behind may be given up.
    if (is_reaped_ && !kill_until_) kill_until_ = clock_.steady() + kill_max;
    kill_tree();
  }

  void kill_tree() {
    kill_again_ = clock_.steady() + kill_pause_;
    kill_pause_ = std::min(kill_pause_ * 2, kill_pause_max);
    // Its group can be named by number only while its leader is not reaped.
    if (!is_reaped_ && child_.pid > 0) kill(-child_.pid, SIGKILL);
    if (container_) kill_cgroups({container_->cgroups.folders.back()});
    for (const ProcessId& process : descendants_of(getpid())) signal_exactly(process, SIGKILL);
    if (is_reaped_ && !has_children_) kill_again_.reset();
  }

  void copy(Fd& from, SegmentWriter& log) {
    static char block[64 * 1024];
    const ssize_t count = read(from.get(), block, sizeof block);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return from.reset();
    if (!log.append(BytesView(block, static_cast<std::size_t>(count)))) is_log_torn_ = true;
  }

  // ---- the driver ----
  void accept_driver() {
    Fd fresh(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fresh.is_open()) return;
    driver_ = std::move(fresh);  // A new agent: the old one is dead.
    if (is_started_) tell(shim_started);
  }

  void hear_driver() {
    char message[fail_message_bytes_max + 2];
    const ssize_t count = recv(driver_.get(), message, sizeof message - 1, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return driver_.reset();
    message[count] = '\0';
    std::int64_t grace_ms = 0;
    if (message[0] == driver_stops && parse(message + 1, grace_ms)) stop(milliseconds(grace_ms));
    if (message[0] == driver_fails) fail(message + 1);
  }

  void stop(milliseconds grace) {
    if (is_stopped_ || is_reaped_) return;  // The first stop's deadline stands.
    is_stopped_ = true;
    grace_until_ = clock_.steady() + grace;
    if (is_started_) terminate();  // Else once it runs: before, the signal would hit a half-made child.
  }

  void fail(std::string message) {
    if (is_stopped_ || is_reaped_ || has_reason_) return;
    fault_ = std::move(message);
    stop(milliseconds(0));
  }

  void tell(char what) {
    if (driver_.is_open()) send(driver_.get(), &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  bool write_end() {
    leave_container();
    end_.state = TaskState::finished;
    end_.at = clock_.wall();
    if (has_children_) end_.message += "; some of its processes cannot be killed";
    if (is_log_torn_) end_.message += "; some of its output could not be written";
    return folder_.write_exit(end_).ok();
  }

  SystemClock clock_;
  TaskFolder folder_;
  Fd lock_;  ///< held to the end: who gets it knows that this shim is gone
  Fd driver_, listener_, signals_;
  ReadyFds ready_;  ///< until the container is on its way
  ContainerSpec spec_;
  std::string fault_;  ///< why the driver had it killed, if not by anybody's wish
  ShimChild child_;    ///< of a container: its first process, unknown (-1) until the runtime has ended
  std::optional<ContainerPlan> container_;
  pid_t runtime_ = -1;  ///< of a container that is being made
  std::map<pid_t, int>
      early_ends_;  ///< of children that ended before the runtime; few: it makes one container
  std::optional<int> program_status_;
  std::array<SegmentWriter, 2> logs_;
  TaskReport end_;
  bool is_started_ = false, is_stopped_ = false, is_reaped_ = false;
  bool has_reason_ = false, has_children_ = false, is_log_torn_ = false;
  milliseconds kill_pause_ = kill_pause_min;
  std::optional<Moment> grace_until_, kill_until_, kill_again_, drain_until_;
};

void isolate(const Options& options) {
  for (const int number : {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGQUIT}) signal(number, SIG_IGN);
  const auto first = static_cast<unsigned>(std::max({options.fd, options.ids, options.disk, 2}) + 1);
  syscall(SYS_close_range, first, ~0U, 0);
  // Processes that leave the task's session become children of the shim, not of the machine's first process.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "troupe-shim");
}

}  // namespace

int run_shim(int argc, char** argv) {
  Options options;
  if (!read_options(argc, argv, options)) {
    std::fprintf(
        stderr,
        "usage: shim --dir DIR [--fd N] [--ids N] [--disk N] [--segment-bytes N] [--segments-max N]\n");
    return 2;
  }
  isolate(options);
  const TaskFolder folder{options.dir};
  Fd lock = folder.wait_lock();
  // A restarted agent may have declared the task lost already, or an earlier shim may have run it: never
  // again.
  const bool is_first =
      lock.is_open() && !folder.read_exit() && !std::filesystem::exists(folder.path / "shim.pid");
  if (!is_first) return 3;
  return Shim(options, std::move(lock)).run();
}

}  // namespace troupe::agent
