#pragma once
// Image names that lead to a registry, and what the agent's configuration says of registries. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.hpp"

namespace troupe::agent {

/// [registry[:port]/]repository[:tag][@digest]. The first part is a registry's name when it holds a dot or a
/// colon, or is `localhost`; so `team/app` names none.
struct RegistryReference {
  std::string registry;  ///< host or host:port, lower case; empty: none was named
  std::string repository;
  std::string tag, digest;  ///< either may be empty; the digest counts where both are there
  friend bool operator==(const RegistryReference&, const RegistryReference&) = default;
};
/// Errors: invalid_argument, with the column of what is wrong and what to do.
Result<RegistryReference> parse_reference(std::string_view text);

/// host or host:port, in lower case. Errors: invalid_argument.
Result<std::string> parse_registry_host(std::string_view text);

enum class Transport : std::uint8_t { tls, plain };

/// One entry of the agent's `registries`.
struct RegistrySettings {
  std::string name;                    ///< host or host:port, as image names say it
  std::vector<std::string> mirrors{};  ///< asked before it, in order; their settings are entries of their own
  Transport transport = Transport::tls;
  std::string ca_file{};           ///< PEM; empty: the machine's
  std::string credentials_file{};  ///< one line USER:PASSWORD, closed to others; empty: none
};

constexpr std::size_t registries_max = 64;
constexpr std::size_t mirrors_max = 8;

struct RegistriesConfig {
  std::vector<RegistrySettings> registries;
  std::string default_registry;  ///< of names without one; empty: those come from folders only
};
/// Names become lower case. Errors: invalid_argument.
Result<void> check_registries(RegistriesConfig& config);

/// A server that is asked for one registry's images.
struct RegistryEndpoint {
  std::string host;  ///< host or host:port of its URLs
  Transport transport = Transport::tls;
  std::string ca_file, credentials_file;
  std::string base_url() const;  ///< http(s)://host
};
/// Mirrors first, then the registry itself.
std::vector<RegistryEndpoint> endpoints_of(const RegistriesConfig& config, const std::string& registry);
/// As the registry's API spells it: Docker's own keeps images without a team under `library/`.
std::string repository_path(const RegistryReference& reference);
/// Whether this host (host or host:port) may be spoken to without TLS: loopback, or configured so.
bool may_be_plain(const RegistriesConfig& config, std::string_view host);
/// localhost, 127.x.y.z; with or without a port.
bool is_loopback(std::string_view host);

}  // namespace troupe::agent
