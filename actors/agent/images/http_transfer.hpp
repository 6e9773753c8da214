#pragma once
// One GET over HTTP(S), streamed. The only file that knows libcurl is this one's .cpp.

#include <functional>
#include <string>
#include <string_view>

#include "actors/agent/images/registry_protocol.hpp"

namespace troupe::agent {

struct HttpGet {
  RegistryUrl url;
  std::string authorization;     ///< empty: none; never in an error's text
  std::string accept;            ///< empty: anything
  std::string ca_file;           ///< empty: the machine's
  std::uint64_t first_byte = 0;  ///< above 0: the body from there on
  milliseconds connect_max{5'000};
  milliseconds silence_max{20'000};  ///< without a byte
  milliseconds total_max{};          ///< zero: as long as bytes come
  /// Asked every http_look_ms at most; an error ends the transfer and is its failure.
  std::function<Result<void>()> wanted;
  /// Each piece of a body, with what was said before it. A failure ends the transfer and is its failure.
  std::function<std::optional<PullFailure>(const RegistryAnswer& head, std::string_view piece)> body;
};
constexpr int http_look_ms = 100;
constexpr std::size_t http_header_bytes_max = 64 * 1024;

/// The server's answer, or why there is none. `head` is what was said before a failure, if anything was.
struct HttpOutcome {
  RegistryAnswer head;
  std::optional<PullFailure> failure;
};
/// Blocks; any thread. Redirects are not followed.
HttpOutcome http_get(const HttpGet& get);

}  // namespace troupe::agent
