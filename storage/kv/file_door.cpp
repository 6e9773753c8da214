#include "storage/kv/file_door.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace troupe {
namespace {

Error system_error(const std::string& doing, int number) {
  const ErrorCode code = number == ENOENT ? ErrorCode::not_found : ErrorCode::io;
  return Error{code, doing + ": " + std::strerror(number)};
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int operator*() const { return number_; }
  bool ok() const { return number_ >= 0; }

 private:
  int number_;
};

class SystemFiles final : public FileDoor {
 public:
  Result<std::vector<FileEntry>> list(const std::string& folder) override {
    std::error_code failed;
    std::vector<FileEntry> entries;
    std::filesystem::directory_iterator at(folder, failed);
    for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
      FileEntry entry{at->path().filename().string(), 0, at->is_directory(failed)};
      if (!failed && at->is_regular_file(failed)) entry.size = at->file_size(failed);
      if (failed) break;
      entries.push_back(std::move(entry));
    }
    if (failed) return system_error("list " + folder, failed.value());
    std::ranges::sort(entries, {}, &FileEntry::name);
    return entries;
  }

  Result<std::uint64_t> size_of(const std::string& file) override {
    struct stat found {};
    if (::stat(file.c_str(), &found) != 0) return system_error("look at " + file, errno);
    return static_cast<std::uint64_t>(found.st_size);
  }

  Result<Bytes> read(const std::string& file, std::uint64_t offset, std::size_t size) override {
    const Descriptor open(file, O_RDONLY);
    if (!open.ok()) return system_error("read " + file, errno);
    Bytes bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got = ::pread(*open, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return system_error("read " + file, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

  Result<void> write(const std::string& file, std::uint64_t offset, BytesView bytes) override {
    const Descriptor open(file, O_WRONLY | O_CREAT);
    if (!open.ok()) return system_error("write " + file, errno);
    struct stat found {};
    if (::fstat(*open, &found) != 0) return system_error("look at " + file, errno);
    const auto size = static_cast<std::uint64_t>(found.st_size);
    if (offset > size) return Error{ErrorCode::invalid_argument, "write behind the end of " + file};
    if (offset < size && ::ftruncate(*open, static_cast<off_t>(offset)) != 0)
      return system_error("cut " + file, errno);
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t put =
          ::pwrite(*open, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return system_error("write " + file, errno);
      done += static_cast<std::size_t>(put);
    }
    return {};
  }

  Result<void> sync(const std::string& file) override { return sync_path(file, O_RDONLY); }
  Result<void> sync_folder(const std::string& folder) override {
    return sync_path(folder, O_RDONLY | O_DIRECTORY);
  }

  Result<void> make_folder(const std::string& folder) override {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    return failed ? system_error("make folder " + folder, failed.value()) : Result<void>();
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename " + from, errno);
    return {};
  }

  Result<void> remove(const std::string& path) override {
    std::error_code failed;
    std::filesystem::remove_all(path, failed);
    return failed ? system_error("remove " + path, failed.value()) : Result<void>();
  }

 private:
  static Result<void> sync_path(const std::string& path, int flags) {
    const Descriptor open(path, flags);
    if (!open.ok()) return system_error("sync " + path, errno);
    if (::fsync(*open) != 0) return system_error("sync " + path, errno);
    return {};
  }
};

}  // namespace

FileDoor& system_files() {
  static SystemFiles files;
  return files;
}

Result<Bytes> read_small_file(FileDoor& files, const std::string& file, std::size_t size_max) {
  auto bytes = files.read(file, 0, size_max + 1);
  if (bytes.ok() && bytes.value().size() > size_max)
    return Error{ErrorCode::corrupt, file + " is longer than it can be"};
  return bytes;
}

Result<void> replace_small_file(FileDoor& files, const std::string& folder, const std::string& name,
                                BytesView bytes) {
  const std::string target = folder + "/" + name, beside = target + ".new";
  if (auto written = files.write(beside, 0, bytes); !written.ok()) return written;
  if (auto synced = files.sync(beside); !synced.ok()) return synced;
  if (auto renamed = files.rename(beside, target); !renamed.ok()) return renamed;
  return files.sync_folder(folder);
}

}  // namespace troupe
