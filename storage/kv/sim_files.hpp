#pragma once
// Plain files of a simulated disk: what was not synced is lost by a crash, names included.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "storage/base/random.hpp"
#include "storage/kv/file_door.hpp"

namespace troupe {

/// How full a simulated disk is; its stores and its files share it.
struct SimSpace {
  std::atomic<std::uint64_t> used_bytes{0};
  std::atomic<std::uint64_t> limit_bytes{UINT64_MAX};
  bool is_limited() const { return limit_bytes != UINT64_MAX; }
};

/// A tree of files and folders. Each folder remembers what changed in it since it was last synced, each file
/// its bytes as of its last sync. Paths are separated by '/'; the root always exists. Thread-safe.
class SimFiles final : public FileDoor {
 public:
  explicit SimFiles(SimSpace& space);
  ~SimFiles() override;

  Result<std::vector<FileEntry>> list(const std::string& folder) override;
  Result<std::uint64_t> size_of(const std::string& file) override;
  Result<Bytes> read(const std::string& file, std::uint64_t offset, std::size_t size) override;
  Result<void> write(const std::string& file, std::uint64_t offset, BytesView bytes) override;
  Result<void> sync(const std::string& file) override;
  Result<void> sync_folder(const std::string& folder) override;
  Result<void> make_folder(const std::string& folder) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;

  bool exists(const std::string& path) const;
  std::map<std::string, Bytes> read_folder(const std::string& path) const;  ///< its files; none: empty
  /// Durable at once, as a checkpoint is. Errors: io (no space).
  Result<void> write_folder(const std::string& path, const std::map<std::string, Bytes>& files);
  void forget(const std::string& path);  ///< it was never there, after a crash neither
  /// The machine dies: of each folder's changes any beginning survives, of each file's unsynced bytes too.
  void crash(Random& random);
  bool flip_bit(const std::string& file, Random& random);  ///< false: there is no such bit

  struct Node;  ///< of the implementation

 private:
  std::shared_ptr<Node> find(const std::string& path) const;
  SimSpace& space_;
  mutable std::mutex mutex_;
  std::shared_ptr<Node> root_;
};

}  // namespace troupe
