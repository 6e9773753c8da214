#include "cmd/troupe/tar_gz.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

namespace troupe::cli {
namespace {

constexpr mode_t owner_only = 0600;

struct Free {
  void operator()(archive* pack) const { archive_write_free(pack); }
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

la_ssize_t append(archive*, void* to, const void* bytes, std::size_t size) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

bool put(archive* pack, const PackedFile& file, Instant at) {
  const std::unique_ptr<archive_entry, Free> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), file.name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.text.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), owner_only);
  archive_entry_set_mtime(entry.get(), at.ms / 1'000, 0);
  if (archive_write_header(pack, entry.get()) != ARCHIVE_OK) return false;
  return archive_write_data(pack, file.text.data(), file.text.size()) ==
         static_cast<la_ssize_t>(file.text.size());
}

}  // namespace

Result<std::string> tar_gz(const std::vector<PackedFile>& files, Instant at) {
  std::string out;  // Outlives the archive, which writes its end when it is closed.
  const std::unique_ptr<archive, Free> pack(archive_write_new());
  const auto failed = [&] {
    const char* why = archive_error_string(pack.get());
    return Error{ErrorCode::internal, std::string("packing: ") + (why == nullptr ? "no memory" : why)};
  };
  const bool is_open = archive_write_add_filter_gzip(pack.get()) == ARCHIVE_OK &&
                       archive_write_set_format_pax_restricted(pack.get()) == ARCHIVE_OK &&
                       // No padding behind the compressed stream, about which gunzip would complain.
                       archive_write_set_bytes_in_last_block(pack.get(), 1) == ARCHIVE_OK &&
                       archive_write_open(pack.get(), &out, nullptr, append, nullptr) == ARCHIVE_OK;
  if (!is_open) return failed();
  for (const PackedFile& file : files)
    if (!put(pack.get(), file, at)) return failed();
  if (archive_write_close(pack.get()) != ARCHIVE_OK) return failed();
  return out;
}

}  // namespace troupe::cli
