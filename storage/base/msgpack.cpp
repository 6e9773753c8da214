#include "storage/base/msgpack.hpp"

#include <bit>
#include <cstring>

namespace troupe {
namespace {

constexpr int skip_depth_max = 64;  // Our deepest record nests eight levels; more is hostile.

/// A tag, and behind it a number of `size` bytes, at most eight.
void append_tagged(Bytes& out, int tag, std::uint64_t number, std::size_t size) {
  char bytes[1 + sizeof number];
  bytes[0] = static_cast<char>(tag);
  std::uint64_t big_endian = number << (8 * (sizeof number - size));
  if constexpr (std::endian::native == std::endian::little) big_endian = __builtin_bswap64(big_endian);
  std::memcpy(bytes + 1, &big_endian, sizeof big_endian);
  out.append(bytes, 1 + size);
}

/// A length in the shortest of the forms with two and four bytes.
void append_length(Bytes& out, int tag_of_two, std::uint64_t length) {
  if (length <= UINT16_MAX) return append_tagged(out, tag_of_two, length, 2);
  append_tagged(out, tag_of_two + 1, length, 4);
}

}  // namespace

void PackWriter::nil() { out_.push_back('\xc0'); }
void PackWriter::boolean(bool value) { out_.push_back(value ? '\xc3' : '\xc2'); }
void PackWriter::wide_uint(std::uint64_t value) {
  if (value <= UINT8_MAX) return append_tagged(out_, 0xcc, value, 1);
  if (value <= UINT16_MAX) return append_tagged(out_, 0xcd, value, 2);
  if (value <= UINT32_MAX) return append_tagged(out_, 0xce, value, 4);
  append_tagged(out_, 0xcf, value, 8);
}
void PackWriter::sint(std::int64_t value) {
  if (value >= 0) return uint(static_cast<std::uint64_t>(value));
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32) return out_.push_back(static_cast<char>(value));
  if (value >= INT8_MIN) return append_tagged(out_, 0xd0, bits, 1);
  if (value >= INT16_MIN) return append_tagged(out_, 0xd1, bits, 2);
  if (value >= INT32_MIN) return append_tagged(out_, 0xd2, bits, 4);
  append_tagged(out_, 0xd3, bits, 8);
}
void PackWriter::real(double value) {
  // Whole numbers too: a field keeps its type.
  append_tagged(out_, 0xcb, std::bit_cast<std::uint64_t>(value), 8);
}
void PackWriter::text(std::string_view value) {
  if (value.size() < 32)
    out_.push_back(static_cast<char>(0xa0 | value.size()));
  else if (value.size() <= UINT8_MAX)
    append_tagged(out_, 0xd9, value.size(), 1);
  else
    append_length(out_, 0xda, value.size());
  out_.append(value);
}
void PackWriter::binary(BytesView value) {
  if (value.size() <= UINT8_MAX)
    append_tagged(out_, 0xc4, value.size(), 1);
  else
    append_length(out_, 0xc5, value.size());
  out_.append(value);
}
void PackWriter::array(std::size_t size) {
  if (size < 16) return out_.push_back(static_cast<char>(0x90 | size));
  append_length(out_, 0xdc, size);
}
void PackWriter::map(std::size_t size) {
  if (size < 16) return out_.push_back(static_cast<char>(0x80 | size));
  append_length(out_, 0xde, size);
}

std::uint8_t PackReader::byte() {
  if (rest_.empty()) {
    fail();
    return 0xc1;  // the one byte that msgpack never uses
  }
  const auto value = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return value;
}

BytesView PackReader::take(std::size_t size) {
  if (size > rest_.size()) {
    fail();
    return {};
  }
  const BytesView taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint64_t PackReader::big_endian(std::size_t size) {
  std::uint64_t value = 0;
  for (const char c : take(size)) value = (value << 8) | static_cast<std::uint8_t>(c);
  return value;
}

std::size_t PackReader::sized(std::uint64_t count, std::uint64_t bytes_each) {
  if (failed_ || count * bytes_each > rest_.size()) {
    fail();
    return 0;
  }
  return static_cast<std::size_t>(count);
}

bool PackReader::take_nil() {
  if (rest_.empty() || static_cast<std::uint8_t>(rest_.front()) != 0xc0) return false;
  rest_.remove_prefix(1);
  return true;
}

bool PackReader::boolean() {
  const std::uint8_t tag = byte();
  if (tag != 0xc2 && tag != 0xc3) fail();
  return !failed_ && tag == 0xc3;
}

std::uint64_t PackReader::uint() {
  const std::uint8_t tag = byte();
  if (tag <= 0x7f) return tag;
  if (tag >= 0xcc && tag <= 0xcf) return big_endian(std::size_t{1} << (tag - 0xcc));
  fail();
  return 0;
}

std::int64_t PackReader::sint() {
  const std::uint8_t tag = byte();
  if (tag <= 0x7f) return tag;
  if (tag >= 0xe0) return static_cast<std::int8_t>(tag);
  if (tag >= 0xcc && tag <= 0xcf) {
    const std::uint64_t value = big_endian(std::size_t{1} << (tag - 0xcc));
    if (value > static_cast<std::uint64_t>(INT64_MAX)) fail();
    return failed_ ? 0 : static_cast<std::int64_t>(value);
  }
  switch (tag) {
    case 0xd0:
      return static_cast<std::int8_t>(big_endian(1));
    case 0xd1:
      return static_cast<std::int16_t>(big_endian(2));
    case 0xd2:
      return static_cast<std::int32_t>(big_endian(4));
    case 0xd3:
      return static_cast<std::int64_t>(big_endian(8));
    default:
      break;
  }
  fail();
  return 0;
}

double PackReader::real() {
  if (byte() != 0xcb) fail();
  const std::uint64_t bits = failed_ ? 0 : big_endian(8);
  return failed_ ? 0 : std::bit_cast<double>(bits);
}

std::string_view PackReader::text() {
  const std::uint8_t tag = byte();
  if (tag >= 0xa0 && tag <= 0xbf) return take(tag & 0x1f);
  if (tag >= 0xd9 && tag <= 0xdb)
    return take(static_cast<std::size_t>(big_endian(std::size_t{1} << (tag - 0xd9))));
  fail();
  return {};
}

BytesView PackReader::binary() {
  const std::uint8_t tag = byte();
  if (tag >= 0xc4 && tag <= 0xc6)
    return take(static_cast<std::size_t>(big_endian(std::size_t{1} << (tag - 0xc4))));
  fail();
  return {};
}

std::size_t PackReader::array() {
  const std::uint8_t tag = byte();
  if (tag >= 0x90 && tag <= 0x9f) return sized(tag & 0x0f, 1);
  if (tag == 0xdc) return sized(big_endian(2), 1);
  if (tag == 0xdd) return sized(big_endian(4), 1);
  fail();
  return 0;
}

std::size_t PackReader::map() {
  const std::uint8_t tag = byte();
  if (tag >= 0x80 && tag <= 0x8f) return sized(tag & 0x0f, 2);
  if (tag == 0xde) return sized(big_endian(2), 2);
  if (tag == 0xdf) return sized(big_endian(4), 2);
  fail();
  return 0;
}

namespace {

// What a value's first byte says: bytes of payload that follow, bytes of a length that follows, children per
// count.
struct Shape {
  std::size_t payload = 0;
  std::size_t length_bytes = 0;
  std::uint64_t children_each = 0;
  std::uint64_t count = 0;
  bool valid = true;
};

Shape shape_of(std::uint8_t tag) {
  if (tag <= 0x7f || tag >= 0xe0) return {};
  if (tag <= 0x8f) return {.children_each = 2, .count = tag & 0x0fU};
  if (tag <= 0x9f) return {.children_each = 1, .count = tag & 0x0fU};
  if (tag <= 0xbf) return {.payload = tag & 0x1fU};
  switch (tag) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return {};
    case 0xc4:
    case 0xd9:
      return {.length_bytes = 1};
    case 0xc5:
    case 0xda:
      return {.length_bytes = 2};
    case 0xc6:
    case 0xdb:
      return {.length_bytes = 4};
    case 0xcc:
    case 0xd0:
      return {.payload = 1};
    case 0xcd:
    case 0xd1:
      return {.payload = 2};
    case 0xca:
    case 0xce:
    case 0xd2:
      return {.payload = 4};
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return {.payload = 8};
    case 0xdc:
      return {.length_bytes = 2, .children_each = 1};
    case 0xdd:
      return {.length_bytes = 4, .children_each = 1};
    case 0xde:
      return {.length_bytes = 2, .children_each = 2};
    case 0xdf:
      return {.length_bytes = 4, .children_each = 2};
    default:
      return {.valid = false};  // Extensions are not part of our format.
  }
}

}  // namespace

void PackReader::skip() {
  // A stack of how many values are still to come at each level, so that hostile nesting cannot exhaust ours.
  std::uint64_t pending[skip_depth_max] = {1};
  int depth = 0;
  while (depth >= 0 && !failed_) {
    if (pending[depth] == 0) {
      --depth;
      continue;
    }
    --pending[depth];
    Shape shape = shape_of(byte());
    if (!shape.valid) return fail();
    if (shape.length_bytes > 0) {
      const std::uint64_t length = big_endian(shape.length_bytes);
      if (shape.children_each > 0)
        shape.count = length;
      else
        shape.payload = static_cast<std::size_t>(length);
    }
    take(shape.payload);
    const std::uint64_t children = shape.children_each * shape.count;
    if (children == 0) continue;
    if (children > rest_.size() || ++depth >= skip_depth_max) return fail();
    pending[depth] = children;
  }
}

}  // namespace troupe
