#include "cmd/troupe/cli_hook.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

namespace troupe::cli {
namespace {

Error failed(const char* what, int error) {
  return {ErrorCode::io, std::string(what) + ": " + std::strerror(error)};
}

/// What a child of ours is given: no input, our stderr, and no signal blocked or ignored that we do.
class Attributes {
 public:
  Attributes() {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&files_);
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    for (const int number : {SIGINT, SIGTERM, SIGPIPE}) sigaddset(&usual, number);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, STDERR_FILENO, STDOUT_FILENO);
  }
  ~Attributes() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  int spawn(pid_t& child, char* const* argv) {
    return posix_spawn(&child, argv[0], &files_, &attributes_, argv, environ);
  }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t files_{};
};

/// Has it ended in time? Error: io.
Result<bool> ends(pid_t child, milliseconds at_most) {
  constexpr std::int64_t slice_ms_max = 3'600'000;  // poll() takes an int.
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  if (handle < 0) return failed("waiting for the command", errno);
  pollfd wait{handle, POLLIN, 0};
  std::int64_t left = at_most.count();
  int ready = 0, error = 0;
  do {
    const auto slice = std::min(left, slice_ms_max);
    ready = poll(&wait, 1, static_cast<int>(slice));
    error = ready < 0 ? errno : 0;
    if (ready == 0) left -= slice;
  } while ((ready == 0 && left > 0) || error == EINTR);
  close(handle);
  if (error != 0) return failed("waiting for the command", error);
  return ready > 0;
}

Result<void> result_of(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error{ErrorCode::precondition_failed,
               WIFEXITED(status) ? "it ended with exit code " + std::to_string(WEXITSTATUS(status))
                                 : "it was ended by signal " + std::to_string(WTERMSIG(status))};
}

}  // namespace

Result<void> run_hook(const std::string& command, milliseconds at_most) {
  std::string shell = "/bin/sh", option = "-c", text = command;
  const std::array<char*, 4> argv{shell.data(), option.data(), text.data(), nullptr};
  pid_t child = 0;
  if (const int error = Attributes().spawn(child, argv.data()); error != 0) return failed("/bin/sh", error);
  const auto in_time = ends(child, at_most);
  if (!in_time.ok() || !in_time.value()) kill(-child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return failed("waiting for the command", errno);
  if (!in_time.ok()) return in_time.error();
  if (!in_time.value())
    return Error{ErrorCode::request_timeout,
                 "it did not end within " + std::to_string(at_most.count() / 1'000) + " s and was killed"};
  return result_of(status);
}

std::string filled_in(std::string text, const std::vector<std::pair<std::string, std::string>>& values) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    bool is_filled = false;
    for (const auto& [name, value] : values) {
      const std::string mark = '{' + name + '}';
      if (text.compare(at, mark.size(), mark) != 0) continue;
      out += '\'';
      for (const char c : value) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
      out += '\'';
      at += mark.size();
      is_filled = true;
      break;
    }
    if (!is_filled) out += text[at++];
  }
  return out;
}

}  // namespace troupe::cli
