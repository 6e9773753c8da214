#include "actors/gateway/admission.hpp"

#include <algorithm>
#include <cmath>

#include "storage/base/pattern.hpp"

namespace troupe::gateway {
namespace {

constexpr double ns_per_minute = 60e9;
constexpr std::string_view everybody;  ///< whose bucket a shared rule has, and newcomers beyond the bound

}  // namespace

void Admission::set(const std::vector<RateRule>& rules) {
  std::vector<Rule> next;
  for (const RateRule& rule : rules) {
    const auto same =
        std::find_if(rules_.begin(), rules_.end(), [&](const Rule& r) { return r.rule == rule; });
    if (same == rules_.end())
      next.push_back({rule, {}});
    else
      next.push_back(std::move(*same));
  }
  rules_ = std::move(next);
}

double Admission::filled(const RateRule& rule, const Bucket& bucket, Moment now) {
  const auto waited = static_cast<double>((now - bucket.as_of).count());
  return std::min<double>(rule.burst, bucket.tokens + waited * rule.per_minute / ns_per_minute);
}

milliseconds Admission::until_next(const RateRule& rule, double tokens) {
  if (tokens >= 1) return milliseconds(0);
  return milliseconds(static_cast<std::int64_t>(std::ceil((1 - tokens) * 60'000.0 / rule.per_minute)));
}

Admission::Bucket& Admission::bucket_of(Rule& rule, std::string_view caller, Moment now) {
  if (rule.rule.is_shared) caller = everybody;
  if (const auto found = rule.buckets.find(caller); found != rule.buckets.end()) return found->second;
  if (rule.buckets.size() >= callers_max)
    std::erase_if(rule.buckets,
                  [&](const auto& one) { return filled(rule.rule, one.second, now) >= rule.rule.burst; });
  if (rule.buckets.size() >= callers_max) caller = everybody;
  const Bucket full{static_cast<double>(rule.rule.burst), now};
  return rule.buckets.try_emplace(std::string(caller), full).first->second;
}

std::optional<Error> Admission::take(Moment now, std::string_view caller, std::string_view endpoint) {
  for (Rule& rule : rules_) {
    if (!fits_pattern(rule.rule.caller, caller) || !fits_pattern(rule.rule.endpoint, endpoint)) continue;
    Bucket& bucket = bucket_of(rule, caller, now);
    bucket.tokens = filled(rule.rule, bucket, now);
    bucket.as_of = now;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return std::nullopt;
    }
    const milliseconds wait = until_next(rule.rule, bucket.tokens);
    Error error{ErrorCode::limit_exceeded,
                "the rate " + rule.rule.name + " lets " +
                    (rule.rule.is_shared ? std::string("all callers together") : std::string("each caller")) +
                    " call this " + std::to_string(rule.rule.per_minute) + " times a minute and " +
                    std::to_string(rule.rule.burst) + " times at once; try again in " +
                    std::to_string(wait.count()) + " ms"};
    error.limit = std::make_shared<const LimitHit>(
        LimitHit{"rate." + rule.rule.name, rule.rule.burst, rule.rule.burst, wait.count()});
    return error;
  }
  return std::nullopt;
}

std::vector<Admission::Headroom> Admission::headroom(Moment now, const std::string& caller) const {
  std::vector<Headroom> all;
  for (const Rule& rule : rules_) {
    if (!fits_pattern(rule.rule.caller, caller)) continue;
    const auto found = rule.buckets.find(rule.rule.is_shared ? everybody : std::string_view(caller));
    const double tokens =
        found == rule.buckets.end() ? rule.rule.burst : filled(rule.rule, found->second, now);
    all.push_back({rule.rule, static_cast<std::uint32_t>(tokens), until_next(rule.rule, tokens)});
  }
  return all;
}

}  // namespace troupe::gateway
