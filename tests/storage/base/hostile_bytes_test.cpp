// Bytes from a link or a damaged disk: never a crash, never more memory than they justify, and the same
// judgement as msgpack-cxx's own reader.

#include <gtest/gtest.h>

#include <algorithm>
#include <msgpack.hpp>
#include <new>

#include "storage/base/msgpack.hpp"
#include "storage/base/random.hpp"
#include "tests/storage/base/allocation_count.hpp"

namespace troupe {
namespace {

struct Leaf {
  std::uint32_t count = 0;
  std::string name;
  std::optional<std::int64_t> maybe;
  static constexpr auto fields() {
    return field_list(field("count", &Leaf::count), field("name", &Leaf::name), field("maybe", &Leaf::maybe));
  }
};
struct Tree {
  JobId id;
  std::vector<Leaf> leaves;
  std::map<std::string, std::string> map;
  std::variant<Leaf, std::string, bool> either;
  std::shared_ptr<const Leaf> shared;
  std::array<Leaf, 2> two;
  static constexpr auto fields() {
    return field_list(field("id", &Tree::id), field("leaves", &Tree::leaves), field("map", &Tree::map),
                      field("either", &Tree::either), field("shared", &Tree::shared),
                      field("two", &Tree::two));
  }
};

Tree tree() {
  Tree t;
  t.id.bytes.fill(7);
  t.leaves = {{1, "one", 5}, {70'000, std::string(40, 'x'), std::nullopt}};
  t.map = {{"key", "value"}, {"other", std::string(300, 'y')}};
  t.either = "either";
  t.shared = std::make_shared<const Leaf>(Leaf{3, "three", -3});
  return t;
}

/// Bytes allocated while these are read as a Tree.
std::size_t cost_of(BytesView bytes) {
  const std::size_t before = allocated_bytes();
  (void)unpacked<Tree>(bytes);
  return allocated_bytes() - before;
}
// A one-byte record becomes a Leaf, and a growing vector allocates twice as much again.
constexpr std::size_t bytes_per_byte_max = 4 * sizeof(Leaf);
constexpr std::size_t bytes_at_all = 1'000;  // the error's text and the like

TEST(HostileBytes, EveryTruncationIsRefused) {
  const Bytes whole = packed(tree());
  ASSERT_TRUE(unpacked<Tree>(whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part = whole.substr(0, size);
    EXPECT_FALSE(unpacked<Tree>(part).ok()) << size;
    PackReader reader(part);
    reader.skip();
    EXPECT_TRUE(reader.failed()) << size;
  }
}

TEST(HostileBytes, EveryFlippedBitIsReadOrRefusedWithinBounds) {
  Bytes bytes = packed(tree());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto flip = [&] { bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8))); };
    flip();
    EXPECT_LE(cost_of(bytes), bytes.size() * bytes_per_byte_max + bytes_at_all);
    flip();
  }
}

TEST(HostileBytes, AnAnnouncedGiantCostsNothing) {
  for (const Bytes& giant :
       {Bytes("\xdd\xff\xff\xff\xff", 5), Bytes("\xdf\xff\xff\xff\xff", 5), Bytes("\xdb\xff\xff\xff\xff", 5),
        Bytes("\xc6\xff\xff\xff\xff", 5), Bytes("\xdd\x7f\xff\xff\xff\x01\x02\x03", 8)}) {
    EXPECT_LE(cost_of(giant), bytes_at_all);
    EXPECT_FALSE(unpacked<std::vector<Leaf>>(giant).ok());
    EXPECT_FALSE((unpacked<std::map<std::string, std::string>>(giant).ok()));
    EXPECT_FALSE(unpacked<std::string>(giant).ok());
    EXPECT_FALSE(unpacked<Blob>(giant).ok());
    PackReader reader(giant);
    reader.skip();
    EXPECT_TRUE(reader.failed());
  }
}

TEST(HostileBytes, ManyEmptyRecordsCostNoMoreThanTheirKind) {
  const Bytes many =
      Bytes("\x92\xc4\x10", 3) + Bytes(16, '\x07') + Bytes("\xdd\x00\x01\x00\x00", 5) + Bytes(65'536, '\x90');
  ASSERT_TRUE(unpacked<Tree>(many).ok());
  EXPECT_LE(cost_of(many), many.size() * bytes_per_byte_max);
}

TEST(HostileBytes, ANestingBombIsRefusedByDepth) {
  for (const char opener : {'\x91', '\x81'}) {
    const Bytes bomb(1'000'000, opener);
    PackReader reader(bomb);
    reader.skip();
    EXPECT_TRUE(reader.failed());
  }
  Bytes shallow(60, '\x91');
  shallow += '\x01';
  PackReader reader(shallow);
  reader.skip();
  EXPECT_FALSE(reader.failed());
  EXPECT_TRUE(reader.at_end());
}

TEST(HostileBytes, RandomBytesNeverCrashAndCostLittle) {
  Random random(20'261'122);
  for (int n = 0; n < 100'000; ++n) {
    Bytes bytes(random.below(64), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.next());
    EXPECT_LE(cost_of(bytes), bytes.size() * bytes_per_byte_max + bytes_at_all);
  }
}

TEST(HostileBytes, SpoiledGoodBytesNeverCrashAndCostLittle) {
  const Bytes good = packed(std::vector<Tree>{tree(), tree()});
  Random random(20'261'123);
  for (int n = 0; n < 20'000; ++n) {
    Bytes bytes = good;
    for (std::uint64_t hits = random.below(6); hits-- > 0;)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    if (random.chance(30)) bytes.resize(random.below(bytes.size()));
    const std::size_t before = allocated_bytes();
    (void)unpacked<std::vector<Tree>>(bytes);
    EXPECT_LE(allocated_bytes() - before, bytes.size() * 4 * sizeof(Tree) + bytes_at_all);
  }
}

// ---- the same judgement as msgpack-cxx ----

constexpr std::size_t depth_limit = 63;

bool has_extension(const msgpack::object& object) {
  if (object.type == msgpack::type::EXT) return true;
  if (object.type == msgpack::type::ARRAY)
    return std::any_of(object.via.array.ptr, object.via.array.ptr + object.via.array.size, has_extension);
  if (object.type == msgpack::type::MAP)
    return std::any_of(object.via.map.ptr, object.via.map.ptr + object.via.map.size,
                       [](const auto& kv) { return has_extension(kv.key) || has_extension(kv.val); });
  return false;
}

/// Where the first value ends by the library's judgement; nothing: it is not well-formed, or not of our
/// format.
std::optional<std::size_t> library_end(BytesView bytes) {
  try {
    std::size_t end = 0;
    const msgpack::unpack_limit limit(1'000'000, 1'000'000, 1'000'000, 1'000'000, 1'000'000, depth_limit);
    const auto handle = msgpack::unpack(bytes.data(), bytes.size(), end, nullptr, nullptr, limit);
    if (has_extension(handle.get())) return std::nullopt;
    return end;
  } catch (const msgpack::unpack_error&) {
    return std::nullopt;
  } catch (const std::bad_alloc&) {  // It reserves what an array announces.
    return std::nullopt;
  }
}

std::optional<std::size_t> our_end(BytesView bytes) {
  PackReader reader(bytes);
  reader.skip();
  if (reader.failed()) return std::nullopt;
  return bytes.size() - reader.left();
}

/// Any value of any type, nested up to `depth`.
void pack_any(msgpack::packer<msgpack::sbuffer>& packer, Random& random, int depth) {
  const auto size = static_cast<std::uint32_t>(random.below(random.chance(10) ? 300 : 6));
  switch (random.below(depth > 0 ? 10 : 7)) {
    case 0:
      packer.pack_nil();
      return;
    case 1:
      packer.pack(random.chance(50));
      return;
    case 2:
      packer.pack_uint64(random.next() >> random.below(64));
      return;
    case 3:
      packer.pack_int64(static_cast<std::int64_t>(random.next()) >> random.below(64));
      return;
    case 4:
      random.chance(50) ? packer.pack_double(1.5) : packer.pack_float(2.5F);
      return;
    case 5:
      packer.pack(std::string(size, 'x'));
      return;
    case 6:
      packer.pack_bin(size);
      packer.pack_bin_body(std::string(size, '\x91').data(), size);
      return;
    case 7:
      packer.pack_map(size);
      for (std::uint32_t n = 0; n < 2 * size; ++n) pack_any(packer, random, depth - 1);
      return;
    default:
      packer.pack_array(size);
      for (std::uint32_t n = 0; n < size; ++n) pack_any(packer, random, depth - 1);
  }
}

TEST(AgainstMsgpackCxx, WhatItWritesIsSkippedToItsEnd) {
  Random random(5);
  for (int n = 0; n < 3'000; ++n) {
    msgpack::sbuffer buffer;
    msgpack::packer<msgpack::sbuffer> packer(buffer);
    pack_any(packer, random, 3);
    const Bytes bytes(buffer.data(), buffer.size());
    EXPECT_EQ(our_end(bytes), bytes.size());
    EXPECT_EQ(our_end(bytes + "surplus"), bytes.size());
  }
}

TEST(AgainstMsgpackCxx, BothWriteTheSameBytes) {
  Random random(7);
  for (int n = 0; n < 30'000; ++n) {
    Bytes ours;
    PackWriter writer(ours);
    msgpack::sbuffer theirs;
    msgpack::packer<msgpack::sbuffer> packer(theirs);
    const std::uint64_t number = random.next() >> random.below(64);
    const auto negative = -static_cast<std::int64_t>(number >> 1) - 1;
    const std::size_t size = number % (random.chance(2) ? 70'000 : 300);
    const auto size32 = static_cast<std::uint32_t>(size);
    const std::string text(size, 'x');
    writer.uint(number), packer.pack_uint64(number);
    writer.sint(static_cast<std::int64_t>(number)), packer.pack_int64(static_cast<std::int64_t>(number));
    writer.sint(negative), packer.pack_int64(negative);
    writer.boolean(size % 2 == 0), packer.pack(size % 2 == 0);
    writer.real(1.5), packer.pack_double(1.5);
    writer.nil(), packer.pack_nil();
    writer.text(text), packer.pack(text);
    writer.binary(text), packer.pack_bin(size32).pack_bin_body(text.data(), size32);
    writer.array(size), packer.pack_array(size32);
    writer.map(size), packer.pack_map(size32);
    ASSERT_EQ(ours, Bytes(theirs.data(), theirs.size())) << number;
  }
}

TEST(AgainstMsgpackCxx, RandomBytesAreJudgedAlike) {
  Random random(6);
  int accepted = 0;
  for (int n = 0; n < 100'000; ++n) {
    Bytes bytes(1 + random.below(24), '\0');
    // Mostly small arrays, maps and texts, so that many are well-formed.
    for (char& byte : bytes)
      byte = static_cast<char>(random.chance(70) ? random.below(0x30) + 0x78 : random.next());
    const auto theirs = library_end(bytes);
    EXPECT_EQ(our_end(bytes), theirs) << n;
    accepted += theirs ? 1 : 0;
  }
  EXPECT_GT(accepted, 10'000);
  EXPECT_LT(accepted, 90'000);
}

TEST(AgainstMsgpackCxx, OurRecordsAreItsArrays) {
  const Bytes bytes = packed(tree());
  const auto handle = msgpack::unpack(bytes.data(), bytes.size());
  const msgpack::object& object = handle.get();
  ASSERT_EQ(object.type, msgpack::type::ARRAY);
  ASSERT_EQ(object.via.array.size, field_count<Tree>);
  EXPECT_EQ(object.via.array.ptr[0].type, msgpack::type::BIN);
  EXPECT_EQ((object.via.array.ptr[2].as<std::map<std::string, std::string>>()), tree().map);
  EXPECT_EQ(library_end(bytes), bytes.size());
}

}  // namespace
}  // namespace troupe
