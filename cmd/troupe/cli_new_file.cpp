#include "cmd/troupe/cli_new_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace troupe::cli {

constexpr mode_t owner_alone = 0600;  // Redacted, but still no business of others.

Result<void> write_new_file(const std::string& path, const std::string& bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owner_alone);
  if (file < 0 && errno == EEXIST)
    return Error{ErrorCode::precondition_failed, path + " is there already; nothing was written"};
  const auto failed = [&] { return Error{ErrorCode::io, path + ": " + std::strerror(errno)}; };
  if (file < 0) return failed();
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = write(file, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) break;
    done += static_cast<std::size_t>(wrote);
  }
  Result<void> result;
  if (done < bytes.size()) result = failed();
  if (close(file) != 0 && result.ok()) result = failed();
  if (!result.ok()) (void)unlink(path.c_str());  // Half an archive helps nobody.
  return result;
}

}  // namespace troupe::cli
