#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::api {

/// RFC 4648 section 5 (URL-safe, without padding), so that a cursor needs no escaping in a query.
std::string base64_text(std::string_view bytes);
/// Understands both alphabets, with or without padding. Nothing: it is none.
std::optional<std::string> base64_bytes(std::string_view text);

}  // namespace troupe::api
