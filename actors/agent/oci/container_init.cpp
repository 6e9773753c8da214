#include "actors/agent/oci/container_init.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace troupe::agent {
namespace {

constexpr int exit_not_started = 127;
constexpr int exit_alone = 137;

void tell(InitRecord::Kind kind, int value) {
  const InitRecord record{kind, InitRecord::Stage::runtime, value};
  (void)!write(init_record_fd, &record, sizeof record);
}

[[noreturn]] void become(char** argv, int failure_fd) {
  setsid();
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execvp(argv[0], argv);
  const int problem = errno;
  (void)!write(failure_fd, &problem, sizeof problem);
  _exit(exit_not_started);
}

/// 0 once the program runs, else errno.
int start(char** argv, pid_t& child) {
  int failure[2];
  if (pipe2(failure, O_CLOEXEC) != 0) return errno;
  child = fork();
  if (child < 0) return errno;
  if (child == 0) become(argv, failure[1]);
  close(failure[1]);
  int problem = 0;
  ssize_t count = 0;
  do count = read(failure[0], &problem, sizeof problem);
  while (count < 0 && errno == EINTR);
  close(failure[0]);
  return count > 0 ? problem : 0;
}

/// The program's wait status, once it has ended.
bool reap(pid_t child, int& ended_with) {
  int status = 0;
  pid_t pid = 0;
  bool has_ended = false;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != child) continue;
    has_ended = true;
    ended_with = status;
  }
  return has_ended;
}

int attend(pid_t child, int signals) {
  pollfd polled[2] = {{signals, POLLIN, 0}, {init_record_fd, 0, 0}};
  for (;;) {
    if (poll(polled, 2, -1) < 0 && errno != EINTR) return exit_alone;
    // Its only reader was the shim. Whatever runs here ends with this process.
    if ((polled[1].revents & (POLLERR | POLLNVAL)) != 0) return exit_alone;
    signalfd_siginfo info{};
    while (read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo != SIGCHLD) {
        kill(-child, static_cast<int>(info.ssi_signo));
        continue;
      }
      int status = 0;
      if (!reap(child, status)) continue;
      tell(InitRecord::Kind::ended, status);
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
}

}  // namespace

int run_container_init(char** argv) {
  if (argv == nullptr || argv[0] == nullptr) return exit_not_started;
  fcntl(init_record_fd, F_SETFD, FD_CLOEXEC);
  prctl(PR_SET_DUMPABLE, 0);  // Nobody inside may write into that pipe through /proc/1/fd.
  // Blocked before the fork: no signal may find neither program nor reader.
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  const int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  pid_t child = -1;
  const int problem = signals < 0 ? errno : start(argv, child);
  if (problem != 0) {
    tell(InitRecord::Kind::not_started, problem);
    return exit_not_started;
  }
  tell(InitRecord::Kind::started, 0);
  return attend(child, signals);
}

}  // namespace troupe::agent
