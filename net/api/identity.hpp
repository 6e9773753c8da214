#pragma once
// Who calls, and what that allows. A node that is given a list of identities asks every caller for a token;
// one that is given none is for development: callers name themselves, unverified, and may do everything.

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.hpp"

namespace troupe::api {

enum class Role : std::uint8_t {
  submitter,      ///< jobs and tasks, and reading how everything stands
  cell_operator,  ///< that, and hosts, groups, members, the policy, quarantine and diagnosis
  agent,          ///< a host's: nothing of the API but whether a node serves
};
constexpr Role max_value(Role) { return Role::agent; }
std::string_view role_text(Role role);  ///< "submitter", "operator", "agent"

/// Whom a route lets in.
enum class Access : std::uint8_t { everybody, submitters, operators };
bool lets_in(Access access, Role role);

struct Identity {
  std::string caller;
  std::vector<Role> roles;
  bool is_verified = false;
  bool may(Access access) const;
};
/// Of a node without a list.
Identity unverified(std::string caller);
/// Likewise, of a caller with a certificate of an authority that the node trusts: nobody else's name. Errors:
/// unauthenticated if it has no subject.
Result<Identity> certified(std::string subject);
/// Whether a name begins as subjects of certificates do: a word or number, then `=`.
bool is_like_a_subject(std::string_view name);

/// What a node's file of identities says. Immutable; shared by the node's threads.
class Identities {
 public:
  /// JSON: [{"tokenSha256": 64 hexadecimal digits, "caller": "ci@example.com", "roles": ["submitter"]},
  /// {"certificate": "CN=ci,O=Example", "roles": ["submitter"]}, ...]. Each has one of the two; who shows the
  /// certificate is called as its subject says unless `caller` says otherwise. The tokens themselves are
  /// nowhere. Errors: invalid_argument, with the position of each complaint.
  static Result<Identities> parse(std::string_view text);
  /// What a caller shows for itself.
  struct Proof {
    std::string_view authorization;               ///< "Bearer TOKEN"; counts before the certificate
    std::optional<std::string_view> certificate;  ///< the subject of a verified one
  };
  /// Errors: unauthenticated.
  Result<Identity> of(const Proof& proof) const;
  std::size_t size() const { return by_digest_.size() + by_subject_.size(); }

 private:
  std::map<std::string, Identity> by_digest_;
  std::map<std::string, Identity, std::less<>> by_subject_;
};

}  // namespace troupe::api
