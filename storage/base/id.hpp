#pragma once
// Identities. Each is a type of its own, so that ids that could be mixed up do not compile.

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "storage/base/result.hpp"

namespace troupe {

/// A number with a meaning. The tag keeps terms, indexes and epochs apart.
template <class Tag, class Rep>
struct Number {
  using rep = Rep;
  Rep value = 0;
  friend auto operator<=>(const Number&, const Number&) = default;
  Number next() const { return Number{static_cast<Rep>(value + 1)}; }
};

using NodeId = Number<struct NodeTag, std::uint32_t>;    ///< a control-plane process; 0 means none
using HostId = Number<struct HostTag, std::uint32_t>;    ///< numbered by apply at registration; 0 means none
using ShardId = Number<struct ShardTag, std::uint16_t>;  ///< 0 .. shard_count-1
using Epoch = Number<struct EpochTag, std::uint64_t>;  ///< of a shard's ownership; grows with each assignment
using Term = Number<struct TermTag, std::uint64_t>;    ///< Raft term
using Index = Number<struct IndexTag, std::uint64_t>;  ///< Raft log index; 0 means before the first entry
using SlotNumber = Number<struct SlotTag, std::uint32_t>;  ///< a job's place, 0-based

/// 128 random bits, printed as a UUID. Jobs, tasks, sessions and requests.
///
/// The last byte routes: a task's last byte is its job's, so that both live in the same shard.
template <class Tag>
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  friend bool operator==(const Uuid&, const Uuid&) = default;
  /// Byte order, two words at a time: ordered indexes compare ids more than they do anything else.
  friend std::strong_ordering operator<=>(const Uuid& a, const Uuid& b) {
    const auto high = a.big_endian_word(0) <=> b.big_endian_word(0);
    return high != 0 ? high : a.big_endian_word(8) <=> b.big_endian_word(8);
  }
  std::uint64_t big_endian_word(std::size_t from) const {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + from, sizeof word);
    return __builtin_bswap64(word);  // Debian 12 runs us on little-endian machines only.
  }
  bool is_nil() const { return *this == Uuid{}; }
  std::uint8_t route() const { return bytes[15]; }
  std::uint64_t hash() const {  // The bytes are random already; the first eight are a good hash.
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    return word;
  }
};

std::string uuid_text(const std::array<std::uint8_t, 16>& bytes);
/// Accepts the canonical 36-character form in either case. Error: invalid_argument.
Result<std::array<std::uint8_t, 16>> uuid_bytes(std::string_view text);

template <class Tag>
std::string to_text(const Uuid<Tag>& id) {
  return uuid_text(id.bytes);
}
template <class Tag, class Rep>
std::string to_text(const Number<Tag, Rep>& number) {
  return std::to_string(number.value);
}

template <class Id>
Result<Id> parse_uuid(std::string_view text) {
  auto bytes = uuid_bytes(text);
  if (!bytes.ok()) return bytes.error();
  return Id{bytes.value()};
}

using JobId = Uuid<struct JobTag>;
using TaskId = Uuid<struct TaskTag>;
using SessionId =
    Uuid<struct SessionTag>;  ///< one connection of an agent with its owner; minted by the owner

template <class Tag>
ShardId shard_of(const Uuid<Tag>& id, std::uint16_t shard_count) {
  return ShardId{static_cast<std::uint16_t>(id.route() % shard_count)};
}
inline ShardId shard_of(HostId host, std::uint16_t shard_count) {
  return ShardId{static_cast<std::uint16_t>(host.value % shard_count)};
}

template <class H, class Tag>
H AbslHashValue(H h, const Uuid<Tag>& id) {
  return H::combine(std::move(h), id.hash());
}
template <class H, class Tag, class Rep>
H AbslHashValue(H h, const Number<Tag, Rep>& number) {
  return H::combine(std::move(h), number.value);
}

}  // namespace troupe

template <class Tag>
struct std::hash<troupe::Uuid<Tag>> {
  std::size_t operator()(const troupe::Uuid<Tag>& id) const { return id.hash(); }
};
template <class Tag, class Rep>
struct std::hash<troupe::Number<Tag, Rep>> {
  std::size_t operator()(const troupe::Number<Tag, Rep>& number) const {
    return std::hash<Rep>{}(number.value);
  }
};
