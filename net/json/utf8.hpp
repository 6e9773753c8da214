#pragma once

#include <string>
#include <string_view>

namespace troupe::json {

/// Well-formed UTF-8 as in Unicode table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);
/// The bytes with each maximal ill-formed part replaced by U+FFFD (Unicode section 3.9, "maximal subparts").
std::string utf8_with_replacements(std::string_view bytes);

}  // namespace troupe::json
