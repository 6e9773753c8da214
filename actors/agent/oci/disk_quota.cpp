#include "actors/agent/oci/disk_quota.hpp"

#include <fcntl.h>
#include <fts.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "actors/agent/oci/container_plan.hpp"
#include "actors/agent/oci/disk_image.hpp"
#include "actors/agent/process_tree.hpp"
#include "actors/agent/spawn.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t trial_mb = 16;
constexpr std::array<std::pair<DiskQuota, std::string_view>, 4> texts{
    {{DiskQuota::automatic, "automatic"},
     {DiskQuota::loop, "loop"},
     {DiskQuota::accounting, "accounting"},
     {DiskQuota::unenforced, "unenforced"}}};

Error io_problem(const std::string& what) { return {ErrorCode::io, what + ": " + std::strerror(errno)}; }

/// What the file system keeps for itself, inodes and bitmaps, is not the job's.
std::int64_t image_bytes(std::int64_t disk_mb) {
  const std::int64_t wanted = std::max<std::int64_t>(disk_mb, 1) * mib;
  return (wanted + wanted / 32 + 2 * mib) / 4'096 * 4'096;
}

int status_of(pid_t pid) {
  int status = 1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/// In a process and a mount namespace of its own: nothing of it is seen outside.
int try_mount(const std::string& image, const std::string& at) {
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(errno);
    _exit(mount_disk_image(image, at));
  }
  return status_of(child);
}

Result<void> copy_sparse(const std::string& from, const std::string& to) {
  const Fd source(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  const Fd target(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  struct stat size {};
  if (!source.is_open() || !target.is_open() || fstat(source.get(), &size) != 0 ||
      ftruncate(target.get(), size.st_size) != 0)
    return io_problem("cannot copy " + from + " to " + to);
  char block[64 * 1024];
  for (off_t at = 0; (at = lseek(source.get(), at, SEEK_DATA)) >= 0;) {
    const off_t end = lseek(source.get(), at, SEEK_HOLE);
    while (at < end) {
      const ssize_t count =
          pread(source.get(), block, std::min(sizeof block, static_cast<std::size_t>(end - at)), at);
      if (count <= 0 || pwrite(target.get(), block, static_cast<std::size_t>(count), at) != count)
        return io_problem("cannot copy " + from + " to " + to);
      at += count;
    }
  }
  return {};
}

}  // namespace

std::string_view disk_quota_text(DiskQuota quota) {
  for (const auto& [one, text] : texts)
    if (one == quota) return text;
  return {};
}

Result<DiskQuota> parse_disk_quota(std::string_view text) {
  for (const auto& [one, its_text] : texts)
    if (its_text == text) return one;
  return Error{ErrorCode::invalid_argument, "'" + std::string(text) +
                                                "' is no way to hold containers to their disk; there are "
                                                "automatic, loop, accounting, unenforced"};
}

Result<void> EmptyDisks::open() {
  std::error_code problem;
  fs::remove_all(folder_, problem);
  fs::create_directories(folder_ + "/trial", problem);
  if (problem) return Error{ErrorCode::io, "cannot make " + folder_ + ": " + problem.message()};
  const std::string image = folder_ + "/trial.ext4";
  if (auto made = make(image, trial_mb); !made.ok()) return made;
  const int failure = try_mount(image, folder_ + "/trial");
  fs::remove(image, problem);
  if (failure == 0) return {};
  return Error{ErrorCode::io, std::string("cannot mount a file system in a file: ") + std::strerror(failure)};
}

Result<void> EmptyDisks::make(const std::string& path, std::int64_t disk_mb) {
  const std::int64_t bytes = image_bytes(disk_mb);
  const std::string name = folder_ + "/" + std::to_string(bytes) + ".ext4";
  const std::lock_guard lock(mutex_);
  if (std::find(kept_.begin(), kept_.end(), name) == kept_.end()) {
    if (auto made = make_template(name, bytes); !made.ok()) return made;
    kept_.push_back(name);
    if (kept_.size() > kept_max) {
      unlink(kept_.front().c_str());
      kept_.erase(kept_.begin());
    }
  }
  return copy_sparse(name, path);
}

Result<ReadyDisk> EmptyDisks::make_ready(std::int64_t disk_mb) {
  ReadyDisk disk;
  {
    const std::lock_guard lock(mutex_);
    disk.image = folder_ + "/ready-" + std::to_string(++last_ready_) + ".ext4";
  }
  if (auto made = make(disk.image, disk_mb); !made.ok()) return made.error();
  disk.mount = open_disk_image(disk.image);
  if (disk.mount.is_open()) return disk;
  const Error error = io_problem("cannot mount " + disk.image);
  unlink(disk.image.c_str());
  return error;
}

Result<void> EmptyDisks::make_template(const std::string& path, std::int64_t bytes) const {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open() || ftruncate(file.get(), bytes) != 0) return io_problem("cannot make " + path);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  // No journal: after a crash of the host no container is there to read it.
  auto pid = spawn_bare({make_program_, "-q", "-F", "-m", "0", "-O", "^has_journal,^resize_inode", "-E",
                         "lazy_itable_init=1,nodiscard,root_owner=0:0", path},
                        actions);
  posix_spawn_file_actions_destroy(&actions);
  if (!pid.ok()) return pid.error();
  const int status = status_of(pid.value());
  if (status == 0) return {};
  return Error{ErrorCode::io, make_program_ + " ended with status " + std::to_string(status)};
}

std::uint64_t disk_use_of(const std::string& folder, std::uint64_t bytes_enough) {
  std::string root = folder;
  char* roots[] = {root.data(), nullptr};
  FTS* tree = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, nullptr);
  if (tree == nullptr) return 0;
  std::uint64_t bytes = 0;
  std::set<ino_t> linked;
  while (const FTSENT* entry = fts_read(tree)) {
    const bool is_counted = entry->fts_info == FTS_F || entry->fts_info == FTS_D ||
                            entry->fts_info == FTS_SL || entry->fts_info == FTS_DEFAULT;
    if (!is_counted) continue;
    const struct stat& file = *entry->fts_statp;
    const bool is_linked = entry->fts_info != FTS_D && file.st_nlink > 1;
    if (is_linked && !linked.insert(file.st_ino).second) continue;
    bytes += static_cast<std::uint64_t>(file.st_blocks) * 512;
    if (bytes > bytes_enough) break;
  }
  fts_close(tree);
  return bytes;
}

}  // namespace troupe::agent
