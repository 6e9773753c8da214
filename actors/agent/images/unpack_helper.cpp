// The helper's side: nothing here is believed, and nothing but the folder can be reached.

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <openssl/evp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <clocale>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>

#include "actors/agent/images/unpack.hpp"
#include "storage/base/hex.hpp"
#include "storage/base/msgpack.hpp"

namespace troupe::agent {
namespace {

constexpr std::size_t block_bytes = 256 * 1024;
constexpr rlim_t memory_bytes_max = 1ULL << 30;
constexpr rlim_t cpu_seconds_max = 1'800;
constexpr std::size_t opaque_max = 100'000;

/// Thrown nowhere but inside this file, caught in run_unpack: libarchive's calls are many, their failures
/// one.
struct Refused {
  std::string why;
  bool is_hosts_fault = false;
};

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void add(const void* bytes, std::size_t size) { EVP_DigestUpdate(context_.get(), bytes, size); }
  std::string text() {
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), raw, &size);
    return "sha256:" + hex_of({raw, size});
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

struct ReadArchive {
  archive* raw = archive_read_new();
  ~ReadArchive() { archive_read_free(raw); }
};

/// stdin, counted and summed up; unpacked, counted and summed up; then as a tar archive's bytes.
class LayerStream {
 public:
  explicit LayerStream(const LayerCheck& check) : check_(check) {
    archive_read_support_filter_gzip(packed_.raw);
    archive_read_support_filter_zstd(packed_.raw);
    archive_read_support_format_raw(packed_.raw);
    archive_read_support_format_empty(packed_.raw);
    if (archive_read_open(packed_.raw, this, nullptr, read_packed, nullptr) != ARCHIVE_OK) fail_packed();
    archive_entry* entry = nullptr;
    const int begun = archive_read_next_header(packed_.raw, &entry);
    if (begun != ARCHIVE_OK && begun != ARCHIVE_EOF) fail_packed();
  }
  static la_ssize_t read_tar(archive*, void* self, const void** bytes) {
    return static_cast<LayerStream*>(self)->next(bytes);
  }
  /// To the very end, behind what tar cares for: the digests are of all of it.
  void drain() {
    const void* bytes = nullptr;
    while (next(&bytes) > 0) check_flow();
  }
  void check_flow() const {
    if (const auto flow = check_.flowed(packed_bytes_, bytes_); !flow.ok())
      throw Refused{flow.error().message};
  }
  std::string packed_digest() { return packed_digest_.text(); }
  std::string digest() { return digest_.text(); }

 private:
  static la_ssize_t read_packed(archive*, void* self, const void** bytes) {
    auto& stream = *static_cast<LayerStream*>(self);
    ssize_t count = 0;
    do count = read(STDIN_FILENO, stream.packed_block_.data(), stream.packed_block_.size());
    while (count < 0 && errno == EINTR);
    if (count < 0) return -1;
    stream.packed_digest_.add(stream.packed_block_.data(), static_cast<std::size_t>(count));
    stream.packed_bytes_ += static_cast<std::uint64_t>(count);
    *bytes = stream.packed_block_.data();
    return count;
  }
  la_ssize_t next(const void** bytes) {
    const la_ssize_t count = archive_read_data(packed_.raw, block_.data(), block_.size());
    if (count < 0) return ARCHIVE_FATAL;
    digest_.add(block_.data(), static_cast<std::size_t>(count));
    bytes_ += static_cast<std::uint64_t>(count);
    *bytes = block_.data();
    // Exceptions must not fly through C: the reader finds out at its next look.
    return check_.flowed(packed_bytes_, bytes_).ok() ? count : ARCHIVE_FATAL;
  }
  [[noreturn]] void fail_packed() const {
    const char* why = archive_error_string(packed_.raw);
    throw Refused{std::string("it cannot be unpacked: ") + (why ? why : "unknown compression")};
  }

  const LayerCheck& check_;
  ReadArchive packed_;
  std::string packed_block_ = std::string(block_bytes, '\0'), block_ = std::string(block_bytes, '\0');
  std::uint64_t packed_bytes_ = 0, bytes_ = 0;
  Digest packed_digest_, digest_;
};

LayerEntry entry_of(archive_entry* entry) {
  using Kind = LayerEntry::Kind;
  LayerEntry out;
  if (const char* path = archive_entry_pathname(entry)) out.path = path;
  if (const char* target = archive_entry_hardlink(entry)) {
    out.kind = Kind::hardlink;
    out.target = target;
    return out;
  }
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      out.kind = Kind::file;
      break;
    case AE_IFDIR:
      out.kind = Kind::folder;
      break;
    case AE_IFLNK:
      out.kind = Kind::symlink;
      break;
    case AE_IFIFO:
      out.kind = Kind::fifo;
      break;
    case AE_IFCHR:
    case AE_IFBLK:
      out.kind = Kind::device;
      break;
    default:
      out.kind = Kind::other;
      break;
  }
  if (out.kind == Kind::symlink)
    if (const char* target = archive_entry_symlink(entry)) out.target = target;
  if (out.kind == Kind::file && archive_entry_size(entry) > 0)
    out.bytes = static_cast<std::uint64_t>(archive_entry_size(entry));
  return out;
}

class Unpacker {
 public:
  explicit Unpacker(const LayerLimits& limits) : check_(limits), stream_(check_) {
    archive_read_support_format_tar(tar_.raw);
    archive_read_support_format_gnutar(tar_.raw);
    archive_read_support_format_empty(tar_.raw);
    if (archive_read_open(tar_.raw, &stream_, nullptr, LayerStream::read_tar, nullptr) != ARCHIVE_OK)
      fail_tar();
    // Without UNLINK a path through a symbolic link is refused rather than repaired.
    archive_write_disk_set_options(disk_.get(), ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM |
                                                    ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                                    ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                                                    ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
  }

  void run() {
    archive_entry* entry = nullptr;
    for (;;) {
      const int got = archive_read_next_header(tar_.raw, &entry);
      if (got == ARCHIVE_EOF) break;
      if (got != ARCHIVE_OK && got != ARCHIVE_WARN) fail_tar();
      take(entry);
    }
    if (archive_write_close(disk_.get()) != ARCHIVE_OK) fail_disk();
    stream_.drain();
  }

  UnpackOutcome outcome;
  LayerStream& stream() { return stream_; }

 private:
  void take(archive_entry* entry) {
    const LayerEntry what = entry_of(entry);
    auto step = check_.take(what);
    if (!step.ok()) throw Refused{step.error().message};
    outcome.bytes += what.bytes;
    switch (step.value()) {
      case LayerStep::write:
        return write(entry, what);
      case LayerStep::whiteout:
        return white_out(entry, clean_layer_path(what.path).value());
      case LayerStep::opaque:
        return note_opaque(clean_layer_path(what.path).value());
    }
  }

  void write(archive_entry* entry, const LayerEntry& what) {
    // Extended attributes and flags of the archive are not taken over.
    archive_entry_xattr_clear(entry);
    archive_entry_acl_clear(entry);
    archive_entry_set_fflags(entry, 0, 0);
    if (archive_write_header(disk_.get(), entry) < ARCHIVE_WARN) fail_disk();
    if (what.kind == LayerEntry::Kind::file && what.bytes > 0) copy_data();
    if (archive_write_finish_entry(disk_.get()) < ARCHIVE_WARN) fail_disk();
  }

  void copy_data() {
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
      const int got = archive_read_data_block(tar_.raw, &bytes, &size, &offset);
      if (got == ARCHIVE_EOF) return;
      if (got != ARCHIVE_OK) fail_tar();
      if (archive_write_data_block(disk_.get(), bytes, size, offset) < ARCHIVE_WARN) fail_disk();
    }
  }

  void white_out(archive_entry* entry, const std::string& path) {
    archive_entry_set_pathname(entry, whiteout_target(path).c_str());
    archive_entry_set_filetype(entry, AE_IFCHR);
    archive_entry_set_perm(entry, 0);
    archive_entry_set_rdev(entry, 0);
    archive_entry_unset_size(entry);
    archive_entry_set_uid(entry, 0);
    archive_entry_set_gid(entry, 0);
    archive_entry_xattr_clear(entry);
    if (archive_write_header(disk_.get(), entry) < ARCHIVE_WARN) fail_disk();
    if (archive_write_finish_entry(disk_.get()) < ARCHIVE_WARN) fail_disk();
  }

  void note_opaque(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    outcome.opaque.push_back(slash == std::string::npos ? "." : path.substr(0, slash));
    if (outcome.opaque.size() > opaque_max) throw Refused{"it has too many opaque folders"};
  }

  [[noreturn]] void fail_tar() {
    stream_.check_flow();
    const char* why = archive_error_string(tar_.raw);
    throw Refused{std::string("it is no sound archive: ") + (why ? why : "unknown")};
  }
  [[noreturn]] void fail_disk() {
    const int number = archive_errno(disk_.get());
    const char* why = archive_error_string(disk_.get());
    throw Refused{std::string("it cannot be written: ") + (why ? why : "unknown"),
                  number == ENOSPC || number == EIO || number == EDQUOT};
  }

  LayerCheck check_;
  LayerStream stream_;
  ReadArchive tar_;
  std::unique_ptr<archive, int (*)(archive*)> disk_{archive_write_disk_new(), archive_write_free};
};

void limit(__rlimit_resource what, rlim_t value) {
  const rlimit both{value, value};
  setrlimit(what, &both);
}

/// After this the folder is all there is, and root is nobody special but for files' owners.
bool confine(const LayerLimits& limits) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setlocale(LC_CTYPE, "C.UTF-8");  // Before the root changes; else names beyond ASCII would be refused.
  if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0 || chroot(".") != 0 || chdir("/") != 0)
    return false;
  limit(RLIMIT_AS, memory_bytes_max);
  limit(RLIMIT_CPU, cpu_seconds_max);
  limit(RLIMIT_FSIZE, limits.bytes_max);
  limit(RLIMIT_NOFILE, 64);
  limit(RLIMIT_CORE, 0);
  signal(SIGXFSZ, SIG_IGN);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (const int kept : {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID}) {
    data[0].permitted |= 1U << kept;
    data[0].effective |= 1U << kept;
  }
  umask(0);
  return syscall(SYS_capset, &header, data) == 0;
}

using Arguments = std::map<std::string, std::string, std::less<>>;

Arguments read_arguments(int argc, char** argv) {
  Arguments all;
  for (int i = 1; i + 1 < argc; i += 2) all[argv[i]] = argv[i + 1];
  return all;
}

std::uint64_t number_of(const Arguments& all, std::string_view name, std::uint64_t otherwise) {
  const auto found = all.find(name);
  std::uint64_t value = otherwise;
  if (found != all.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

UnpackOutcome unpack(const Arguments& all, const LayerLimits& limits) {
  try {
    Unpacker unpacker(limits);
    unpacker.run();
    const auto holds = [&](const char* name, const std::string& found) {
      const auto wanted = all.find(name);
      if (wanted != all.end() && wanted->second != found)
        throw Refused{"its bytes have the digest " + found + ", not " + wanted->second};
    };
    holds("--blob-digest", unpacker.stream().packed_digest());
    holds("--diff-id", unpacker.stream().digest());
    return unpacker.outcome;
  } catch (const Refused& refused) {
    return {refused.why, refused.is_hosts_fault, 0, {}};
  } catch (const std::bad_alloc&) {
    return {"it needs too much memory", false, 0, {}};
  }
}

}  // namespace

int run_unpack(int argc, char** argv) {
  const Arguments all = read_arguments(argc, argv);
  LayerLimits limits;
  limits.bytes_max = number_of(all, "--bytes-max", limits.bytes_max);
  limits.entries_max = number_of(all, "--entries-max", limits.entries_max);
  limits.ratio_max = std::max<std::uint64_t>(number_of(all, "--ratio-max", limits.ratio_max), 1);
  limits.ratio_free_bytes = number_of(all, "--ratio-free-bytes", limits.ratio_free_bytes);
  if (!confine(limits)) {
    std::fprintf(stderr, "troupe-unpack: cannot confine itself: %s\n", std::strerror(errno));
    return 1;
  }
  const Bytes said = packed(unpack(all, limits));
  for (std::size_t at = 0; at < said.size();) {
    const ssize_t count = write(STDOUT_FILENO, said.data() + at, said.size() - at);
    if (count <= 0) return 1;
    at += static_cast<std::size_t>(count);
  }
  return 0;
}

}  // namespace troupe::agent
