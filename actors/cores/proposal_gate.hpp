#pragma once

#include <cstdint>
#include <optional>

#include "actors/cores/proposal.hpp"

namespace troupe::cores {

/// "One proposal outstanding", and a pause after one that changed nothing, so that a core whose view and the
/// log disagree (a stale view, a lost fence) does not spin. Volatile: a fresh gate is open.
class ProposalGate {
 public:
  static constexpr milliseconds pause_first{100};
  static constexpr milliseconds pause_max{5'000};

  bool is_waiting() const { return outstanding_.has_value(); }
  /// Not before then, if set and later than now.
  Instant open_at() const { return open_at_; }
  bool is_open(Instant now) const { return !is_waiting() && open_at_ <= now; }
  /// Takes the gate. `items`: how many the body has.
  Propose propose(CommandBody body, std::size_t items);
  /// False: not of the outstanding proposal; ignore it.
  bool settle(Instant now, const Settled& settled);

 private:
  std::uint64_t count_ = 0;
  std::optional<std::uint64_t> outstanding_;
  std::size_t items_ = 0;
  milliseconds pause_{0};  ///< the last one; 0 after a success
  Instant open_at_;
};

}  // namespace troupe::cores
