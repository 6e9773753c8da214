#include "actors/agent/images/registry_backoff.hpp"

#include <algorithm>

namespace troupe::agent {
namespace {

constexpr unsigned doublings_max = 20;

milliseconds doubled(milliseconds first, unsigned times, milliseconds max) {
  return std::min(max, first * (std::int64_t{1} << std::min(times, doublings_max)));
}

/// Between half of it and all of it.
milliseconds jittered(milliseconds wait, Random& random) {
  return milliseconds(random.between(wait.count() / 2, wait.count()));
}

milliseconds passed_between(Moment from, Moment to) {
  return std::chrono::duration_cast<milliseconds>(to - from);
}

}  // namespace

milliseconds PullBudget::left(Moment now) const {
  return std::max(milliseconds(0), std::min(limits_.idle_max - passed_between(moved_, now),
                                            limits_.pull_max - passed_between(begun_, now)));
}

std::optional<milliseconds> PullBudget::wait_for(Moment now, milliseconds at_least, Random& random) {
  const milliseconds wait =
      std::max(at_least, jittered(doubled(limits_.wait_first, failures_, limits_.wait_max), random));
  ++failures_;
  return wait < left(now) ? std::optional(wait) : std::nullopt;
}

std::optional<milliseconds> CircuitBreaker::admit(Moment now) {
  if (state_ == State::closed) return std::nullopt;
  if (state_ == State::open && now < until_) return std::max(milliseconds(1), passed_between(now, until_));
  state_ = State::half_open;
  if (is_probing_) return breaker_probe_wait;
  is_probing_ = true;
  return std::nullopt;
}

void CircuitBreaker::succeeded() {
  state_ = State::closed;
  failures_ = openings_ = 0;
  is_probing_ = false;
}

void CircuitBreaker::failed(Moment now, Random& random) {
  is_probing_ = false;
  ++failures_;
  // While it is open, failures are of attempts that were let through before: they prove nothing new.
  if (state_ == State::half_open || (state_ == State::closed && failures_ >= limits_.failures_max))
    open(now, random);
}

void CircuitBreaker::open(Moment now, Random& random) {
  state_ = State::open;
  until_ = now + jittered(doubled(limits_.open_first, openings_++, limits_.open_max), random);
}

std::string_view state_text(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::closed:
      return "closed";
    case CircuitBreaker::State::open:
      return "open";
    case CircuitBreaker::State::half_open:
      return "half_open";
  }
  return "unknown";
}

}  // namespace troupe::agent
