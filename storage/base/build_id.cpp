#include "storage/base/build_id.hpp"

#include <elf.h>
#include <link.h>

#include <cstring>

#include "storage/base/hex.hpp"

namespace troupe {
namespace {

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 3) & ~std::size_t{3}; }

/// Of a segment of notes: name and contents follow each header, both padded to four bytes.
std::string build_id_in(const unsigned char* at, std::size_t left) {
  ElfW(Nhdr) note;
  while (left >= sizeof note) {
    std::memcpy(&note, at, sizeof note);
    const std::size_t name = sizeof note, contents = name + aligned(note.n_namesz);
    const std::size_t end = contents + aligned(note.n_descsz);
    if (end > left) return {};
    const bool is_gnu = note.n_namesz == 4 && std::memcmp(at + name, "GNU", 4) == 0;
    if (is_gnu && note.n_type == NT_GNU_BUILD_ID)
      return hex_of({at + contents, note.n_descsz}).substr(0, build_id_chars);
    at += end;
    left -= end;
  }
  return {};
}

/// The first object that is told is the program itself.
int look(dl_phdr_info* object, std::size_t, void* found) {
  for (int n = 0; n < object->dlpi_phnum; ++n) {
    const auto& segment = object->dlpi_phdr[n];
    if (segment.p_type != PT_NOTE) continue;
    const auto* begin = reinterpret_cast<const unsigned char*>(object->dlpi_addr + segment.p_vaddr);
    auto id = build_id_in(begin, segment.p_memsz);
    if (id.empty()) continue;
    *static_cast<std::string*>(found) = std::move(id);
    break;
  }
  return 1;
}

std::string read_build_id() {
  std::string found = "unknown";
  dl_iterate_phdr(look, &found);
  return found;
}

}  // namespace

const std::string& build_id() {
  static const std::string id = read_build_id();
  return id;
}

}  // namespace troupe
