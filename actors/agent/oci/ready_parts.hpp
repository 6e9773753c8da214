#pragma once
// What takes long to make for a container and depends little on it: made before it is asked for.

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "actors/agent/oci/disk_quota.hpp"
#include "actors/agent/process_tree.hpp"

namespace troupe::agent {

/// A thread of its own makes them one at a time. Calls come from any thread and never wait for it: what is
/// not ready is not given, and the container's start makes it itself. Nothing survives the process but the
/// files of disks, which EmptyDisks::open() deletes.
class ReadyParts {
 public:
  static constexpr std::size_t sizes_max = 4;  ///< of disks: those asked for last ...
  static constexpr std::uint64_t asked_min =
      2;  ///< ... and so often since: else mixed sizes would cost more ...
  static constexpr std::size_t disks_each_max = 2;  ///< ... and so many of each
  static constexpr std::size_t ranges_max = 64;     ///< beyond, the starts of further ranges make theirs

  /// `disks` is opened and outlives it; null: there are no disks in files.
  explicit ReadyParts(EmptyDisks* disks);
  ~ReadyParts();
  ReadyParts(const ReadyParts&) = delete;
  ReadyParts& operator=(const ReadyParts&) = delete;

  std::optional<ReadyDisk> take_disk(std::int64_t disk_mb);
  /// The user namespace of a range (id_namespace.hpp), kept for the range's next container. Not open: none
  /// yet.
  Fd ids_of(std::uint32_t uid_first, std::uint32_t uid_count);
  /// Until nothing is missing that was asked for.
  void await_made();

 private:
  struct Range {
    std::uint32_t count = 0;
    Fd ids;
    bool has_failed = false;
  };
  struct Size {
    std::int64_t disk_mb = 0;
    std::uint64_t asked = 0;
  };
  void work();
  bool drop_unwanted(std::unique_lock<std::mutex>& lock);
  /// Nothing: none is missing.
  std::optional<std::int64_t> missing_disk() const;
  std::optional<std::uint32_t> missing_ids() const;
  void make_disk(std::int64_t disk_mb, std::unique_lock<std::mutex>& lock);
  void make_ids(std::uint32_t uid_first, std::unique_lock<std::mutex>& lock);

  EmptyDisks* disks_;
  std::mutex mutex_;  ///< of all below
  std::condition_variable changed_, made_;
  std::map<std::int64_t, std::deque<ReadyDisk>> ready_;  ///< by MiB
  std::vector<ReadyDisk> unwanted_;                      ///< to be unmounted, which takes as long
  std::deque<Size> sizes_;                               ///< the latest first
  std::map<std::uint32_t, Range> ranges_;                ///< by the first user id
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace troupe::agent
