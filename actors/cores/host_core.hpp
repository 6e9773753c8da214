#pragma once
// A host's decisions: its session, its orders, its reports, its strangers, and when it is lost.

#include <memory>

#include "actors/cores/host_events.hpp"
#include "storage/base/random.hpp"

namespace troupe::cores {

/// Counted and shown; never a reason to act.
struct HostStatus {
  enum class Link : std::uint8_t { down, opening, welcomed, reported };
  Link link = Link::down;
  std::size_t tasks = 0;      ///< live here by the state
  std::size_t strangers = 0;  ///< reported, but not live here by the state
  std::uint64_t launches = 0, kills = 0, repeated_orders = 0, reports = 0, acknowledged = 0;
  std::uint64_t unknown_found = 0, unknown_killed = 0, declared_lost = 0, dropped_reports = 0;
};

//   down ──AgentUp──> opening ──session in the log──> welcomed ──full report──> reported
//    ^───────────────────┴──────────AgentDown, or the record shows another session─────┘
//
/// Owner: the host's actor on the owner of its shard; the agent's link ends there. Pure; nothing survives a
/// crash: a fresh core asks the state (Activated) and the agent (a new session and its full report).
///
/// Promises, whatever is lost, repeated or refused: each Launched task is ordered until the agent speaks of
/// it, each KillInitiated one until it has ended; an end is acknowledged only when the state has it; what the
/// agent runs and the state does not know is killed after a grace and at a bounded rate; what the state knows
/// and the agent does not is declared lost. Orders go only within a session that the log has.
class HostCore {
 public:
  static constexpr std::size_t batch_max = 256;  ///< tasks per proposal, order or lookup
  static constexpr std::size_t strangers_max =
      4'096;  ///< followed; reports of more are dropped, counted and repeated
  static constexpr std::size_t kills_per_minute = 60;  ///< of strangers
  static constexpr milliseconds repeat_first{5'000};   ///< an order that the agent has not confirmed; doubles
  static constexpr milliseconds repeat_max{60'000};
  static constexpr milliseconds stranger_grace{10'000};
  static constexpr milliseconds link_grace{
      5'000};  ///< after activation, for the agent of a session in the record
  static constexpr milliseconds full_report_max{15'000};  ///< after the welcome; then the link is closed

  /// `self`: this node. `cell`: its name, for the welcome. `random` mints sessions.
  HostCore(NodeId self, std::string cell, Random random);
  ~HostCore();
  HostCore(HostCore&&) noexcept;
  HostCore& operator=(HostCore&&) noexcept;
  /// `index`: the applied index that the event's facts come from; orders carry the highest one seen.
  HostEffects on(Instant now, Index index, const HostEvent& event);
  HostStatus status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::cores
