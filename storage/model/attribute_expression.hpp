#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/postfix.hpp"
#include "storage/base/result.hpp"
#include "storage/model/job_descriptor.hpp"

namespace troupe {

/// A condition on a host's attributes, as a job states it:
///
///     gpuModel in (a100, h100) && (rack != r1 || !spot) && cores >= 32
///
/// Terms are `key` (it has the attribute), `key = value` (or ==), `key != value` (also true without the
/// attribute), `key in (a, b)`, `key not in (a, b)`, and < <= > >= between whole numbers (false unless both
/// are). They are joined by ! && || and parentheses. Words are made of letters, digits and . _ - / : or stand
/// in double quotes.
class AttributeExpression {
 public:
  static constexpr std::size_t bytes_max = 512;
  static constexpr int depth_max = 16;  ///< of parentheses and negations; at most Postfix::depth_max

  /// Errors: invalid_argument, with the position.
  static Result<AttributeExpression> parse(std::string_view text);
  /// Of an expression that names nothing: true.
  bool holds(const StringMap& attributes) const;
  /// The keys that it asks for, in the order in which they are written.
  std::vector<std::string> keys() const;

  enum class Test : std::uint8_t { has, any_of, none_of, less, at_most, more, at_least };
  struct Term {
    std::string key;
    Test test = Test::has;
    std::vector<std::string> values{};
  };

 private:
  friend class ExpressionParser;
  std::vector<Term> terms_;
  Postfix joined_;
};

}  // namespace troupe
