#pragma once
// What the leader knows about one other node, and how much it may send it.

#include <deque>

#include "storage/raft/ready.hpp"

namespace troupe::raft {

/// One node as its leader sees it. Starts as a probe: one append at a time until the logs are known to agree.
struct Peer {
  struct Inflight {
    Index last;
    std::size_t bytes = 0;
  };

  bool learner = false;
  PeerState state = PeerState::probe;
  Index match;          ///< known to be equal and durable there; never goes back within a term
  Index next;           ///< the next entry to send
  bool paused = false;  ///< a probe is out; lost ones are released by the answer to a heartbeat
  bool active = false;  ///< heard since the last check of the quorum
  bool heartbeat_due = false;
  bool stalled = false;  ///< nothing was accepted since the last heartbeat
  bool verify = false;   ///< an empty append shall tell whether those on the way were lost
  std::uint32_t silent_ticks = 0;
  std::uint64_t read_acked = 0;  ///< newest read round it confirmed
  Index commit_told;             ///< commit it learns from what was sent
  std::deque<Inflight> inflight;
  std::size_t inflight_bytes = 0;

  /// May entries go to it now?
  bool open(const Config& config) const;
  void probe_from(Index index);
  void start_replicating();
  /// What was under way is lost. Where the logs agree is not forgotten, nor what a probe has found so far.
  void link_lost();
  void sent(Index last, std::size_t bytes);
  /// True when the peer's match grew.
  bool accepted(Index index);
};

}  // namespace troupe::raft
