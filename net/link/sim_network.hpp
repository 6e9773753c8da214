#pragma once
// The network of a simulation: the same LinkHub seam, one thread, virtual time, seeded faults. No sockets.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "net/link/link.hpp"
#include "storage/base/time.hpp"

namespace troupe::net {

/// Probabilities are per message, out of a million.
struct SimNetworkConfig {
  std::uint64_t seed = 1;
  std::chrono::nanoseconds delay_min{std::chrono::microseconds(50)};  ///< one way
  std::chrono::nanoseconds delay_max{std::chrono::microseconds(500)};
  milliseconds silence_timeout{800};  ///< heartbeats are implied: a cut without a reset is noticed after this
  milliseconds connect_timeout{2000};
  milliseconds backoff_min{10};
  milliseconds backoff_max{2000};
  std::size_t send_queue_bytes_max = std::size_t{16} << 20;  ///< sent and not yet delivered
  std::size_t message_bytes_max = std::size_t{4} << 20;
  std::uint32_t resets = 0;      ///< the message is lost and its link breaks, as on TCP
  std::uint32_t drops = 0;       ///< harsh: lost, and nobody notices
  std::uint32_t duplicates = 0;  ///< harsh: delivered twice, the second time at any later point
  std::uint32_t reorders = 0;    ///< harsh: may overtake and be overtaken
};

struct SimNetworkCounters {
  std::uint64_t delivered = 0;
  std::uint64_t resets = 0;
  std::uint64_t drops = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t reorders = 0;
  std::uint64_t link_ups = 0;
  std::uint64_t link_downs = 0;
};

/// In order per link while it is up. Deterministic: the same seed, calls and clock readings give the same
/// order and hash. Listener calls come from deliver_due, and on_link_down of a closing hub's own links from
/// its close(). Outlives its hubs; hubs and network belong to one thread.
class SimNetwork {
 public:
  SimNetwork(SimNetworkConfig config, const Clock& clock);
  ~SimNetwork();
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  /// A name has one hub at a time; one made for a crashed name is its restart. Empty address: it only dials.
  std::unique_ptr<LinkHub> make_hub(const PeerName& self, LinkListener& listener, const std::string& address);

  std::optional<Moment> next_due() const;
  /// Performs what is due, and what that makes due until `now`; returns how much that was.
  std::size_t deliver_due(Moment now);

  /// One way. What is on the wire waits, as TCP would send it again, for healing or the end of its link.
  void cut(const PeerName& from, const PeerName& to);
  void cut_both(const PeerName& one, const PeerName& other);
  void heal(const PeerName& from, const PeerName& to);
  void heal_both(const PeerName& one, const PeerName& other);
  /// Cuts a peer from all others that have a hub now, both ways.
  void isolate(const PeerName& peer);
  /// Cuts what it sends to them, and ends these cuts: what is sent to it arrives, as with a process that
  /// hangs.
  void mute(const PeerName& peer);
  void unmute(const PeerName& peer);
  /// What travels between the two takes so much longer, both ways; 0: no longer than usual.
  void slow(const PeerName& one, const PeerName& other, std::chrono::nanoseconds by);
  void heal_all();  ///< slow ways, too

  /// The process dies: its hub hears nothing more, what it sent and what is under way to it vanishes, and the
  /// other ends of its links notice within about a millisecond.
  void crash(const PeerName& peer);
  /// The crashed hub lives again, with no links and no dials.
  void restart(const PeerName& peer);

  /// Of everything that happened, in order.
  std::uint64_t hash() const;
  SimNetworkCounters counters() const;

  struct Wires;

 private:
  std::unique_ptr<Wires> wires_;
};

}  // namespace troupe::net
