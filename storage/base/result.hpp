#pragma once
// Errors are values: a function that the world can make fail returns Result<T>.

#include <type_traits>
#include <utility>
#include <variant>

#include "storage/base/check.hpp"
#include "storage/base/error.hpp"

namespace troupe {

/// Either a T or an Error. value() on an error is a bug and stops the process.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : either_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by intent
  Result(Error error) : either_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by intent
  bool ok() const { return either_.index() == 0; }
  const T& value() const& {
    TROUPE_CHECK(ok());
    return *std::get_if<0>(&either_);
  }
  T& value() & {
    TROUPE_CHECK(ok());
    return *std::get_if<0>(&either_);
  }
  T&& value() && {
    TROUPE_CHECK(ok());
    return std::move(*std::get_if<0>(&either_));
  }
  const Error& error() const {
    TROUPE_CHECK(!ok());
    return *std::get_if<1>(&either_);
  }

 private:
  std::variant<T, Error> either_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT: implicit by intent
  bool ok() const { return ok_; }
  const Error& error() const {
    TROUPE_CHECK(!ok_);
    return error_;
  }

 private:
  Error error_{};
  bool ok_ = true;
};

}  // namespace troupe
