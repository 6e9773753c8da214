#include "actors/agent/link_plan.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/check.hpp"

namespace troupe::agent {

LinkPlan::LinkPlan(std::vector<std::string> bootstrap, LinkTimes times)
    : bootstrap_(std::move(bootstrap)), times_(times) {
  TROUPE_CHECK(!bootstrap_.empty());
}

LinkPlan::Attempt LinkPlan::dial_next(Moment now) {
  redirects_ = 0;
  const auto next = [this] { return bootstrap_[next_bootstrap_++ % bootstrap_.size()]; };
  std::string address = next();
  if (address == failed_ && !std::exchange(passed_over_, true)) address = next();
  return dial_to(now, address);
}

LinkPlan::Attempt LinkPlan::dial_to(Moment now, const std::string& address) {
  phase_ = Phase::dialling;
  address_ = address;
  deadline_ = now + times_.dial_max;
  return {++dial_, address_};
}

void LinkPlan::up(Moment now) {
  phase_ = Phase::greeting;
  deadline_ = now + times_.greet_max;
}

void LinkPlan::down(Moment now, Random& random) {
  failed_ = address_;
  passed_over_ = false;
  doubts_ = 0;
  if (phase_ == Phase::dialling && redirects_ > 0) {
    failures_ = 0;
    return wait(now, std::min(times_.back_off_max, times_.redirect_wait), random);
  }
  const std::uint32_t doublings = std::min<std::uint32_t>(failures_, 16);
  ++failures_;
  wait(now, std::min(times_.back_off_max, times_.back_off_min * (1L << doublings)), random);
}

std::optional<LinkPlan::Attempt> LinkPlan::redirected(Moment now, const std::string& address,
                                                      Random& random) {
  if (address == failed_ && doubts_ < doubts_max) {
    wait(now, std::min(times_.redirect_wait, times_.doubt_wait * (1L << doubts_++)), random);
    return std::nullopt;
  }
  if (++redirects_ <= redirects_max) return dial_to(now, address);
  down(now, random);
  return std::nullopt;
}

void LinkPlan::welcomed() {
  phase_ = Phase::welcomed;
  failed_.clear();
  deadline_.reset();
  failures_ = 0;
  redirects_ = 0;
}

void LinkPlan::refused(Moment now, Random& random) {
  ++failures_;
  wait(now, times_.back_off_max, random);
}

void LinkPlan::wait(Moment now, milliseconds longest, Random& random) {
  // Half fixed, half random: a thousand agents of a dead node do not come back in one millisecond.
  const auto longest_ns = std::chrono::nanoseconds(longest).count();
  phase_ = Phase::waiting;
  deadline_ = now + std::chrono::nanoseconds(random.between(longest_ns / 2, longest_ns));
}

}  // namespace troupe::agent
