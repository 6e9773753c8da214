#include "net/api/identity.hpp"

#include <algorithm>

#include "net/api/reading.hpp"
#include "storage/model/audit_chain.hpp"

namespace troupe::api {
namespace {

constexpr std::size_t digest_digits = 64;
constexpr std::size_t caller_bytes_max = 256;
constexpr std::size_t subject_bytes_max = 1'024;
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

namespace {

Error nameless() {
  return {ErrorCode::unauthenticated, "the certificate has no subject: nobody is called by it"};
}

}  // namespace

Result<Identity> certified(std::string subject) {
  if (subject.empty()) return nameless();
  return Identity{std::move(subject), {Role::submitter, Role::cell_operator}, true};
}

bool is_like_a_subject(std::string_view name) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_ ";
  const std::size_t end = name.find_first_not_of(letters);
  return end != name.npos && end > 0 && name[end] == '=';
}

namespace {

constexpr std::string_view token_key = "tokenSha256", certificate_key = "certificate";

struct Entry {
  std::string digest;   ///< of a token; or
  std::string subject;  ///< of a certificate
  Identity identity;
};

Entry read_entry(json::ObjectReader& reader) {
  Entry entry;
  entry.identity.is_verified = true;
  const bool by_certificate = reader.has(certificate_key);
  if (by_certificate) {
    entry.subject = read_name(reader, certificate_key, subject_bytes_max);
    if (is_blank(entry.subject)) reader.complain(certificate_key, "must not be blank");
    if (reader.has(token_key)) reader.complain(certificate_key, "stands for itself: not beside tokenSha256");
  } else {
    entry.digest = reader.required_string(token_key);
    if (!is_token_digest(entry.digest))
      reader.complain(token_key, "must be 64 hexadecimal digits, in lower case");
  }
  entry.identity.caller =
      by_certificate && !reader.has("caller") ? entry.subject : read_name(reader, "caller", caller_bytes_max);
  if (is_blank(entry.identity.caller)) reader.complain("caller", "is required and must not be blank");
  read_roles(reader, entry.identity);
  reader.finish();
  return entry;
}

}  // namespace

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
      Entry entry = read_entry(reader);
      const bool is_new = entry.subject.empty()
                              ? out.by_digest_.emplace(entry.digest, std::move(entry.identity)).second
                              : out.by_subject_.emplace(entry.subject, std::move(entry.identity)).second;
      if (!is_new) reader.complain(entry.subject.empty() ? token_key : certificate_key, "is there twice");
    }
    return out;
  });
}

Result<Identity> Identities::of(const Proof& proof) const {
  if (proof.authorization.empty() && proof.certificate) {
    if (proof.certificate->empty()) return nameless();
    const auto found = by_subject_.find(*proof.certificate);
    if (found != by_subject_.end()) return found->second;
    return Error{ErrorCode::unauthenticated,
                 "the certificate's subject is not known here: " + std::string(*proof.certificate)};
  }
  if (proof.authorization.empty())
    return Error{ErrorCode::unauthenticated,
                 by_subject_.empty()
                     ? "this cell asks for a token: the header Authorization: Bearer TOKEN"
                     : "this cell asks for a client certificate, or the header Authorization: Bearer TOKEN"};
  if (!proof.authorization.starts_with(scheme))
    return Error{ErrorCode::unauthenticated, "the header Authorization must be Bearer TOKEN"};
  // Looked up by its digest: how long that takes tells nothing of the tokens that there are.
  const auto found = by_digest_.find(digest_of(proof.authorization.substr(scheme.size())));
  if (found == by_digest_.end()) return Error{ErrorCode::unauthenticated, "the token is not known here"};
  return found->second;
}

}  // namespace troupe::api
