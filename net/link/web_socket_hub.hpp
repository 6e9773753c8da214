#pragma once
// The LinkHub of production: WebSocket (Boost.Beast) over TCP. See README.md for the wire.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "net/link/link.hpp"
#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::net {

/// One thread that performs I/O for any number of hubs (an embedded cluster has many). Destroyed by the last
/// owner, which must not be the thread itself.
class IoThread {
 public:
  IoThread();
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  struct Loop;
  Loop& loop() { return *loop_; }

 private:
  std::unique_ptr<Loop> loop_;
};

struct HubConfig {
  PeerName self;
  std::string cell;                       ///< only peers that name the same cell are accepted
  std::string listen_address{};           ///< "127.0.0.1:0" = any port; empty: dial only
  std::shared_ptr<IoThread> io_thread{};  ///< empty: a thread of its own
  std::uint64_t seed = 1;                 ///< of the jitter between dials
  milliseconds heartbeat_interval{250};
  milliseconds silence_timeout{800};  ///< no byte for this long: the link is closed
  milliseconds write_timeout{
      5000};  ///< a piece of at most 64 KiB not taken for this long: the link is closed
  milliseconds connect_timeout{2000};
  milliseconds handshake_timeout{5000};  ///< upgrade, both ends
  milliseconds backoff_min{10};
  milliseconds backoff_max{2000};
  std::size_t send_queue_bytes_max = std::size_t{16}
                                     << 20;  ///< per link; beyond it the link is closed and redialled
  std::size_t message_bytes_max = std::size_t{4}
                                  << 20;        ///< larger ones are dropped here and hostile from a peer
  std::size_t unfinished_handshakes_max = 256;  ///< beyond it new connections are closed unheard

  /// Of both ends alike: where very many links share a machine, each takes longer to be served.
  void wait_longer(milliseconds more) {
    heartbeat_interval += more / 4;
    silence_timeout += more;
    connect_timeout += more;
    handshake_timeout += more;
    backoff_max += more;
    unfinished_handshakes_max += static_cast<std::size_t>(more.count());
  }
};

/// Since the hub was opened, but for links_up.
struct HubCounters {
  std::uint64_t links_up = 0;  ///< now
  std::uint64_t link_ups = 0;
  std::uint64_t link_downs = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_in = 0;  ///< of batches
  std::uint64_t bytes_out = 0;
  std::uint64_t batches_out = 0;  ///< heartbeats included
  std::uint64_t drops = 0;        ///< sends that answered false
  std::uint64_t dials = 0;
  std::uint64_t dials_failed = 0;
  std::uint64_t reconnects = 0;  ///< dialled links that came up again
  std::uint64_t refused = 0;     ///< upgrades answered with an error
  std::uint64_t handshakes_capped = 0;
};

class WebSocketHub : public LinkHub {
 public:
  virtual HubCounters counters() const = 0;
  /// Why the last dial of this link failed ("403 another cell: x"); empty if none did since it was last up.
  virtual std::string dial_error(const LinkKey& link) const = 0;
};

/// Listener calls come from the I/O thread, on_link_down of the living links from within close(): hold no
/// lock there that the listener takes. `listener` must outlive the hub; the destructor closes. Neither
/// close() nor the destructor may be called from a listener call. Errors: invalid_argument (names, address,
/// limits), io (cannot listen).
Result<std::unique_ptr<WebSocketHub>> open_hub(HubConfig config, LinkListener& listener);

}  // namespace troupe::net
