#pragma once
// The core's inside, for exploration: when are two cores the same, and what no longer matters of time.

#include <string>

#include "storage/raft/core.hpp"
#include "tests/storage/raft/node.hpp"

namespace troupe::raft {

/// Befriended by Core. Two cores with equal fingerprints and equal logs behave alike under everything the
/// explorer does.
struct CoreAccess {
  /// Appends what tells the core's state from others. Counters appear as distances, so that runs can meet
  /// again.
  static void fingerprint(const Core& core, std::string& out);
  /// Time is taken out: every lease has run out and every timer is about to fire, so that elections may
  /// happen at any moment. Whatever a lease forbids is the same as a lost message, so no behaviour is lost by
  /// this.
  static void forget_time(Core& core);
  /// A real election at once. The pre-vote only ever prevents one.
  static void elect(Core& core);
  static bool may_campaign(const Core& core) { return core.may_campaign(); }
  /// A leader that hears from no quorum.
  static void quorum_lost(Core& core);
  /// The next tick sends heartbeats, and finds out about appends that were lost.
  static void heartbeat(Core& core);
  /// Whatever is on its way from this leader is lost, and it probes again after the next heartbeat's answer.
  static void lose_sent(Core& core);
};

}  // namespace troupe::raft
