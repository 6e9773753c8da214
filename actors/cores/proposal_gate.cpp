#include "actors/cores/proposal_gate.hpp"

#include <algorithm>

namespace troupe::cores {

Propose ProposalGate::propose(CommandBody body, std::size_t items) {
  TROUPE_CHECK(!is_waiting());
  outstanding_ = ++count_;
  items_ = items;
  return {count_, std::move(body)};
}

bool ProposalGate::settle(Instant now, const Settled& settled) {
  if (outstanding_ != settled.number) return false;
  outstanding_.reset();
  if (settled.how == Settled::How::taken && settled.refused.size() < items_) {
    pause_ = milliseconds(0);
    open_at_ = Instant{};
  } else {
    pause_ = std::clamp(2 * pause_, pause_first, pause_max);
    open_at_ = now + pause_;
  }
  return true;
}

}  // namespace troupe::cores
