#pragma once
// A job's decisions: which slots start, wait or close, which tasks are surplus, when the job is over.

#include <variant>
#include <vector>

#include "actors/cores/proposal_gate.hpp"
#include "storage/base/random.hpp"
#include "storage/state/views.hpp"

namespace troupe::cores {

using JobEvent = std::variant<Look, Settled>;
using JobEffect = std::variant<Propose, WakeAt, Rest>;

/// Owner: the job's actor on the owner of its shard. Pure. Nothing of it survives a crash, and nothing need:
/// all follows from the view; kept are only the outstanding proposal and the pause after a refused one.
///
/// Each call answers with nothing (a proposal is outstanding), or with exactly one effect.
/// Rules: Titus' (resubmission, retry delay, active-not-started limit, scale-down).
class JobCore {
 public:
  static constexpr std::size_t items_max = 256;  ///< per proposal; the rest follows when it has settled
  static constexpr std::uint32_t not_started_max =
      300;  ///< live tasks before Started, per job; the rest waits its turn

  /// `random` mints task ids.
  explicit JobCore(Random random) : random_(random) {}
  std::vector<JobEffect> on(Instant now, const JobView& view, const JobEvent& event);

 private:
  std::vector<JobEffect> look(Instant now, const JobView& view);
  Random random_;
  ProposalGate gate_;
};

}  // namespace troupe::cores
