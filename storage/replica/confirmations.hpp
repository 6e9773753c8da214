#pragma once
// Who has confirmed this node, and as of when: what its lease rests on.

#include <cstdint>
#include <map>
#include <optional>

#include "storage/base/id.hpp"
#include "storage/base/random.hpp"
#include "storage/base/time.hpp"

namespace troupe {

/// Every message between replicas carries its sender's steady time, as a number that means something to the
/// sender alone, and the newest such number that came from its receiver. So a node knows of each other one a
/// moment after which that one has surely heard it. What lay in a mailbox or a socket while this process was
/// stopped carries an old number, and confirms nothing anew. Part of the driver; a value.
class Confirmations {
 public:
  static constexpr std::chrono::nanoseconds age_max = std::chrono::hours(1);  ///< beyond: another life's

  /// `seed` differs between lives, so that numbers of an earlier one mean nothing.
  explicit Confirmations(std::uint64_t seed) : epoch_(Random(seed).next()) {}

  std::uint64_t sent_at(Moment now) const { return epoch_ + static_cast<std::uint64_t>(now.ns); }
  /// A message that carries these two numbers came from the peer. The time since that one of this node's
  /// which it had heard before: the message is not older than that. nullopt: it had heard none.
  std::optional<std::chrono::nanoseconds> heard(NodeId peer, std::uint64_t sent, std::uint64_t echo,
                                                Moment now);
  /// To be sent to the peer; 0: nothing heard.
  std::uint64_t echo_to(NodeId peer) const;
  /// The peer heard this node at this moment or later.
  std::optional<Moment> confirmed(NodeId peer) const;

 private:
  struct Peer {
    std::uint64_t newest = 0;
    std::optional<Moment> confirmed;
  };
  std::uint64_t epoch_;
  std::map<NodeId, Peer> peers_;
};

}  // namespace troupe
