#pragma once
// The wire and storage codec: msgpack, records as arrays in field order.
//
// Evolution: a record may grow at its end; a longer array's surplus is skipped, a shorter one leaves
// defaults. Both ways are our own, and the tests hold them against msgpack-cxx: writing chooses each value's
// shortest form, as that does, since hashes are of bytes; reading is a cursor over untrusted bytes, without
// copies, that never allocates more than the bytes that are really there justify.

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "storage/base/bytes.hpp"
#include "storage/base/fields.hpp"
#include "storage/base/id.hpp"
#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe {

/// Appends msgpack to a buffer.
class PackWriter {
 public:
  explicit PackWriter(Bytes& out) : out_(out) {}
  void nil();
  void boolean(bool value);
  void uint(std::uint64_t value) {
    if (value >= 128) return wide_uint(value);
    out_.push_back(static_cast<char>(value));  // most numbers are small
  }
  void sint(std::int64_t value);
  void real(double value);
  void text(std::string_view value);
  void binary(BytesView value);
  void array(std::size_t size);
  void map(std::size_t size);

 private:
  void wide_uint(std::uint64_t value);
  Bytes& out_;
};

/// A cursor over msgpack bytes. The first failure sticks; values read after it are zero or empty.
class PackReader {
 public:
  explicit PackReader(BytesView bytes) : rest_(bytes) {}
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }
  void fail() {
    failed_ = true;
    rest_ = {};
  }

  bool take_nil();  ///< true and consumed if the next value is nil
  bool boolean();
  std::uint64_t uint();
  std::int64_t sint();
  double real();
  std::string_view text();
  BytesView binary();
  /// Sizes are refused when the bytes left could not hold that many values.
  std::size_t array();
  std::size_t map();
  void skip();  ///< one whole value

 private:
  std::uint8_t byte();
  BytesView take(std::size_t size);
  std::uint64_t big_endian(std::size_t size);
  std::size_t sized(std::uint64_t count, std::uint64_t bytes_each);
  BytesView rest_;
  bool failed_ = false;
};

// ---- writing ----
inline void pack(PackWriter& w, bool value) { w.boolean(value); }
inline void pack(PackWriter& w, double value) { w.real(value); }
inline void pack(PackWriter& w, const std::string& value) { w.text(value); }
inline void pack(PackWriter& w, std::string_view value) { w.text(value); }
inline void pack(PackWriter& w, const Blob& value) { w.binary(value.view()); }
inline void pack(PackWriter& w, Instant value) { w.sint(value.ms); }
inline void pack(PackWriter& w, milliseconds value) { w.sint(value.count()); }
template <std::unsigned_integral T>
void pack(PackWriter& w, T value) requires(!std::same_as<T, bool>) {
  w.uint(value);
}
template <std::signed_integral T>
void pack(PackWriter& w, T value) {
  w.sint(value);
}
template <class T>
void pack(PackWriter& w, T value) requires std::is_enum_v<T> {
  w.uint(static_cast<std::uint64_t>(value));
}
template <class Tag, class Rep>
void pack(PackWriter& w, Number<Tag, Rep> value) {
  w.uint(value.value);
}
template <class Tag>
void pack(PackWriter& w, const Uuid<Tag>& value) {
  w.binary({reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
}
template <HasFields T>
void pack(PackWriter& w, const T& record);
template <class T>
void pack(PackWriter& w, const std::vector<T>& list);
template <class T, std::size_t N>
void pack(PackWriter& w, const std::array<T, N>& list);
template <class K, class V>
void pack(PackWriter& w, const std::map<K, V>& map);
template <class T>
void pack(PackWriter& w, const std::optional<T>& maybe);
template <class T>
void pack(PackWriter& w, const std::shared_ptr<const T>& shared);
template <class... T>
void pack(PackWriter& w, const std::variant<T...>& either);

template <HasFields T>
std::size_t fields_to_write(const T& record) {
  if constexpr (HasGrown<T>) {
    static const T silent{};
    std::size_t count = 0, said = T::fields_at_first;
    T::fields()([&](const auto&... f) {
      const auto look = [&](const auto& member, const auto& usual) {
        if (++count > T::fields_at_first && !(member == usual)) said = count;
      };
      (look(record.*(f.member), silent.*(f.member)), ...);
    });
    return said;
  } else {
    return field_count<T>;
  }
}

template <HasFields T>
void pack(PackWriter& w, const T& record) {
  std::size_t left = fields_to_write(record);
  w.array(left);
  each_field(record, [&](std::string_view, const auto& member) {
    if (left == 0) return;
    --left;
    pack(w, member);
  });
}
template <class T>
void pack(PackWriter& w, const std::vector<T>& list) {
  w.array(list.size());
  for (const auto& item : list) pack(w, item);
}
template <class T, std::size_t N>
void pack(PackWriter& w, const std::array<T, N>& list) {
  w.array(N);
  for (const auto& item : list) pack(w, item);
}
template <class K, class V>
void pack(PackWriter& w, const std::map<K, V>& map) {
  w.map(map.size());
  for (const auto& [key, value] : map) {
    pack(w, key);
    pack(w, value);
  }
}
template <class T>
void pack(PackWriter& w, const std::optional<T>& maybe) {
  if (maybe)
    pack(w, *maybe);
  else
    w.nil();
}
template <class T>
void pack(PackWriter& w, const std::shared_ptr<const T>& shared) {
  if (shared)
    pack(w, *shared);
  else
    w.nil();
}
template <class... T>
void pack(PackWriter& w, const std::variant<T...>& either) {
  w.array(2);
  w.uint(either.index());
  std::visit([&](const auto& value) { pack(w, value); }, either);
}

namespace detail {
/// A buffer of this thread that is grown already. Taken while it is written to: packing may nest.
class PackRoom {
 public:
  PackRoom() { bytes.swap(spare()); }
  ~PackRoom() {
    bytes.clear();
    if (bytes.capacity() <= spare_bytes_max) bytes.swap(spare());
  }
  PackRoom(const PackRoom&) = delete;
  PackRoom& operator=(const PackRoom&) = delete;
  Bytes bytes;

 private:
  static constexpr std::size_t spare_bytes_max = 64 * 1024;
  static Bytes& spare() {
    thread_local Bytes kept;
    return kept;
  }
};
}  // namespace detail

/// No larger than its bytes: many are kept for long.
template <class T>
Bytes packed(const T& value) {
  detail::PackRoom room;
  PackWriter writer(room.bytes);
  pack(writer, value);
  return Bytes(room.bytes.data(), room.bytes.size());
}

// ---- reading ----
inline void unpack(PackReader& r, bool& value) { value = r.boolean(); }
inline void unpack(PackReader& r, double& value) { value = r.real(); }
inline void unpack(PackReader& r, std::string& value) { value = std::string(r.text()); }
inline void unpack(PackReader& r, Blob& value) { value = Blob(Bytes(r.binary())); }
inline void unpack(PackReader& r, Instant& value) { value.ms = r.sint(); }
inline void unpack(PackReader& r, milliseconds& value) { value = milliseconds(r.sint()); }
template <std::unsigned_integral T>
void unpack(PackReader& r, T& value) requires(!std::same_as<T, bool>) {
  const std::uint64_t wide = r.uint();
  value = static_cast<T>(wide);
  if (value != wide) r.fail();
}
template <std::signed_integral T>
void unpack(PackReader& r, T& value) {
  const std::int64_t wide = r.sint();
  value = static_cast<T>(wide);
  if (value != wide) r.fail();
}
/// Enums name their last value in `max_value(T)`, found by argument-dependent lookup; anything above is
/// refused.
template <class T>
void unpack(PackReader& r, T& value) requires std::is_enum_v<T> {
  const std::uint64_t wide = r.uint();
  if (wide > static_cast<std::uint64_t>(max_value(T{}))) return r.fail();
  value = static_cast<T>(wide);
}
template <class Tag, class Rep>
void unpack(PackReader& r, Number<Tag, Rep>& value) {
  unpack(r, value.value);
}
template <class Tag>
void unpack(PackReader& r, Uuid<Tag>& value) {
  const BytesView bytes = r.binary();
  if (bytes.size() != value.bytes.size()) return r.fail();
  std::memcpy(value.bytes.data(), bytes.data(), bytes.size());
}
template <HasFields T>
void unpack(PackReader& r, T& record);
template <class T>
void unpack(PackReader& r, std::vector<T>& list);
template <class T, std::size_t N>
void unpack(PackReader& r, std::array<T, N>& list);
template <class K, class V>
void unpack(PackReader& r, std::map<K, V>& map);
template <class T>
void unpack(PackReader& r, std::optional<T>& maybe);
template <class T>
void unpack(PackReader& r, std::shared_ptr<const T>& shared);
template <class... T>
void unpack(PackReader& r, std::variant<T...>& either);

template <HasFields T>
void unpack(PackReader& r, T& record) {
  std::size_t present = r.array();
  each_field(record, [&](std::string_view, auto& member) {
    if (present == 0) return;
    --present;
    unpack(r, member);
  });
  while (present-- > 0 && !r.failed()) r.skip();
}
template <class T>
void unpack(PackReader& r, std::vector<T>& list) {
  const std::size_t size = r.array();
  list.clear();
  for (std::size_t i = 0; i < size && !r.failed(); ++i) {
    T item{};
    unpack(r, item);
    list.push_back(std::move(item));
  }
}
template <class T, std::size_t N>
void unpack(PackReader& r, std::array<T, N>& list) {
  if (r.array() != N) return r.fail();
  for (auto& item : list) unpack(r, item);
}
template <class K, class V>
void unpack(PackReader& r, std::map<K, V>& map) {
  const std::size_t size = r.map();
  map.clear();
  for (std::size_t i = 0; i < size && !r.failed(); ++i) {
    K key{};
    V value{};
    unpack(r, key);
    unpack(r, value);
    if (!map.emplace(std::move(key), std::move(value)).second) r.fail();
  }
}
template <class T>
void unpack(PackReader& r, std::optional<T>& maybe) {
  if (r.take_nil()) {
    maybe.reset();
    return;
  }
  unpack(r, maybe.emplace());
}
template <class T>
void unpack(PackReader& r, std::shared_ptr<const T>& shared) {
  if (r.take_nil()) {
    shared.reset();
    return;
  }
  auto fresh = std::make_shared<T>();
  unpack(r, *fresh);
  shared = std::move(fresh);
}

namespace detail {
template <std::size_t I = 0, class... T>
void unpack_alternative(PackReader& r, std::size_t index, std::variant<T...>& either) {
  if constexpr (I < sizeof...(T)) {
    if (index == I) return unpack(r, either.template emplace<I>());
    unpack_alternative<I + 1>(r, index, either);
  } else {
    r.fail();
  }
}
}  // namespace detail

template <class... T>
void unpack(PackReader& r, std::variant<T...>& either) {
  if (r.array() != 2) return r.fail();
  detail::unpack_alternative(r, static_cast<std::size_t>(r.uint()), either);
}

/// The whole of `bytes` as one T. Error: corrupt (also for bytes left over).
template <class T>
Result<T> unpacked(BytesView bytes) {
  PackReader reader(bytes);
  T value{};
  unpack(reader, value);
  if (reader.failed()) return Error{ErrorCode::corrupt, "malformed msgpack"};
  if (!reader.at_end()) return Error{ErrorCode::corrupt, "bytes left over behind a msgpack value"};
  return value;
}

}  // namespace troupe
