#pragma once
// Writes JSON. Whatever the bytes of a string are, the output is valid UTF-8 and valid JSON.

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

#include "net/json/value.hpp"
#include "storage/base/bytes.hpp"
#include "storage/base/fields.hpp"
#include "storage/base/id.hpp"
#include "storage/base/time.hpp"

namespace troupe::json {

enum class Style : std::uint8_t { compact, pretty };

/// One JSON text, written from front to back. Calls that make no JSON (a value without its key, a bracket too
/// many) are bugs and stop the process. Bytes that are no UTF-8 become U+FFFD; numbers that are not finite
/// become null.
class Writer {
 public:
  explicit Writer(Style style = Style::compact);
  ~Writer();
  Writer(Writer&&) noexcept;

  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);
  void null();
  void boolean(bool value);
  void integer(std::int64_t value);
  void uint(std::uint64_t value);
  void real(double value);
  void text(std::string_view value);
  /// The text; the writer is empty afterwards. All brackets must be closed.
  std::string take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// ---- write_value: anything our records are made of ----
template <class T>
concept HasEnumText = std::is_enum_v<T> && requires(T value) {
  { enum_text(value) } -> std::convertible_to<std::string_view>;
};
/// A record that is an alternative of a variant may name itself.
template <class T>
concept HasTypeName = requires {
  { T::type_name } -> std::convertible_to<std::string_view>;
};

inline void write_value(Writer& w, std::monostate) { w.null(); }
inline void write_value(Writer& w, bool value) { w.boolean(value); }
inline void write_value(Writer& w, double value) { w.real(value); }
inline void write_value(Writer& w, const std::string& value) { w.text(value); }
inline void write_value(Writer& w, std::string_view value) { w.text(value); }
inline void write_value(Writer& w, const char* value) { w.text(value); }
inline void write_value(Writer& w, const Blob& value) { w.text(value.view()); }
inline void write_value(Writer& w, Instant value) { w.integer(value.ms); }
inline void write_value(Writer& w, milliseconds value) { w.integer(value.count()); }
void write_value(Writer& w, const Value& value);
template <std::unsigned_integral T>
void write_value(Writer& w, T value) requires(!std::same_as<T, bool>) {
  w.uint(value);
}
template <std::signed_integral T>
void write_value(Writer& w, T value) {
  w.integer(value);
}
template <class T>
void write_value(Writer& w, T value) requires std::is_enum_v<T> {
  if constexpr (HasEnumText<T>)
    w.text(enum_text(value));
  else
    w.integer(static_cast<std::int64_t>(value));
}
template <class Tag, class Rep>
void write_value(Writer& w, Number<Tag, Rep> value) {
  write_value(w, value.value);
}
template <class Tag>
void write_value(Writer& w, const Uuid<Tag>& value) {
  w.text(to_text(value));
}
template <HasFields T>
void write_value(Writer& w, const T& record);
template <class T>
void write_value(Writer& w, const std::vector<T>& list);
template <class K, class V>
void write_value(Writer& w, const std::map<K, V>& map);
template <class T>
void write_value(Writer& w, const std::optional<T>& maybe);
template <class T>
void write_value(Writer& w, const std::shared_ptr<T>& shared);
template <class... T>
void write_value(Writer& w, const std::variant<T...>& either);

inline std::string key_text(std::string_view key) { return std::string(key); }
template <std::integral T>
std::string key_text(T key) {
  return std::to_string(key);
}
template <class T>
std::string key_text(T key) requires std::is_enum_v<T> {
  if constexpr (HasEnumText<T>)
    return std::string(enum_text(key));
  else
    return std::to_string(static_cast<std::int64_t>(key));
}
template <class Tag, class Rep>
std::string key_text(Number<Tag, Rep> key) {
  return to_text(key);
}
template <class Tag>
std::string key_text(const Uuid<Tag>& key) {
  return to_text(key);
}

/// The record as an object of its fields(), in wire order.
template <HasFields T>
void write_fields(Writer& w, const T& record) {
  w.begin_object();
  each_field(record, [&](std::string_view name, const auto& member) {
    w.key(name);
    write_value(w, member);
  });
  w.end_object();
}

template <HasFields T>
void write_value(Writer& w, const T& record) {
  write_fields(w, record);
}
template <class T>
void write_value(Writer& w, const std::vector<T>& list) {
  w.begin_array();
  for (const auto& item : list) write_value(w, static_cast<const T&>(item));
  w.end_array();
}
template <class K, class V>
void write_value(Writer& w, const std::map<K, V>& map) {
  w.begin_object();
  for (const auto& [key, value] : map) {
    w.key(key_text(key));
    write_value(w, value);
  }
  w.end_object();
}
template <class T>
void write_value(Writer& w, const std::optional<T>& maybe) {
  if (maybe)
    write_value(w, *maybe);
  else
    w.null();
}
template <class T>
void write_value(Writer& w, const std::shared_ptr<T>& shared) {
  if (shared)
    write_value(w, *shared);
  else
    w.null();
}
/// {"<type_name>": value}, or {"alternative": index, "value": value} for alternatives without a name;
/// monostate is null.
template <class... T>
void write_value(Writer& w, const std::variant<T...>& either) {
  std::visit(
      [&]<class A>(const A& value) {
        if constexpr (std::same_as<A, std::monostate>) return w.null();
        w.begin_object();
        if constexpr (HasTypeName<A>) {
          w.key(A::type_name);
        } else {
          w.key("alternative");
          w.uint(either.index());
          w.key("value");
        }
        write_value(w, value);
        w.end_object();
      },
      either);
}

/// Any of the above as a text.
template <class T>
std::string to_json(const T& value, Style style = Style::compact) {
  Writer writer(style);
  write_value(writer, value);
  return writer.take();
}

}  // namespace troupe::json
