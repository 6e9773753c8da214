#include "actors/agent/images/registry_challenge.hpp"

#include <algorithm>
#include <optional>

#include "net/json/value.hpp"

namespace troupe::agent {
namespace {

constexpr std::int64_t token_seconds_fallback = 60;  // as the specification has it
constexpr std::int64_t token_seconds_max = 3'600;
constexpr std::size_t credentials_bytes_max = 4'096;

Error bad_challenge(const std::string& what) {
  return {ErrorCode::invalid_argument,
          "the registry asks for credentials in a way that is not understood: " + what};
}

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string all_small(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), small);
  return out;
}

bool is_token_character(char c) {
  return c > ' ' && c < '\x7f' && std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
}

/// A cursor over one header's value.
class ChallengeReader {
 public:
  explicit ChallengeReader(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }
  void skip_separators() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == ','))
      rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view word() {
    std::size_t size = 0;
    while (size < rest_.size() && is_token_character(rest_[size])) ++size;
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  /// `word = value`, or nothing and nowhere moved.
  std::optional<std::pair<std::string, std::string>> parameter() {
    const std::string_view begin = rest_;
    const std::string name = all_small(word());
    skip_blanks();
    if (name.empty() || !take('=')) {
      rest_ = begin;
      return std::nullopt;
    }
    skip_blanks();
    auto value = quoted_or_word();
    if (!value) {
      rest_ = begin;
      return std::nullopt;
    }
    return std::pair(name, *value);
  }
  /// What some schemes have instead of parameters: letters, digits and -._~+/ with = at the end.
  void skip_token68() {
    while (!rest_.empty() && rest_.front() != ',' && rest_.front() != ' ') rest_.remove_prefix(1);
  }

 private:
  std::optional<std::string> quoted_or_word() {
    if (!take('"')) {
      const std::string_view value = word();
      return value.empty() ? std::nullopt : std::optional(std::string(value));
    }
    std::string value;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') return std::nullopt;
      value.push_back(c);
    }
    return std::nullopt;  // It never ends.
  }
  std::string_view rest_;
};

void note(RegistryChallenge& challenge, const std::string& name, std::string value) {
  if (name == "realm")
    challenge.realm = std::move(value);
  else if (name == "service")
    challenge.service = std::move(value);
  else if (name == "scope")
    challenge.scope = std::move(value);
}

bool is_fit_for_a_header(std::string_view token) {
  return !token.empty() && token.size() <= token_bytes_max &&
         std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

Result<std::vector<RegistryChallenge>> parse_challenges(std::string_view header) {
  if (header.size() > challenge_bytes_max) return bad_challenge("its header is too long");
  std::vector<RegistryChallenge> all;
  std::size_t parameters = 0;
  ChallengeReader reader(header);
  for (reader.skip_separators(); !reader.at_end(); reader.skip_separators()) {
    const std::string scheme = all_small(reader.word());
    if (scheme.empty()) return bad_challenge("a scheme is missing");
    RegistryChallenge challenge;
    for (reader.skip_blanks();; reader.skip_separators()) {
      auto parameter = reader.parameter();
      if (!parameter) break;
      if (++parameters > challenge_parameters_max) return bad_challenge("it has too many parameters");
      note(challenge, parameter->first, std::move(parameter->second));
    }
    if (scheme == "bearer")
      challenge.scheme = RegistryChallenge::Scheme::bearer;
    else if (scheme != "basic") {
      reader.skip_token68();
      continue;
    }
    if (challenge.scheme == RegistryChallenge::Scheme::bearer && challenge.realm.empty())
      return bad_challenge("a bearer's token comes from nowhere: it has no realm");
    all.push_back(std::move(challenge));
  }
  if (all.empty()) return bad_challenge("it knows neither Bearer nor Basic");
  return all;
}

Result<RegistryChallenge> choose_challenge(const std::vector<std::string>& headers) {
  std::optional<RegistryChallenge> basic;
  Error why = bad_challenge("it says no WWW-Authenticate");
  for (const std::string& header : headers) {
    auto challenges = parse_challenges(header);
    if (!challenges.ok()) {
      why = challenges.error();
      continue;
    }
    for (RegistryChallenge& one : challenges.value()) {
      if (one.scheme == RegistryChallenge::Scheme::bearer) return std::move(one);
      basic = std::move(one);
    }
  }
  if (basic) return *std::move(basic);
  return why;
}

Result<RegistryToken> parse_token_answer(std::string_view json) {
  const auto bad_token = [](const std::string& what) {
    return Error{ErrorCode::invalid_argument, "the registry's token service answered " + what};
  };
  if (json.size() > token_answer_bytes_max) return bad_token("too much");
  const auto parsed = json::parse(json);
  if (!parsed.ok() || !parsed.value().object()) return bad_token("with no JSON object");
  RegistryToken token;
  for (const char* name : {"access_token", "token"})
    if (const json::Value* value = parsed.value().find(name);
        value && value->text() && !value->text()->empty())
      token.text = *value->text();
  if (!is_fit_for_a_header(token.text)) return bad_token("without a sound token");
  std::int64_t seconds = token_seconds_fallback;
  if (const json::Value* value = parsed.value().find("expires_in"); value && value->integer())
    seconds = std::clamp<std::int64_t>(*value->integer(), 0, token_seconds_max);
  token.lives = std::chrono::seconds(seconds);
  return token;
}

std::string basic_authorization(std::string_view user_and_password) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = "Basic ";
  for (std::size_t at = 0; at < user_and_password.size(); at += 3) {
    const std::string_view three = user_and_password.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < three.size() ? static_cast<unsigned char>(three[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out.push_back(i <= three.size() ? digits[(bits >> (18 - 6 * i)) & 63] : '=');
  }
  return out;
}

Result<std::string> parse_credentials(std::string_view text) {
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (text.size() > credentials_bytes_max)
    return Error{ErrorCode::invalid_argument,
                 "it is larger than " + std::to_string(credentials_bytes_max) + " bytes"};
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0)
    return Error{ErrorCode::invalid_argument, "its first line is not USER:PASSWORD"};
  return std::string(line);
}

}  // namespace troupe::agent
