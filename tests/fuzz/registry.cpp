// What a registry answers: challenges, tokens, redirects, waits, ranges; and the names that lead to one.

#include "actors/agent/images/registry_protocol.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

namespace {

constexpr std::size_t steps_max = 40;

bool is_fit_for_a_request(std::string_view text) {
  for (const char c : text)
    if (c <= ' ' || c >= '\x7f') return false;
  return true;
}

void check_names(BytesView text) {
  const auto reference = agent::parse_reference(text);
  if (!reference.ok()) return;
  fuzz::must(!reference.value().repository.empty());
  fuzz::must(is_fit_for_a_request(reference.value().registry + reference.value().repository));
  fuzz::must(("/" + reference.value().repository + "/").find("/../") == std::string::npos);
}

void check_parts(BytesView text) {
  if (const auto url = agent::parse_url(text); url.ok()) {
    fuzz::must(is_fit_for_a_request(url.value().text()));
    fuzz::must(agent::parse_url(url.value().text()).value() == url.value());
  }
  if (const auto token = agent::parse_token_answer(text); token.ok())
    fuzz::must(is_fit_for_a_request(token.value().text));
  const auto wait = agent::parse_retry_after(text, Instant{784'111'777'000});
  fuzz::must(wait.count() >= 0 && wait <= agent::retry_after_max);
  (void)agent::range_begin(text);
  (void)agent::parse_credentials(text);
}

/// The line's first letter: ok, unauthorized, redirect, or some other status.
int status_of(std::string_view line) {
  if (line.empty()) return 0;
  switch (line.front()) {
    case 'o':
      return 200;
    case 'u':
      return 401;
    case 'r':
      return 307;
    default:
      return 100 + static_cast<unsigned char>(line.front()) * 2;
  }
}

/// A server that answers with the input's lines, one after the other.
void check_exchange(BytesView text) {
  const agent::RegistriesConfig config;
  const agent::RegistryEndpoint endpoint{"r.io", agent::Transport::tls, "", "/password"};
  agent::RegistryExchange exchange(config, endpoint, {"a/b", "manifests/v1"}, "me:secret", {});
  for (std::size_t step = 0; !text.empty(); ++step) {
    fuzz::must(step < steps_max);
    const std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    agent::RegistryAnswer answer;
    answer.status = status_of(line);
    const std::string rest = line.empty() ? line : line.substr(1);
    answer.challenges = {rest};
    answer.location = answer.retry_after = answer.body = rest;
    if (!std::holds_alternative<agent::RegistryExchange::Again>(exchange.take(answer, {}))) return;
    const auto& request = exchange.request();
    fuzz::must(request.url.transport == agent::Transport::tls);
    fuzz::must(is_fit_for_a_request(request.url.text()));
    const bool is_token = request.kind == agent::RegistryExchange::Request::Kind::token;
    fuzz::must(is_token || request.url.host == "r.io" || request.authorization.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes = fuzz::view(data, size);
  check_names(bytes);
  check_parts(bytes);
  check_exchange(bytes);
  return 0;
}
