#pragma once
// What the API says, read without complaint: a member that is not there is empty or 0. Internal.

#include <string>
#include <string_view>

#include "net/json/value.hpp"

namespace troupe::embedded {

/// `object` may be null.
std::string text_member(const json::Value* object, std::string_view name);
/// A number, or a text that is one.
std::int64_t number_member(const json::Value* object, std::string_view name);

}  // namespace troupe::embedded
