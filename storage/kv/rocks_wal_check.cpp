#include "storage/kv/rocks_wal_check.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "storage/base/bytes.hpp"

namespace troupe {
namespace {

// The format (RocksDB's wiki, "Write Ahead Log File Format"): blocks of 32 KB; in each, records of a masked
// CRC-32C (4 bytes) over type and payload, the payload's length (2), a type (1) and the payload. A block's
// last bytes, too few for a header, are zeros.
constexpr std::size_t block_bytes = 32 * 1024;
constexpr std::size_t header_bytes = 7;
constexpr std::uint8_t type_full = 1, type_first = 2, type_last = 4;

std::uint8_t byte_at(BytesView bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

std::uint32_t little_endian(BytesView bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::uint32_t{byte_at(bytes, at + i)} << (8 * i);
  return value;
}

// Castagnoli's polynomial, reflected.
constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    table[i] = crc;
  }
  return table;
}();

std::uint32_t crc_step(std::uint32_t crc, std::uint8_t byte) {
  return crc_table[(crc ^ byte) & 0xff] ^ (crc >> 8);
}
std::uint32_t masked(std::uint32_t crc) {
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

struct Header {
  std::uint32_t crc;
  std::size_t length;
  std::uint8_t type;
};
Header header_at(BytesView block, std::size_t at) {
  return {little_endian(block, at, 4), little_endian(block, at + 4, 2), byte_at(block, at + 6)};
}

bool fits(BytesView block, std::size_t at, const Header& header) {
  return at + header_bytes + header.length <= block.size() && header.type >= type_full &&
         header.type <= type_last;
}

bool whole(BytesView block, std::size_t at, const Header& header) {
  if (!fits(block, at, header)) return false;
  std::uint32_t crc = 0xffffffffu;
  for (std::size_t i = at + 6; i < at + header_bytes + header.length; ++i)
    crc = crc_step(crc, byte_at(block, i));
  return masked(crc) == header.crc;
}

/// Where walking from header to header must stop; nothing if it reaches the end of the block.
std::optional<std::size_t> broken_at(BytesView block) {
  std::size_t at = 0;
  while (block.size() - at >= header_bytes) {
    const Header header = header_at(block, at);
    if (!fits(block, at, header)) return at;
    at += header_bytes + header.length;
  }
  const bool torn_header = at < block.size() && block.size() < block_bytes;
  return torn_header ? std::optional(at) : std::nullopt;
}

/// The record's own checksum holds for some other length or type: it was written whole, then damaged.
bool damaged_header(BytesView block, std::size_t at) {
  if (block.size() - at < header_bytes) return false;
  const std::uint32_t wanted = little_endian(block, at, 4);
  for (std::uint8_t type = type_full; type <= type_last; ++type) {
    std::uint32_t crc = crc_step(0xffffffffu, type);
    for (std::size_t next = at + header_bytes;; ++next) {
      if (masked(crc) == wanted) return true;
      if (next == block.size()) break;
      crc = crc_step(crc, byte_at(block, next));
    }
  }
  return false;
}

bool begins_batch(BytesView block, std::size_t at) {
  if (block.size() - at < header_bytes) return false;
  const Header header = header_at(block, at);
  return (header.type == type_full || header.type == type_first) && whole(block, at, header);
}

/// Does a batch begin whole anywhere behind the broken spot of its block?
bool batch_begins_behind(BytesView block, std::size_t broken) {
  for (std::size_t at = broken + 1; at + header_bytes <= block.size(); ++at)
    if (begins_batch(block, at)) return true;
  return false;
}

/// The same for a later block, where records are aligned again.
bool batch_begins_in(BytesView block) {
  for (std::size_t at = 0; at + header_bytes <= block.size();) {
    const Header header = header_at(block, at);
    if (!whole(block, at, header)) return false;
    if (begins_batch(block, at)) return true;
    at += header_bytes + header.length;
  }
  return false;
}

/// One file, block by block.
class WalCheck {
 public:
  explicit WalCheck(std::string name) : name_(std::move(name)) {}

  Result<void> block(BytesView bytes) {
    const std::size_t start = offset_;
    offset_ += bytes.size();
    if (broken_) return batch_begins_in(bytes) ? damaged() : Result<void>();
    const auto at = broken_at(bytes);
    if (!at) return {};
    broken_ = start + *at;
    return damaged_header(bytes, *at) || batch_begins_behind(bytes, *at) ? damaged() : Result<void>();
  }

 private:
  Result<void> damaged() const {
    return Error{ErrorCode::corrupt, "write-ahead log " + name_ + " is damaged at byte " +
                                         std::to_string(*broken_) + ": synced records would be lost"};
  }
  std::string name_;
  std::size_t offset_ = 0;
  std::optional<std::size_t> broken_;
};

Result<void> check_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::io, "cannot read " + path.string()};
  WalCheck check(path.string());
  std::vector<char> buffer(block_bytes);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto got = static_cast<std::size_t>(file.gcount());
    if (auto checked = check.block({buffer.data(), got}); !checked.ok()) return checked;
  }
  return file.bad() ? Result<void>(Error{ErrorCode::io, "cannot read " + path.string()}) : Result<void>();
}

}  // namespace

Result<void> check_wal_files(const std::string& folder) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.path().extension() != ".log") continue;
    if (auto checked = check_file(entry.path()); !checked.ok()) return checked;
  }
  if (failed) return Error{ErrorCode::io, "list " + folder + ": " + failed.message()};
  return {};
}

}  // namespace troupe
