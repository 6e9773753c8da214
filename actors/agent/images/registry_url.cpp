#include "actors/agent/images/registry_url.hpp"

#include <algorithm>

namespace troupe::agent {
namespace {

Error bad_url(const std::string& what) {
  return {ErrorCode::invalid_argument, "the registry gave a URL that is not followed: " + what};
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::string RegistryUrl::text() const {
  return (transport == Transport::plain ? "http://" : "https://") + host + target;
}

Result<RegistryUrl> parse_url(std::string_view text) {
  if (text.size() > url_bytes_max) return bad_url("it is too long");
  if (!is_printable(text)) return bad_url("it holds blanks or other characters that URLs do not have");
  RegistryUrl url;
  if (text.starts_with("https://"))
    text.remove_prefix(8);
  else if (text.starts_with("http://")) {
    url.transport = Transport::plain;
    text.remove_prefix(7);
  } else
    return bad_url("it begins with neither https:// nor http://");
  text = text.substr(0, text.find('#'));
  const std::size_t end = text.find_first_of("/?");
  const std::string_view authority = text.substr(0, end);
  if (authority.find('@') != std::string_view::npos) return bad_url("it holds a user");
  auto host = parse_registry_host(authority);
  if (!host.ok()) return bad_url(host.error().message);
  url.host = std::move(host).value();
  url.target = end == std::string_view::npos ? "" : text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, 1, '/');
  return url;
}

Result<RegistryUrl> follow_url(const RegistryUrl& from, std::string_view location,
                               const RegistriesConfig& config) {
  const std::string scheme = from.transport == Transport::plain ? "http:" : "https:";
  std::string absolute(location);
  if (location.starts_with("//"))
    absolute = scheme + absolute;
  else if (location.starts_with("/"))
    absolute = scheme + "//" + from.host + absolute;
  auto url = parse_url(absolute);
  if (!url.ok() || url.value().is_of_origin(from)) return url;
  const std::string& host = url.value().host;
  if (url.value().transport == Transport::plain) {
    if (from.transport == Transport::tls) return bad_url("it leaves TLS for http://" + host);
    if (!may_be_plain(config, host))
      return bad_url("http://" + host +
                     " has no TLS: if that is meant, make it one of `registries`, insecure");
  }
  const bool is_named = std::any_of(config.registries.begin(), config.registries.end(),
                                    [&](const RegistrySettings& one) { return one.name == host; });
  if (is_loopback(host) && !is_loopback(from.host) && !is_named)
    return bad_url(host + " is this host itself");
  return url;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool is_safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                         c == '-' || c == '.' || c == '_' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (is_safe)
      out.push_back(c);
    else
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

}  // namespace troupe::agent
