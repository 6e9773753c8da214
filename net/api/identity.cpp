#include "net/api/identity.hpp"

#include <algorithm>

#include "net/api/reading.hpp"
#include "storage/model/audit_chain.hpp"

namespace troupe::api {
namespace {

constexpr std::size_t digest_digits = 64;
constexpr std::size_t caller_bytes_max = 256;
constexpr std::size_t identities_max = 10'000;
constexpr std::string_view scheme = "Bearer ";

constexpr std::array all_roles{Role::submitter, Role::cell_operator, Role::agent};

bool is_token_digest(std::string_view text) {
  return text.size() == digest_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void read_roles(json::ObjectReader& reader, Identity& identity) {
  for (const std::string& name : reader.required_string_list("roles")) {
    const auto role = std::find_if(all_roles.begin(), all_roles.end(),
                                   [&](Role known) { return role_text(known) == name; });
    if (role == all_roles.end())
      reader.complain("roles", "must be of submitter, operator, agent");
    else
      identity.roles.push_back(*role);
  }
  if (identity.roles.empty() && reader.has("roles")) reader.complain("roles", "must name at least one role");
}

}  // namespace

std::string_view role_text(Role role) {
  switch (role) {
    case Role::submitter:
      return "submitter";
    case Role::cell_operator:
      return "operator";
    case Role::agent:
      return "agent";
  }
  return {};
}

bool lets_in(Access access, Role role) {
  switch (access) {
    case Access::everybody:
      return true;
    case Access::submitters:
      return role == Role::submitter || role == Role::cell_operator;
    case Access::operators:
      return role == Role::cell_operator;
  }
  return false;
}

bool Identity::may(Access access) const {
  return std::any_of(roles.begin(), roles.end(), [&](Role role) { return lets_in(access, role); });
}

Identity unverified(std::string caller) {
  return {std::move(caller), {Role::submitter, Role::cell_operator}, false};
}

Result<Identities> Identities::parse(std::string_view text) {
  return read_body<Identities>(text, [](const json::Value& value, std::vector<Violation>& violations) {
    Identities out;
    const auto* list = value.array();
    if (list == nullptr || list->size() > identities_max) {
      json::add_violation(violations, "", "must be a list of at most 10000 identities", value.at());
      return out;
    }
    for (std::size_t n = 0; n < list->size(); ++n) {
      json::ObjectReader reader((*list)[n], '[' + std::to_string(n) + ']', violations);
      Identity identity;
      identity.is_verified = true;
      const std::string digest = reader.required_string("tokenSha256");
      if (!is_token_digest(digest))
        reader.complain("tokenSha256", "must be 64 hexadecimal digits, in lower case");
      identity.caller = read_name(reader, "caller", caller_bytes_max);
      if (is_blank(identity.caller)) reader.complain("caller", "is required and must not be blank");
      read_roles(reader, identity);
      reader.finish();
      if (!out.by_digest_.emplace(digest, std::move(identity)).second)
        reader.complain("tokenSha256", "is there twice");
    }
    return out;
  });
}

Result<Identity> Identities::of(std::string_view authorization) const {
  if (authorization.empty())
    return Error{ErrorCode::unauthenticated,
                 "this cell asks for a token: the header Authorization: Bearer TOKEN"};
  if (!authorization.starts_with(scheme))
    return Error{ErrorCode::unauthenticated, "the header Authorization must be Bearer TOKEN"};
  // Looked up by its digest: how long that takes tells nothing of the tokens that there are.
  const auto found = by_digest_.find(digest_of(authorization.substr(scheme.size())));
  if (found == by_digest_.end()) return Error{ErrorCode::unauthenticated, "the token is not known here"};
  return found->second;
}

}  // namespace troupe::api
