#pragma once
// JSON schemas, written as texts: small functions that are put together.

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::api::schema {

using Text = std::string;

enum class Must : std::uint8_t { be, may };
struct Property {
  std::string_view name;
  Text schema;
  Must must = Must::be;
};
/// Others than those it names are refused (closed), or may be there (open).
Text object(std::initializer_list<Property> properties);
Text open_object(std::initializer_list<Property> properties);
Text object(std::span<const Property> properties);
Property may(std::string_view name, Text schema);

Text text();
Text text_like(std::string_view pattern);
Text uuid();
Text boolean();
Text number();
Text integer(std::int64_t min = 0);
Text integer(std::int64_t min, std::int64_t max);
/// Digits in a string: 64-bit numbers in answers.
Text digits();
/// 64-bit numbers in requests: as digits, or as they are.
Text digits_or_integer();
Text one_of(std::initializer_list<Text> any);
Text enumeration(std::span<const std::string_view> values);
Text array_of(Text items);
Text map_of(Text values);
Text ref(std::string_view component);

}  // namespace troupe::api::schema
