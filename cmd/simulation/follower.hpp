#pragma once
// Somebody who follows the cell's events over HTTP, and goes on at another node when the stream breaks.

#include <memory>
#include <optional>
#include <string>

#include "cmd/embedded/sim_cluster.hpp"
#include "cmd/judges/ledger.hpp"
#include "storage/base/random.hpp"

namespace troupe::simulation {

using judges::Ledger;

/// Judges what it is sent: after a snapshot's end, or after the event that it resumed from, each event of the
/// ledger once and in order. One thread.
class Follower {
 public:
  Follower(embedded::SimCluster& cluster, const Ledger& ledger, std::uint64_t seed, Ledger::Complain complain)
      : cluster_(cluster), ledger_(ledger), random_(seed), complain_(std::move(complain)) {}
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// Reads what has come, and connects again where the stream has ended. To be called often.
  void poll();
  /// Whether it has heard of everything that the ledger knows.
  bool has_everything() const;
  std::uint64_t heard() const { return heard_; }  ///< events

 private:
  void connect();
  void read();
  void take(std::string_view frame);
  void take_event(EventId id);

  embedded::SimCluster& cluster_;
  const Ledger& ledger_;
  Random random_;
  Ledger::Complain complain_;
  std::shared_ptr<embedded::SimAnswer> stream_;
  std::size_t read_ = 0;  ///< of the stream's body
  Instant opened_;
  std::optional<EventId> position_;  ///< everything up to here was heard
  std::size_t hint_ = 0;             ///< where the ledger has the next one
  bool in_snapshot_ = false;
  bool is_first_ = true;  ///< nothing of this stream was read yet
  std::uint64_t heard_ = 0;
};

}  // namespace troupe::simulation
