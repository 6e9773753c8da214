#pragma once
// Inside of selection.hpp: a text as tokens that know where they stood.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.hpp"

namespace troupe::api {

struct SelectionToken {
  enum class Kind : std::uint8_t {
    end,
    word,
    quoted,
    open,
    close,
    comma,
    equal,
    unequal,
    less,
    at_most,
    more,
    at_least,
    like,
  };
  Kind kind = Kind::end;
  std::string text{};        ///< of a word or what is quoted
  std::size_t offset = 0;    ///< byte
  std::uint32_t column = 1;  ///< character
};

/// Ends with the token `end`. Errors: as selection_error; besides what is no token, control characters and
/// what is no UTF-8 are refused.
Result<std::vector<SelectionToken>> selection_tokens(std::string_view text, std::size_t bytes_max);

/// invalid_argument with the position.
Error selection_error(std::uint32_t column, const std::string& what);
/// What was found, for a message: quoted and cut.
std::string selection_quote(std::string_view text);

}  // namespace troupe::api
