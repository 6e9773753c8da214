#include "actors/agent/images/registry_reference.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "actors/agent/images/image_documents.hpp"

namespace troupe::agent {
namespace {

constexpr std::size_t reference_bytes_max = 1'024;
constexpr std::size_t host_bytes_max = 253;  // as DNS limits names
constexpr std::size_t repository_bytes_max = 255;
constexpr std::size_t tag_bytes_max = 128;
constexpr std::size_t reference_bytes_shown = 128;
constexpr const char* host_advice = "a registry is HOST or HOST:PORT, such as registry.example.com:5000";
constexpr std::string_view docker_name = "docker.io";
constexpr std::string_view docker_host = "registry-1.docker.io";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_small(c) || (c >= 'A' && c <= 'Z'); }

Error wrong_at(std::string_view text, std::size_t at, const std::string& what) {
  return {ErrorCode::invalid_argument, "'" + std::string(text.substr(0, reference_bytes_shown)) +
                                           "', column " + std::to_string(at + 1) + ": " + what};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Where it goes wrong; nothing: nowhere.
std::optional<std::size_t> bad_host_at(std::string_view host) {
  const std::size_t colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  if (name.empty() || name.size() > host_bytes_max) return 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (is_letter(name[i]) || is_digit(name[i])) continue;
    const bool is_inside = i > 0 && i + 1 < name.size();
    const bool joins = name[i] == '-' || (name[i] == '.' && is_inside && name[i + 1] != '.');
    if (!is_inside || !joins) return i;
  }
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view port = host.substr(colon + 1);
  unsigned number = 0;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool is_port = parsed.ec == std::errc() && parsed.ptr == port.data() + port.size() && number > 0 &&
                       number < 65'536 && port.size() <= 5;
  return is_port ? std::nullopt : std::optional(colon + 1);
}

/// Parts of small letters and digits, inside joined by one dot, one or two underscores, or hyphens.
std::optional<std::size_t> bad_repository_at(std::string_view path) {
  if (path.empty() || path.size() > repository_bytes_max) return 0;
  const auto is_plain = [&](std::size_t i) {
    return i < path.size() && (is_small(path[i]) || is_digit(path[i]));
  };
  for (std::size_t i = 0; i < path.size();) {
    if (is_plain(i)) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < path.size() && path[end] == path[i]) ++end;
    const std::size_t length = end - i;
    const bool may_join = path[i] == '-' || (path[i] == '_' && length <= 2) ||
                          ((path[i] == '.' || path[i] == '/') && length == 1);
    if (!may_join || i == 0 || !is_plain(i - 1) || !is_plain(end)) return i;
    i = end;
  }
  return std::nullopt;
}

std::optional<std::size_t> bad_tag_at(std::string_view tag) {
  if (tag.empty() || tag.size() > tag_bytes_max) return 0;
  for (std::size_t i = 0; i < tag.size(); ++i)
    if (!is_letter(tag[i]) && !is_digit(tag[i]) && tag[i] != '_' &&
        (i == 0 || (tag[i] != '.' && tag[i] != '-')))
      return i;
  return std::nullopt;
}

const RegistrySettings* settings_of(const RegistriesConfig& config, std::string_view name) {
  for (const RegistrySettings& one : config.registries)
    if (one.name == name) return &one;
  return nullptr;
}

RegistryEndpoint endpoint_named(const RegistriesConfig& config, const std::string& name) {
  RegistryEndpoint endpoint;
  endpoint.host = name == docker_name ? std::string(docker_host) : name;
  if (const RegistrySettings* settings = settings_of(config, name)) {
    endpoint.transport = settings->transport;
    endpoint.ca_file = settings->ca_file;
    endpoint.credentials_file = settings->credentials_file;
    // With an authority named for it, loopback speaks TLS as everybody does.
    if (!endpoint.ca_file.empty()) return endpoint;
  }
  if (is_loopback(name)) endpoint.transport = Transport::plain;
  return endpoint;
}

}  // namespace

Result<RegistryReference> parse_reference(std::string_view text) {
  if (text.empty() || text.size() > reference_bytes_max)
    return wrong_at(text, 0,
                    "an image's name has 1 to " + std::to_string(reference_bytes_max) + " characters");
  RegistryReference out;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    out.digest = rest.substr(at + 1);
    if (!is_sha256_digest(out.digest))
      return wrong_at(text, at + 1, "after '@' comes sha256: and 64 digits of 0-9 and a-f");
    rest = rest.substr(0, at);
  }
  std::size_t begin = 0;
  const std::size_t slash = rest.find('/');
  const std::string_view first = rest.substr(0, slash);
  if (slash != std::string_view::npos &&
      (first.find_first_of(".:") != std::string_view::npos || first == "localhost")) {
    if (const auto bad = bad_host_at(first)) return wrong_at(text, *bad, host_advice);
    out.registry = lower(first);
    begin = slash + 1;
  }
  std::string_view path = rest.substr(begin);
  if (const std::size_t colon = path.rfind(':'); colon != std::string_view::npos) {
    out.tag = path.substr(colon + 1);
    if (const auto bad = bad_tag_at(out.tag))
      return wrong_at(
          text, begin + colon + 1 + *bad,
          "a tag has 1 to 128 letters, digits, '_', '.' and '-', and begins with none of the last two");
    path = path.substr(0, colon);
  }
  if (const auto bad = bad_repository_at(path))
    return wrong_at(text, begin + *bad,
                    "a repository is of small letters and digits, joined by single '.', '_', '-' or '/'");
  out.repository = path;
  return out;
}

Result<std::string> parse_registry_host(std::string_view text) {
  if (const auto bad = bad_host_at(text)) return wrong_at(text, *bad, host_advice);
  return lower(text);
}

Result<void> check_registries(RegistriesConfig& config) {
  if (config.registries.size() > registries_max)
    return Error{ErrorCode::invalid_argument, "more than " + std::to_string(registries_max) + " registries"};
  std::set<std::string> names;
  const auto clean = [](std::string& host) -> Result<void> {
    auto parsed = parse_registry_host(host);
    if (!parsed.ok()) return parsed.error();
    host = std::move(parsed).value();
    return {};
  };
  for (RegistrySettings& one : config.registries) {
    if (auto cleaned = clean(one.name); !cleaned.ok()) return cleaned;
    if (!names.insert(one.name).second)
      return Error{ErrorCode::invalid_argument, "the registry '" + one.name + "' is there twice"};
    if (one.mirrors.size() > mirrors_max)
      return Error{ErrorCode::invalid_argument,
                   "'" + one.name + "' has more than " + std::to_string(mirrors_max) + " mirrors"};
    for (std::string& mirror : one.mirrors)
      if (auto cleaned = clean(mirror); !cleaned.ok()) return cleaned;
    if (one.transport == Transport::plain && !one.ca_file.empty())
      return Error{
          ErrorCode::invalid_argument,
          "'" + one.name + "' is insecure and has a ca_file: without TLS nobody shows a certificate"};
  }
  if (config.default_registry.empty()) return {};
  return clean(config.default_registry);
}

std::string RegistryEndpoint::base_url() const {
  return (transport == Transport::plain ? "http://" : "https://") + host;
}

std::vector<RegistryEndpoint> endpoints_of(const RegistriesConfig& config, const std::string& registry) {
  std::vector<RegistryEndpoint> all;
  if (const RegistrySettings* settings = settings_of(config, registry))
    for (const std::string& mirror : settings->mirrors) all.push_back(endpoint_named(config, mirror));
  all.push_back(endpoint_named(config, registry));
  return all;
}

std::string repository_path(const RegistryReference& reference) {
  const bool is_bare = reference.repository.find('/') == std::string::npos;
  return (reference.registry == docker_name && is_bare ? "library/" : "") + reference.repository;
}

bool is_loopback(std::string_view host) {
  const std::string_view name = host.substr(0, host.find(':'));
  if (name == "localhost") return true;
  // A name such as 127.evil.example is none: four numbers.
  return name.starts_with("127.") && std::count(name.begin(), name.end(), '.') == 3 &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_digit(c) || c == '.'; });
}

bool may_be_plain(const RegistriesConfig& config, std::string_view host) {
  const RegistrySettings* settings = settings_of(config, host);
  return is_loopback(host) || (settings && settings->transport == Transport::plain);
}

}  // namespace troupe::agent
