#include "actors/agent/images/unpack.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "actors/agent/process_tree.hpp"
#include "actors/agent/spawn.hpp"
#include "storage/base/msgpack.hpp"

namespace troupe::agent {
namespace {

std::vector<std::string> words_for(const UnpackOrder& order) {
  return {order.helper,
          "--blob-digest",
          order.blob_digest,
          "--diff-id",
          order.diff_id,
          "--bytes-max",
          std::to_string(order.limits.bytes_max),
          "--entries-max",
          std::to_string(order.limits.entries_max),
          "--ratio-max",
          std::to_string(order.limits.ratio_max),
          "--ratio-free-bytes",
          std::to_string(order.limits.ratio_free_bytes)};
}

Error io_problem(const std::string& what, int number) {
  return {ErrorCode::io, what + ": " + std::strerror(number)};
}

/// With no variables, the blob as input, our pipe as output, and the folder as its place.
Result<pid_t> spawn_unpacker(const UnpackOrder& order, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, order.blob_fd, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addchdir_np(&actions, order.folder.c_str());
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  auto pid = spawn_bare(words_for(order), actions);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

Bytes read_outcome(int fd) {
  Bytes all;
  char block[64 * 1024];
  for (;;) {
    const ssize_t count = read(fd, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || all.size() > unpack_outcome_bytes_max) return all;
    all.append(block, static_cast<std::size_t>(count));
  }
}

/// The helper may not set such marks, and the folder's names are hostile: nothing is followed here.
Result<void> mark_opaque(const std::string& folder, const std::string& path) {
  const Fd root(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const Fd inner(static_cast<int>(syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
  if (!inner.is_open() && errno == ENOENT)
    return Error{ErrorCode::invalid_argument, "it hides '" + path + "', but does not have that folder"};
  if (!inner.is_open() || fsetxattr(inner.get(), "trusted.overlay.opaque", "y", 1, 0) != 0)
    return io_problem("cannot mark '" + path + "' as opaque", errno);
  return {};
}

}  // namespace

Result<UnpackOutcome> unpack_layer(const UnpackOrder& order) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return io_problem("cannot make a pipe", errno);
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  auto spawned = spawn_unpacker(order, theirs.get());
  theirs.reset();
  if (!spawned.ok()) return spawned.error();
  const Bytes said = read_outcome(ours.get());
  int status = 0;
  while (waitpid(spawned.value(), &status, 0) < 0 && errno == EINTR) continue;
  auto outcome = unpacked<UnpackOutcome>(said);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !outcome.ok())
    return Error{ErrorCode::io,
                 "the unpacker died" + (WIFSIGNALED(status) ? " by signal " + std::to_string(WTERMSIG(status))
                                                            : std::string())};
  if (!outcome.value().refusal.empty())
    return Error{outcome.value().is_hosts_fault ? ErrorCode::io : ErrorCode::invalid_argument,
                 outcome.value().refusal};
  for (const std::string& path : outcome.value().opaque)
    if (auto marked = mark_opaque(order.folder, path); !marked.ok()) return marked.error();
  return outcome;
}

}  // namespace troupe::agent
