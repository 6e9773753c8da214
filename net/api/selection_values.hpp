#pragma once
// Inside of selection.hpp: what the words of a condition mean beside a field.

#include <optional>
#include <string>
#include <string_view>

#include "net/api/selection.hpp"

namespace troupe::api {

/// What is expected of a value beside a field of this type: "a number or a size such as 4GB".
std::string_view expected_value(FieldType type);
/// Nothing: the word is none of the type. `map` takes plain numbers.
std::optional<Condition::Amount> amount_of(FieldType type, std::string_view word);
/// A finite decimal number that is the whole text.
std::optional<double> decimal_of(std::string_view word);
/// "; did you mean status.state?", or nothing.
std::string field_hint(SelectionKind kind, std::string_view name);

}  // namespace troupe::api
