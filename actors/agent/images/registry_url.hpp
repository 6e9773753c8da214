#pragma once
// The URLs that registries hand out, held to what an agent may follow. Pure.

#include <string>
#include <string_view>

#include "actors/agent/images/registry_reference.hpp"

namespace troupe::agent {

constexpr std::size_t url_bytes_max = 8'192;

/// http(s)://host[:port]/path?query, without user, without fragment.
struct RegistryUrl {
  Transport transport = Transport::tls;
  std::string host;    ///< host or host:port, lower case
  std::string target;  ///< path and query; begins with '/'
  std::string text() const;
  /// Credentials for one are credentials for the other.
  bool is_of_origin(const RegistryUrl& other) const {
    return transport == other.transport && host == other.host;
  }
  friend bool operator==(const RegistryUrl&, const RegistryUrl&) = default;
};

/// Errors: invalid_argument; the message never holds the query, which may be a secret.
Result<RegistryUrl> parse_url(std::string_view text);
/// Where an answer of `from` leads: an absolute URL, //host/path or /path. TLS is never left; without TLS it
/// leads only to hosts that may be spoken to so, and to loopback only from loopback or where configured.
/// Errors: invalid_argument.
Result<RegistryUrl> follow_url(const RegistryUrl& from, std::string_view location,
                               const RegistriesConfig& config);
/// All but letters, digits and -._~ as %XX.
std::string percent_encoded(std::string_view text);

}  // namespace troupe::agent
