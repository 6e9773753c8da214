#include "actors/agent/task_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

namespace troupe::agent {
namespace {

Error io_error(const std::string& what) {
  const int number = errno;
  return {number == ENOENT ? ErrorCode::not_found : ErrorCode::io, what + ": " + std::strerror(number)};
}

Result<Bytes> read_file(const std::filesystem::path& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return io_error("cannot open " + path.string());
  Bytes bytes;
  char block[16 * 1024];
  for (;;) {
    const ssize_t count = read(file.get(), block, sizeof block);
    if (count == 0) return bytes;
    if (count < 0) return io_error("cannot read " + path.string());
    bytes.append(block, static_cast<std::size_t>(count));
  }
}

bool write_all(int fd, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

enum class Sync : std::uint8_t { none, full };

Result<void> write_file(const std::filesystem::path& folder, const char* name, BytesView bytes, Sync sync) {
  const auto final_path = folder / name;
  auto fresh_path = final_path;
  fresh_path += ".new";
  const Fd file(open(fresh_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open()) return io_error("cannot create " + fresh_path.string());
  if (!write_all(file.get(), bytes) || (sync == Sync::full && fsync(file.get()) != 0))
    return io_error("cannot write " + fresh_path.string());
  if (rename(fresh_path.c_str(), final_path.c_str()) != 0)
    return io_error("cannot rename " + fresh_path.string());
  if (sync == Sync::none) return {};
  const Fd parent(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.is_open() || fsync(parent.get()) != 0) return io_error("cannot sync " + folder.string());
  return {};
}

// A socket's path has at most 107 bytes, a folder's has not: so it goes through the folder's descriptor.
sockaddr_un control_address(const Fd& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control", folder.get());
  return address;
}

constexpr int offset_digits = 20;

std::string segment_prefix(LogStream stream) {
  return stream == LogStream::standard_output ? "stdout." : "stderr.";
}

std::string segment_name(LogStream stream, std::uint64_t offset) {
  const std::string digits = std::to_string(offset);
  return segment_prefix(stream) + std::string(offset_digits - digits.size(), '0') + digits;
}

std::vector<std::uint64_t> segment_starts(const TaskFolder& folder, LogStream stream) {
  std::vector<std::uint64_t> starts;
  const std::string prefix = segment_prefix(stream);
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path, problem)) {
    const std::string name = entry.path().filename();
    std::uint64_t start = 0;
    if (!name.starts_with(prefix)) continue;
    const auto parsed = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), start);
    if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size()) starts.push_back(start);
  }
  std::sort(starts.begin(), starts.end());
  return starts;
}

}  // namespace

Result<ContainerSpec> TaskFolder::read_spec() const {
  auto bytes = read_file(path / "spec");
  if (!bytes.ok()) return bytes.error();
  return unpacked<ContainerSpec>(bytes.value());
}

Result<void> TaskFolder::write_spec(const ContainerSpec& spec) const {
  // Not synced: no task outlives a crash of its host.
  return write_file(path, "spec", packed(spec), Sync::none);
}

std::optional<TaskReport> TaskFolder::read_exit() const {
  const auto bytes = read_file(path / "exit");
  if (!bytes.ok()) return std::nullopt;
  auto end = unpacked<TaskReport>(bytes.value());
  if (!end.ok()) return std::nullopt;
  return std::move(end).value();
}

Result<void> TaskFolder::write_exit(const TaskReport& end) const {
  return write_file(path, "exit", packed(end), Sync::full);
}

void TaskFolder::write_pid(const char* name, pid_t pid) const {
  const auto process = identify(pid);
  if (!process) return;
  const auto text = std::to_string(process->pid) + " " + std::to_string(process->start_ticks) + "\n";
  // Only people read it: a full disk must not stop a task that could run.
  (void)write_file(path, name, text, Sync::none).ok();
}

Fd TaskFolder::try_lock() const {
  Fd file(open((path / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.is_open() && flock(file.get(), LOCK_EX | LOCK_NB) != 0) file.reset();
  return file;
}

Fd TaskFolder::wait_lock() const {
  Fd file(open((path / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.is_open() && flock(file.get(), LOCK_EX) != 0) file.reset();
  return file;
}

Fd TaskFolder::connect_control() const {
  const Fd folder(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  Fd socket_fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!folder.is_open() || !socket_fd.is_open()) return {};
  const sockaddr_un address = control_address(folder);
  if (connect(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return socket_fd;
}

Fd TaskFolder::listen_control() const {
  const Fd folder(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  Fd socket_fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!folder.is_open() || !socket_fd.is_open()) return {};
  const sockaddr_un address = control_address(folder);
  if (bind(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  if (listen(socket_fd.get(), 4) != 0) return {};
  return socket_fd;
}

Result<LogChunk> read_segments(const TaskFolder& folder, LogStream stream, std::uint64_t offset,
                               std::size_t bytes_max) {
  // Looked at first: what was written before the end is then surely in what is read below.
  const bool has_ended = std::filesystem::exists(folder.path / "exit");
  const auto starts = segment_starts(folder, stream);
  LogChunk chunk;
  bool is_complete = true;
  chunk.next_offset = offset;
  if (!starts.empty() && starts.front() > offset) chunk.next_offset = starts.front();
  for (std::size_t i = 0; i < starts.size() && chunk.data.size() < bytes_max; ++i) {
    const bool is_last = i + 1 == starts.size();
    if (!is_last && starts[i + 1] <= chunk.next_offset) continue;
    const Fd file(open((folder.path / segment_name(stream, starts[i])).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open() && errno != ENOENT) return io_error("cannot open a log segment");
    if (!file.is_open()) {  // Rotated away since it was listed.
      is_complete = is_complete && !is_last && chunk.data.empty();
      if (!is_complete) break;
      chunk.next_offset = starts[i + 1];
      continue;
    }
    Bytes block(bytes_max - chunk.data.size(), '\0');
    const ssize_t count =
        pread(file.get(), block.data(), block.size(), static_cast<off_t>(chunk.next_offset - starts[i]));
    if (count < 0) return io_error("cannot read a log segment");
    chunk.data.append(block, 0, static_cast<std::size_t>(count));
    chunk.next_offset += static_cast<std::uint64_t>(count);
  }
  chunk.ended = has_ended && is_complete && chunk.data.size() < bytes_max;
  return chunk;
}

SegmentWriter::SegmentWriter(TaskFolder folder, LogStream stream, std::uint64_t segment_bytes,
                             std::size_t segments_max)
    : folder_(std::move(folder)),
      stream_(stream),
      segment_bytes_(segment_bytes),
      segments_max_(segments_max) {}

std::filesystem::path SegmentWriter::segment_path(std::uint64_t offset) const {
  return folder_.path / segment_name(stream_, offset);
}

bool SegmentWriter::open_next() {
  file_.reset(open(segment_path(offset_).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file_.is_open()) return false;
  starts_.push_back(offset_);
  if (starts_.size() > segments_max_) {
    unlink(segment_path(starts_.front()).c_str());
    starts_.erase(starts_.begin());
  }
  return true;
}

bool SegmentWriter::append(BytesView bytes) {
  while (!bytes.empty()) {
    const bool is_full = !starts_.empty() && offset_ - starts_.back() >= segment_bytes_;
    if ((!file_.is_open() || is_full) && !open_next()) return false;
    const std::uint64_t room = segment_bytes_ - (offset_ - starts_.back());
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size()));
    const ssize_t count = write(file_.get(), bytes.data(), size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    offset_ += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace troupe::agent
