#pragma once
// The conformance tests' world of real sockets on the loopback interface.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "net/link/web_socket_hub.hpp"
#include "tests/net/link/link_world.hpp"

namespace troupe::net {

class SocketWorld final : public LinkWorld {
 public:
  std::unique_ptr<LinkHub> open(const PeerName& self, LinkListener& listener,
                                const std::string& address) override {
    HubConfig config;
    config.self = self;
    config.cell = "test";
    config.listen_address = address.empty() ? "127.0.0.1:0" : address;
    config.heartbeat_interval = milliseconds(20);
    config.silence_timeout = milliseconds(5000);
    config.backoff_min = milliseconds(2);
    config.backoff_max = milliseconds(20);
    config.send_queue_bytes_max = world_queue_bytes_max;
    config.message_bytes_max = world_message_bytes_max;
    auto hub = open_hub(std::move(config), listener);
    return hub.ok() ? std::move(hub).value() : nullptr;
  }
  bool await(Recorder& heard, const std::function<bool(const Recorder&)>& reached) override {
    return heard.await(reached);
  }
};

}  // namespace troupe::net
