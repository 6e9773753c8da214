#pragma once
// The replacement of a cell's nodes by another build, one after the other: what to do next, from what the
// cell says of itself. Pure. What was done already is seen in the builds that the nodes report, so that an
// upgrade that ended half-way goes on wherever it is started again.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/time.hpp"

namespace troupe::cli {

/// A node, as the cell and the node itself tell.
struct UpgradeNode {
  std::uint32_t number = 0;
  std::string role;                     ///< LEADER, VOTER, LEARNER; others are no members and left alone
  std::string trouble;                  ///< not empty: it does not answer or does not serve, and why
  std::string build;                    ///< empty: of a build that does not tell, or it does not answer
  std::uint64_t lag = 0;                ///< entries that it lacks
  std::optional<std::uint64_t> shards;  ///< that it owns; nothing: it does not tell
  bool is_voter() const { return role == "LEADER" || role == "VOTER"; }
  bool is_member() const { return is_voter() || role == "LEARNER"; }
};

/// Without nodes: nobody answered.
struct UpgradeView {
  std::uint32_t leader = 0;  ///< 0: none known
  std::vector<UpgradeNode> nodes;
  std::uint32_t spared = 0;  ///< the node that hands over; 0: none
  std::string spared_by;     ///< who asked for that
  std::string spared_run;    ///< for which run of an upgrade; empty: for none
  std::uint64_t hosts_connected = 0;
};

struct UpgradePlan {
  std::string build;  ///< that every node shall have
  std::string run;    ///< this one, apart from all others
  milliseconds hand_over_max{60'000};
  milliseconds return_max{300'000};  ///< until a node is back and has caught up
  milliseconds settle_max{60'000};   ///< until all are healthy, between two nodes
  bool takes_over = false;           ///< what another run left spared is taken back first
};

//   begin ─┬─> hand over ──> replace (the hook) ──> return ──> take back ──> begin
//          ├─> transfer (the leader is the last of the old build) ──────────> begin
//          ├─> take back (what a run before left) ──────────────────────────> begin
//          └─> done                                    from each: stop
struct UpgradeStep {
  enum class Kind : std::uint8_t {
    wait,       ///< look again soon
    hand_over,  ///< let `node` own no shards
    replace,    ///< run the hook for `node`, then answer with hook_ended()
    take_back,  ///< let `node` own shards again; `why`, if it was not this run's
    transfer,   ///< let `node` lead
    done,       ///< all have the build
    stop,  ///< something is not as it must be: `why`; `node`, if not 0, is spared and should be taken back
  };
  Kind kind = Kind::wait;
  std::uint32_t node = 0;
  std::string why{};
};

/// Sixteen hexadecimal digits.
bool is_build(std::string_view text);
/// Does `node` hand over for this very run?
bool is_spared_for(const UpgradeView& view, const UpgradePlan& plan, std::uint32_t node);

constexpr std::uint64_t upgrade_lag_max = 1'000;  ///< entries; who lacks more has not caught up

/// What keeps an upgrade from beginning or going on to another node; empty: nothing.
std::vector<std::string> upgrade_complaints(const UpgradeView& view, const UpgradePlan& plan);
/// The nodes that have another build, in the order of their replacement: learners, followers, the leader.
std::vector<std::uint32_t> upgrade_order(const UpgradeView& view, const std::string& build);

/// Owner: the command. Each look at the cell gives one step.
class UpgradeCore {
 public:
  explicit UpgradeCore(UpgradePlan plan) : plan_(std::move(plan)) {}
  UpgradeStep next(const UpgradeView& view, Moment now);
  /// The leader's build cannot hand over the node of the last step: it is replaced as it is.
  void hand_over_unknown() { knows_hand_over_ = false; }
  /// How the hook for the node of the last step ended; not empty: badly.
  void hook_ended(const std::string& trouble, Moment now);
  std::uint32_t replaced() const { return replaced_; }  ///< nodes, by this run

 private:
  enum class Phase : std::uint8_t { begin, handing_over, replacing, returning, transferring };
  UpgradeStep begin(const UpgradeView& view, Moment now);
  UpgradeStep choose(const UpgradeView& view, Moment now);
  UpgradeStep take_back(const UpgradeView& view, Moment now);
  std::string hook_complaint(const UpgradeView& view, const UpgradeNode& node) const;
  UpgradeStep hand_over(const UpgradeView& view, Moment now);
  UpgradeStep await_return(const UpgradeView& view, Moment now);
  UpgradeStep await_leader(const UpgradeView& view, Moment now);
  UpgradeStep stop(std::string why);
  void enter(Phase phase, Moment deadline);

  UpgradePlan plan_;
  Phase phase_ = Phase::begin;
  std::uint32_t node_ = 0;  ///< that is handed over, replaced or waited for; of a transfer, who led
  std::string old_build_;   ///< of that node
  std::string hook_trouble_;
  bool knows_hand_over_ = true;  ///< the leader's build, for node_
  std::optional<Moment> deadline_;
  std::optional<Moment> release_until_;  ///< while what was spared at the beginning is taken back
  std::optional<Moment> silent_until_;   ///< while nobody answers
  std::optional<std::uint64_t> hosts_;   ///< that were connected at the beginning
  std::uint32_t replaced_ = 0;
};

}  // namespace troupe::cli
