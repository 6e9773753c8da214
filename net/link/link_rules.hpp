#pragma once
// What the real hub and the simulated one must decide alike. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "net/link/link.hpp"
#include "storage/base/random.hpp"
#include "storage/base/time.hpp"

namespace troupe::net {

constexpr std::size_t name_bytes_max = 128;

std::optional<Channel> channel_from_text(std::string_view text);
/// Peer and cell names: 1 to name_bytes_max letters, digits and . _ - /
bool is_name(std::string_view text);

/// What this end already has for a key when the other end's connection arrives.
enum class Standing : std::uint8_t {
  none,
  connected,  ///< our own dial has reached the peer and its upgrade is under way
  dialled,    ///< a live link that we dialled
  accepted,   ///< a live link that the peer dialled
};

/// Is the arriving connection taken, replacing what stands? An accepted link is always replaced, because its
/// dialler has given it up. When both ends dial, the connection of the smaller name wins at both of them, and
/// the other end dials no more while it is up: no flapping.
bool takes_arrival(std::string_view self, std::string_view peer, Standing standing);

/// Doubling waits between min and max, each jittered down to its half.
class Backoff {
 public:
  Backoff(milliseconds min, milliseconds max) : min_(min), max_(max), wait_(min) {}
  milliseconds next(Random& random);
  void reset() { wait_ = min_; }

 private:
  milliseconds min_;
  milliseconds max_;
  milliseconds wait_;
};

}  // namespace troupe::net
