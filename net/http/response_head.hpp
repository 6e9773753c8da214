#pragma once

#include <optional>
#include <string>

#include "net/http/http.hpp"

namespace troupe::http {

/// How the body's end is known to the client.
enum class Framing : std::uint8_t { none, length, chunked, until_close };
enum class Connection : std::uint8_t { keep_alive, close };

constexpr bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }
std::string_view reason_phrase(int status);
/// Status line and headers. Framing headers are ours, those of the response are ignored; a header that would
/// break the lines is cleaned.
std::string response_head(int status, const Headers& headers, Framing framing, std::size_t body_size,
                          Connection connection);

}  // namespace troupe::http
