#include "actors/agent/images/registry_protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe::agent {
namespace {

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || parsed.ec != std::errc() ||
      parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<Instant> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(25) != " GMT" || text[19] != ':' || text[22] != ':')
    return std::nullopt;
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  const auto day = number_in(text.substr(5, 2)), year = number_in(text.substr(12, 4));
  const auto hour = number_in(text.substr(17, 2)), minute = number_in(text.substr(20, 2)),
             second = number_in(text.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return Instant{(((days * 24 + *hour) * 60 + *minute) * 60 + *second) * 1'000};
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_pull_scope(std::string_view scope) {
  return scope.starts_with("repository:") && scope.ends_with(":pull") &&
         scope.find(' ') == std::string_view::npos;
}

}  // namespace

milliseconds parse_retry_after(std::string_view text, Instant now) {
  milliseconds wait{};
  if (const auto seconds = number_in(text))
    wait = std::chrono::seconds(std::min<std::int64_t>(*seconds, 1'000'000));
  else if (const auto date = parse_http_date(text))
    wait = *date - now;
  return std::clamp(wait, milliseconds(0), retry_after_max);
}

PullFailure failure_of_status(const RegistryAnswer& answer, const std::string& what, Instant now) {
  const std::string said = what + " answered " + std::to_string(answer.status);
  switch (answer.status) {
    case 401:
    case 403:
      return {Fault::image, {ErrorCode::invalid_argument, said + ": no permission"}};
    case 404:
    case 410:
      return {Fault::image, {ErrorCode::not_found, said + ": it has no such image"}};
    case 408:
    case 416:  // What we have of it is not what it has: begun again from nothing.
    case 425:
    case 429:
      break;
    default:
      if (answer.status >= 400 && answer.status < 500)
        return {Fault::image, {ErrorCode::invalid_argument, said}};
  }
  return {Fault::registry, {ErrorCode::unavailable, said}, parse_retry_after(answer.retry_after, now)};
}

std::optional<std::uint64_t> range_begin(std::string_view content_range) {
  if (!content_range.starts_with("bytes ")) return std::nullopt;
  const std::size_t dash = content_range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number_in(content_range.substr(6, dash - 6));
  if (!first) return std::nullopt;
  return static_cast<std::uint64_t>(*first);
}

RegistryExchange::RegistryExchange(const RegistriesConfig& config, const RegistryEndpoint& endpoint,
                                   const RegistryWish& wish, std::string credentials, std::string remembered)
    : config_(config),
      what_("the registry " + endpoint.host),
      pull_scope_("repository:" + wish.repository + ":pull"),
      credentials_(std::move(credentials)),
      credentials_file_(endpoint.credentials_file),
      home_{endpoint.transport, endpoint.host, "/v2/" + wish.repository + "/" + wish.path},
      authorization_(std::move(remembered)) {
  go_home();
}

void RegistryExchange::go_home() { request_ = {Request::Kind::wish, home_, authorization_}; }

PullFailure RegistryExchange::refused(const std::string& why) const {
  return {Fault::image, {ErrorCode::invalid_argument, what_ + " " + why}};
}

RegistryExchange::Step RegistryExchange::take(const RegistryAnswer& answer, Instant now) {
  if (request_.kind == Request::Kind::token) return take_token(answer, now);
  if (answer.status == 200 || answer.status == 206) return Ready{};
  if (is_redirect(answer.status)) return redirect(answer);
  if (answer.status == 401 && is_at_home()) return authorize(answer);
  PullFailure failure =
      failure_of_status(answer, is_at_home() ? what_ : "the server that " + what_ + " names", now);
  // A link to a blob's store is signed for some time only: the registry has a fresh one.
  const bool may_have_expired = answer.status == 400 || answer.status == 401 || answer.status == 403;
  if (!is_at_home() && may_have_expired)
    failure = {Fault::registry, {ErrorCode::unavailable, failure.error.message}};
  return failure;
}

RegistryExchange::Step RegistryExchange::redirect(const RegistryAnswer& answer) {
  if (++redirects_ > redirects_max)
    return PullFailure{Fault::registry, {ErrorCode::unavailable, what_ + " redirects in circles"}};
  auto next = follow_url(request_.url, answer.location, config_);
  if (!next.ok()) return refused("cannot be followed: " + next.error().message);
  request_.authorization = next.value().is_of_origin(home_) ? authorization_ : std::string();
  request_.url = std::move(next).value();
  return Again{};
}

RegistryExchange::Step RegistryExchange::authorize(const RegistryAnswer& answer) {
  const std::string whose = credentials_file_.empty() ? "and this host has no credentials for it"
                                                      : "and refuses those of " + credentials_file_;
  if (++authorizations_ > authorizations_max) return refused("asks for credentials, " + whose);
  auto challenge = choose_challenge(answer.challenges);
  if (!challenge.ok()) return refused(": " + challenge.error().message);
  redirects_ = 0;
  if (challenge.value().scheme == RegistryChallenge::Scheme::basic) {
    const std::string fresh = credentials_.empty() ? std::string() : basic_authorization(credentials_);
    if (fresh.empty() || fresh == request_.authorization) return refused("asks for credentials, " + whose);
    authorization_ = fresh;
    lives_ = {};
    go_home();
    return Again{};
  }
  auto realm = follow_url(home_, challenge.value().realm, config_);
  if (!realm.ok()) return refused("names a token service: " + realm.error().message);
  const std::string& scope = is_pull_scope(challenge.value().scope) ? challenge.value().scope : pull_scope_;
  std::string& target = realm.value().target;
  target += target.find('?') == std::string::npos ? '?' : '&';
  if (!challenge.value().service.empty())
    target += "service=" + percent_encoded(challenge.value().service) + '&';
  target += "scope=" + percent_encoded(scope);
  request_ = {Request::Kind::token, std::move(realm).value(),
              credentials_.empty() ? std::string() : basic_authorization(credentials_)};
  return Again{};
}

RegistryExchange::Step RegistryExchange::take_token(const RegistryAnswer& answer, Instant now) {
  const std::string service = "the token service of " + what_;
  if (answer.status != 200) {
    PullFailure failure = failure_of_status(answer, service, now);
    // It is no image's fault that there is no such page, but trying again helps as little.
    if (failure.fault == Fault::image)
      failure.error = {
          ErrorCode::invalid_argument,
          failure.error.message + (credentials_file_.empty() ? "; this host has no credentials for it"
                                                             : "; see " + credentials_file_)};
    return failure;
  }
  auto token = parse_token_answer(answer.body);
  if (!token.ok()) return PullFailure{Fault::registry, {ErrorCode::unavailable, token.error().message}};
  authorization_ = "Bearer " + token.value().text;
  lives_ = token.value().lives;
  go_home();
  return Again{};
}

}  // namespace troupe::agent
