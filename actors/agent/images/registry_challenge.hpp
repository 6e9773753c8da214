#pragma once
// How a registry asks for credentials (WWW-Authenticate, RFC 9110 section 11.6.1; the distribution project's
// token specification), and what its token service answers. Pure; all of it is hostile until it is read here.

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::agent {

constexpr std::size_t challenge_bytes_max = 8'192;
constexpr std::size_t challenge_parameters_max = 32;
constexpr std::size_t token_bytes_max = 16 * 1024;  ///< one that goes into a header
constexpr std::size_t token_answer_bytes_max = 64 * 1024;

struct RegistryChallenge {
  enum class Scheme : std::uint8_t { basic, bearer };
  Scheme scheme = Scheme::basic;
  std::string realm;  ///< of bearer: the token service's URL
  std::string service, scope;
  friend bool operator==(const RegistryChallenge&, const RegistryChallenge&) = default;
};
/// All that are understood, in their order; others are skipped. Errors: invalid_argument (not even their form
/// is right, or none is understood).
Result<std::vector<RegistryChallenge>> parse_challenges(std::string_view header);
/// Of all headers of one answer: a bearer's first, then basic. Errors: invalid_argument.
Result<RegistryChallenge> choose_challenge(const std::vector<std::string>& headers);

struct RegistryToken {
  std::string text;  ///< printable, without blanks: fit for a header
  milliseconds lives{};
};
/// Errors: invalid_argument.
Result<RegistryToken> parse_token_answer(std::string_view json);

/// "Basic ..." for USER:PASSWORD.
std::string basic_authorization(std::string_view user_and_password);
/// The first line of a credentials file. Errors: invalid_argument; nothing of the content is in the message.
Result<std::string> parse_credentials(std::string_view text);

}  // namespace troupe::agent
