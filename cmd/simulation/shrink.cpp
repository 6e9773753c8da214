#include "cmd/simulation/shrink.hpp"

#include <algorithm>

namespace troupe::simulation {
namespace {

class Shrinker {
 public:
  Shrinker(const Plan& plan, std::uint32_t lives_max, const std::function<Verdict(const Plan&)>& live,
           const std::function<void(const Shrunk&)>& told)
      : lives_max_(lives_max), live_(live), told_(told) {
    best_.plan = plan;
    best_.lives = 1;
    best_.verdict = live_(plan);
  }

  Shrunk run() {
    if (best_.verdict.how == Verdict::How::ok) return best_;
    std::size_t piece = std::max<std::size_t>(best_.plan.steps.size() / 2, 1);
    while (best_.lives < lives_max_) {
      const bool shorter = pass(piece);
      if (piece == 1 && !shorter) break;
      if (!shorter) piece = std::max<std::size_t>(piece / 2, 1);
    }
    make_plain();
    return best_;
  }

 private:
  bool fails(Plan&& plan) {
    if (best_.lives >= lives_max_) return false;
    ++best_.lives;
    Verdict verdict = live_(plan);
    if (verdict.how != best_.verdict.how) return false;
    best_.plan = std::move(plan);
    best_.verdict = std::move(verdict);
    if (told_) told_(best_);
    return true;
  }

  /// Leaves out each piece of that size once, from the end, where nothing may matter any more.
  bool pass(std::size_t piece) {
    bool shorter = false;
    for (std::size_t end = best_.plan.steps.size(); end > 0;) {
      const std::size_t from = end > piece ? end - piece : 0;
      std::vector<std::size_t> rest;
      for (std::size_t n = 0; n < best_.plan.steps.size(); ++n)
        if (n < from || n >= end) rest.push_back(n + 1);
      shorter |= fails(only(best_.plan, rest));
      end = from;
    }
    return shorter;
  }

  template <class Value>
  void plain(Value Tunables::*member) {
    const Tunables usual;
    if (best_.plan.tunables.*member == usual.*member) return;
    Plan plan = best_.plan;
    plan.tunables.*member = usual.*member;
    fails(std::move(plan));
  }
  void make_plain() {
    plain(&Tunables::resets);
    plain(&Tunables::drops);
    plain(&Tunables::log_keep_entries);
    plain(&Tunables::state_flush_ms);
    plain(&Tunables::actor_crashes);
    plain(&Tunables::sync_max_us);
    plain(&Tunables::host_cpu_milli);
    plain(&Tunables::jobs_max);
  }

  const std::uint32_t lives_max_;
  const std::function<Verdict(const Plan&)>& live_;
  const std::function<void(const Shrunk&)>& told_;
  Shrunk best_;
};

}  // namespace

Shrunk shrink(const Plan& plan, std::uint32_t lives_max, const std::function<Verdict(const Plan&)>& live,
              const std::function<void(const Shrunk&)>& told) {
  return Shrinker(plan, lives_max, live, told).run();
}

}  // namespace troupe::simulation
