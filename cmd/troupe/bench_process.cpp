#include "cmd/troupe/bench_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace troupe::cli {
namespace {

constexpr std::size_t frame_bytes_max = std::size_t{16} << 20;

Error failed(const std::string& doing) { return {ErrorCode::io, doing + ": " + std::strerror(errno)}; }

/// In the child, between fork and exec: only what is safe there.
[[noreturn]] void become(char* const* arguments, int in, int out, int log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(in, STDIN_FILENO);
  dup2(log >= 0 ? log : out, STDOUT_FILENO);
  if (log >= 0) dup2(log, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // Sockets of this process's clients and agents: their other ends would not hear when they are closed.
  close_range(3, ~0U, 0);
  execv("/proc/self/exe", arguments);
  _exit(127);
}

Result<void> move_bytes(int file, char* bytes, std::size_t size, ssize_t (*move)(int, char*, std::size_t)) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t count = move(file, bytes + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Error{ErrorCode::io, "the other process is gone"};
    done += static_cast<std::size_t>(count);
  }
  return {};
}

ssize_t write_some(int file, char* bytes, std::size_t size) { return ::write(file, bytes, size); }
ssize_t read_some(int file, char* bytes, std::size_t size) { return ::read(file, bytes, size); }

}  // namespace

Result<std::unique_ptr<BenchProcess>> BenchProcess::start(const std::vector<std::string>& arguments,
                                                          const std::string& log) {
  int to_child[2], from_child[2];
  if (pipe2(to_child, O_CLOEXEC) != 0) return failed("pipe");
  if (pipe2(from_child, O_CLOEXEC) != 0) return failed("pipe");
  const int log_file =
      log.empty() ? -1 : ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  std::vector<std::string> copies{"troupe"};
  copies.insert(copies.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& copy : copies) pointers.push_back(copy.data());
  pointers.push_back(nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  const pid_t pid = fork();
  if (pid == 0) become(pointers.data(), to_child[0], from_child[1], log_file);
  ::close(to_child[0]);
  ::close(from_child[1]);
  if (log_file >= 0) ::close(log_file);
  if (pid < 0) return failed("fork");
  return std::unique_ptr<BenchProcess>(new BenchProcess(pid, to_child[1], from_child[0]));
}

BenchProcess::~BenchProcess() {
  kill_and_wait();
  ::close(in_);
  ::close(out_);
}

bool BenchProcess::is_running() {
  if (!ended_) ended_ = waitpid(pid_, nullptr, WNOHANG) == pid_;
  return !ended_;
}

void BenchProcess::send_signal(int number) const {
  if (!ended_) ::kill(pid_, number);
}

void BenchProcess::kill_and_wait() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  ended_ = true;
}

Result<void> write_frame(int file, BytesView bytes) {
  Bytes frame(4, '\0');
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(frame.data(), &size, sizeof size);
  frame.append(bytes);
  return move_bytes(file, frame.data(), frame.size(), write_some);
}

Result<Bytes> read_frame(int file) {
  std::uint32_t size = 0;
  if (auto read = move_bytes(file, reinterpret_cast<char*>(&size), sizeof size, read_some); !read.ok())
    return read.error();
  if (size > frame_bytes_max) return Error{ErrorCode::io, "a frame is too long"};
  Bytes bytes(size, '\0');
  if (auto read = move_bytes(file, bytes.data(), size, read_some); !read.ok()) return read.error();
  return bytes;
}

}  // namespace troupe::cli
