#pragma once
// How fast callers may call: token buckets, by the cell's rules. Pure; belongs to the gateway actor. Each
// node counts for itself.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/error.hpp"
#include "storage/base/time.hpp"
#include "storage/model/records.hpp"

namespace troupe::gateway {

class Admission {
 public:
  /// Buckets of one rule. Beyond, those that are full again are forgotten; should none be, the newcomers
  /// share one.
  static constexpr std::size_t callers_max = 10'000;

  /// Rules that stay as they are keep their buckets.
  void set(const std::vector<RateRule>& rules);
  bool has_rules() const { return !rules_.empty(); }
  /// Takes a token of the first rule that fits. `endpoint` is "POST /api/v3/jobs". Error: limit_exceeded,
  /// with the time until there is one again.
  std::optional<Error> take(Moment now, std::string_view caller, std::string_view endpoint);

  struct Headroom {
    RateRule rule;
    std::uint32_t left = 0;       ///< calls at once
    milliseconds retry_after{0};  ///< until the next; 0: now
  };
  /// Of each rule that could bind this caller.
  std::vector<Headroom> headroom(Moment now, const std::string& caller) const;

 private:
  struct Bucket {
    double tokens = 0;
    Moment as_of;
  };
  struct Rule {
    RateRule rule;
    std::map<std::string, Bucket, std::less<>> buckets;
  };
  static double filled(const RateRule& rule, const Bucket& bucket, Moment now);
  static milliseconds until_next(const RateRule& rule, double tokens);
  static Bucket& bucket_of(Rule& rule, std::string_view caller, Moment now);
  std::vector<Rule> rules_;
};

}  // namespace troupe::gateway
