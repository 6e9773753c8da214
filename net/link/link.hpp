#pragma once
// The network seam: named peers exchange byte messages over channels, at most once, in order per link while
// it is up. The WebSocket hub stands behind it in production; the simulator implements exactly this.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/bytes.hpp"
#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::net {

/// Separate connections, so that a large transfer or a flood on one never delays a heartbeat on another.
enum class Channel : std::uint8_t {
  consensus,  ///< Raft messages between nodes
  mail,       ///< actor messages, forwarded proposals and calls between nodes
  bulk,       ///< snapshots
  agent,      ///< a host's agent with a node
};
constexpr Channel max_value(Channel) { return Channel::agent; }
std::string_view channel_text(Channel channel);

/// "node/1" or "agent/host-7".
using PeerName = std::string;

struct LinkKey {
  PeerName peer;  ///< the other end
  Channel channel = Channel::mail;
  friend auto operator<=>(const LinkKey&, const LinkKey&) = default;
};

/// Why an attempt to dial came to nothing.
enum class DialFailure : std::uint8_t {
  nobody_listens,  ///< the machine answers that no process has that address: whoever lived there is gone
  other,
};

/// Called on the hub's I/O thread (in simulations: from the event loop); must not block.
class LinkListener {
 public:
  virtual ~LinkListener() = default;
  virtual void on_link_up(const LinkKey& link) = 0;
  /// `why` for the log: "closed by peer", "silent for 800 ms", "send queue full" and the like.
  virtual void on_link_down(const LinkKey& link, std::string_view why) = 0;
  /// One attempt to dial has failed; the hub goes on trying. For who would rather dial elsewhere meanwhile.
  virtual void on_dial_failed(const LinkKey&, DialFailure /*how*/, std::string_view /*why*/) {}
  virtual void on_message(const LinkKey& link, Bytes message) = 0;
};

/// All links of one process's endpoint: those that it dials and those that it accepts. Thread-safe.
class LinkHub {
 public:
  virtual ~LinkHub() = default;
  /// Keeps a link to this peer dialled, with jittered back-off, until hang_up. A second dial replaces the
  /// address.
  virtual void dial(const LinkKey& link, const std::string& address) = 0;
  virtual void hang_up(const LinkKey& link) = 0;
  /// False: dropped, because there is no such link now or its queue is full (which also closes and redials
  /// it).
  virtual bool send(const LinkKey& link, Bytes message) = 0;
  /// Where this hub accepts, "host:port"; empty if it only dials.
  virtual std::string address() const = 0;
  /// Closes everything; no listener call is under way or follows when this returns.
  virtual void close() = 0;
};

}  // namespace troupe::net
