#pragma once

#include "net/api/query.hpp"

namespace troupe::gateway {

/// A list's own condition, if it has one, and a bound on what evaluating it may cost. Made for one request.
class Where {
 public:
  /// Comparisons of one request: about twenty for each of a million tasks.
  static constexpr std::size_t work_max = 20'000'000;

  /// `query` outlives it.
  Where(const api::Query& query, Instant now)
      : condition_(query.where ? &*query.where : nullptr),
        cost_(condition_ ? condition_->cost() : 0),
        now_(now) {}

  template <class Subject>
  bool holds(const Subject& subject) {
    if (condition_ == nullptr) return true;
    work_ += cost_;
    return !is_spent() && condition_->holds(subject, now_);
  }
  bool names(std::string_view beginning) const {
    return condition_ != nullptr && condition_->names(beginning);
  }
  /// From here on nothing holds: the request is to be refused.
  bool is_spent() const { return work_ > work_max; }
  static Error too_costly() {
    return {
        ErrorCode::invalid_argument,
        "where: the condition is too long for so many entities; shorten it, or narrow the list otherwise"};
  }

 private:
  const api::Condition* condition_;
  std::size_t cost_;
  std::size_t work_ = 0;
  Instant now_;
};

}  // namespace troupe::gateway
