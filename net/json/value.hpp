#pragma once
// JSON text as a tree in which every value knows where it stood, so that a complaint can point at it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/base/result.hpp"

namespace troupe::json {

/// 1-based; columns count characters, not bytes. 0: unknown.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

class Value;
struct Member;
using Array = std::vector<Value>;
using Object = std::vector<Member>;  ///< in the order of the text; names are unique

/// One JSON value; immutable by use, no thread affinity. Integers stay integers: those that fit are int64,
/// those above its range uint64; anything with a fraction or exponent is a double.
class Value {
 public:
  using Any =
      std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>;

  // Out of line: here Member is not complete, and not every compiler moves a vector of it.
  Value();
  Value(Any any, Position at);
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  Position at() const { return at_; }
  const Any& any() const { return any_; }
  bool is_null() const { return std::holds_alternative<std::monostate>(any_); }
  const bool* boolean() const { return std::get_if<bool>(&any_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&any_); }
  const std::uint64_t* big_integer() const { return std::get_if<std::uint64_t>(&any_); }
  const double* real() const { return std::get_if<double>(&any_); }
  const std::string* text() const { return std::get_if<std::string>(&any_); }
  const Array* array() const { return std::get_if<Array>(&any_); }
  const Object* object() const { return std::get_if<Object>(&any_); }
  /// The member of that name; null if there is none or this is no object.
  const Value* find(std::string_view name) const;
  /// "a string", "an integer", ... for messages.
  std::string_view kind_text() const;

 private:
  Any any_;
  Position at_;
};

struct Member {
  std::string name;
  Position at;  ///< of the name
  Value value;
};

/// What a text may cost. A value costs at most about 100 bytes, so `values` bounds the memory together with
/// `bytes`.
struct Limits {
  std::size_t depth = 64;
  std::size_t bytes = 4 * 1024 * 1024;
  std::size_t values = 100'000;
};

/// The whole text as one value. Nothing recursive: nesting beyond the limit is refused where it begins.
/// Refused besides syntax errors: duplicate names, NUL (also as an escape), bad UTF-8, integers beyond 64
/// bits. Errors: invalid_argument with exactly one violation that has path, line and column.
Result<Value> parse(std::string_view text, const Limits& limits = {});

}  // namespace troupe::json
