#pragma once
// How containers are held to the disk that their jobs asked for.

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "actors/agent/process_tree.hpp"
#include "storage/base/result.hpp"

namespace troupe::agent {

enum class DiskQuota : std::uint8_t {
  automatic,   ///< the best of those below that works here
  loop,        ///< the writable layer is a file system of that size: a full one is full inside alone
  accounting,  ///< the agent looks now and then, and ends a task that uses more
  unenforced,
};
std::string_view disk_quota_text(DiskQuota quota);
/// By that text. Errors: invalid_argument.
Result<DiskQuota> parse_disk_quota(std::string_view text);

/// An empty disk, mounted nowhere yet. It and its loop device go with the descriptor, or with the last mount
/// of it.
struct ReadyDisk {
  std::string image;  ///< the file; its taker renames it
  Fd mount;
};

/// Empty file systems to be copied, one of each size that was asked for: a copy takes a tenth of the time of
/// making one. Calls come from any thread.
class EmptyDisks {
 public:
  static constexpr std::size_t kept_max = 64;  ///< sizes; beyond it the oldest is made again when asked for

  /// `folder`: its own; `make_program`: mkfs.ext4.
  EmptyDisks(std::string folder, std::string make_program)
      : folder_(std::move(folder)), make_program_(std::move(make_program)) {}
  /// Drops what an earlier life made, then makes and mounts one. Errors: io: why this machine cannot.
  Result<void> open();
  /// A sparse file with an empty file system in which `disk_mb` and a little more fit. Errors: io.
  Result<void> make(const std::string& path, std::int64_t disk_mb);
  /// One in a file of its own in the folder, mounted nowhere yet. Errors: io.
  Result<ReadyDisk> make_ready(std::int64_t disk_mb);

 private:
  Result<void> make_template(const std::string& path, std::int64_t bytes) const;

  std::string folder_, make_program_;
  std::mutex mutex_;
  std::vector<std::string> kept_;  ///< oldest first
  std::uint64_t last_ready_ = 0;
};

/// What all files below a folder take, in bytes; a file with several names counts once. Follows nothing and
/// stays on that file system. Stops counting beyond `bytes_enough`.
std::uint64_t disk_use_of(const std::string& folder, std::uint64_t bytes_enough);

}  // namespace troupe::agent
