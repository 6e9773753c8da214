#include "actors/agent/small_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "actors/agent/process_tree.hpp"

namespace troupe::agent {

std::string text_of_file(const std::string& path, std::size_t bytes_max) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char block[16 * 1024];
  while (file.is_open() && text.size() < bytes_max) {
    const ssize_t count = read(file.get(), block, std::min(sizeof block, bytes_max - text.size()));
    if (count <= 0) break;
    text.append(block, static_cast<std::size_t>(count));
  }
  return text;
}

bool write_to_file(const std::string& path, std::string_view text) {
  const Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.is_open() && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace troupe::agent
