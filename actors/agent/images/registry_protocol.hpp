#pragma once
// What a registry is asked, and what follows from its answers (OCI distribution specification 1.1): pure, so
// that every answer of a hostile or broken registry can be tried. The shell sends what request() says and
// hands each answer to take().

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/agent/images/registry_challenge.hpp"
#include "actors/agent/images/registry_url.hpp"

namespace troupe::agent {

/// Whose fault a failure is, and so what to do.
enum class Fault : std::uint8_t {
  image,     ///< the user's: no such image, no permission; another server may know better
  content,   ///< that server's copy is not what its digest says; another may have a sound one
  host,      ///< ours, or a setting of ours: nothing helps but an operator
  registry,  ///< busy, broken or silent: the same again, later
  unwanted,  ///< nobody waits for it any more
};
struct PullFailure {
  Fault fault = Fault::registry;
  Error error;
  milliseconds wait{};  ///< it asked for this much patience
};

/// The parts of an HTTP answer that anybody here looks at.
struct RegistryAnswer {
  int status = 0;
  std::vector<std::string> challenges;  ///< WWW-Authenticate
  std::string location, retry_after, content_range, content_digest;
  std::optional<std::uint64_t> content_length;
  std::string body;  ///< of a token service only
};

constexpr unsigned redirects_max = 5;
constexpr unsigned authorizations_max = 2;  ///< a remembered token that expired, then a fresh one
constexpr milliseconds retry_after_max = std::chrono::minutes(5);

/// Seconds, or a date as RFC 9110 section 5.6.7 prefers it; anything else: zero.
milliseconds parse_retry_after(std::string_view text, Instant now);
/// Of any status that is no success, redirect or 401.
PullFailure failure_of_status(const RegistryAnswer& answer, const std::string& what, Instant now);
/// Whether a part of a body begins where it was asked to: "bytes FIRST-...". Nothing: no such header.
std::optional<std::uint64_t> range_begin(std::string_view content_range);

/// What to get: /v2/REPOSITORY/manifests/... or /v2/REPOSITORY/blobs/...
struct RegistryWish {
  std::string repository;
  std::string path;  ///< below the repository: manifests/v1
};

/// One thing from one server: redirects and authorization until the server gives it or refuses for good. A
/// value; not thread-safe. Credentials and tokens go to the server they are for and to the token service that
/// it names, never along a redirect to another.
class RegistryExchange {
 public:
  struct Request {
    enum class Kind : std::uint8_t { wish, token };
    Kind kind = Kind::wish;
    RegistryUrl url;
    std::string authorization;  ///< a header's value, secret; empty: none
  };
  struct Again {};  ///< send request() now
  struct Ready {};  ///< this answer is it
  using Step = std::variant<Again, Ready, PullFailure>;

  /// `credentials`: USER:PASSWORD or empty. `remembered`: an Authorization that worked lately, or empty.
  RegistryExchange(const RegistriesConfig& config, const RegistryEndpoint& endpoint, const RegistryWish& wish,
                   std::string credentials, std::string remembered);
  const Request& request() const { return request_; }
  Step take(const RegistryAnswer& answer, Instant now);
  /// The registry itself was asked, and not somebody it has sent us to.
  bool is_at_home() const { return request_.kind == Request::Kind::wish && request_.url.is_of_origin(home_); }
  /// What to remember after a success, and for how long (zero: as long as the credentials).
  const std::string& authorization() const { return authorization_; }
  milliseconds authorization_lives() const { return lives_; }

 private:
  Step take_token(const RegistryAnswer& answer, Instant now);
  Step redirect(const RegistryAnswer& answer);
  Step authorize(const RegistryAnswer& answer);
  void go_home();
  PullFailure refused(const std::string& why) const;

  const RegistriesConfig& config_;
  std::string what_, pull_scope_, credentials_, credentials_file_;
  RegistryUrl home_;
  Request request_;
  std::string authorization_;
  milliseconds lives_{};
  unsigned redirects_ = 0, authorizations_ = 0;
};

}  // namespace troupe::agent
