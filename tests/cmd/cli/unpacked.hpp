#pragma once
// What is in a .tar.gz, by name.

#include <archive.h>
#include <archive_entry.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "storage/base/check.hpp"

namespace troupe::cli {

inline std::map<std::string, std::string> unpacked_text(const std::string& packed) {
  archive* read = archive_read_new();
  archive_read_support_filter_gzip(read);
  archive_read_support_format_tar(read);
  TROUPE_CHECK(archive_read_open_memory(read, packed.data(), packed.size()) == ARCHIVE_OK);
  std::map<std::string, std::string> files;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(read, &entry) == ARCHIVE_OK) {
    std::string text(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    TROUPE_CHECK(archive_read_data(read, text.data(), text.size()) == static_cast<la_ssize_t>(text.size()));
    files[archive_entry_pathname(entry)] = text;
  }
  archive_read_free(read);
  return files;
}

inline std::map<std::string, std::string> unpacked_file(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return unpacked_text(bytes.str());
}

}  // namespace troupe::cli
