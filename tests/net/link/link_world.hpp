#pragma once
// Where the conformance tests run, behind one face; here with the simulated network.

#include <map>
#include <memory>
#include <string>

#include "net/link/sim_network.hpp"
#include "tests/net/link/recorder.hpp"

namespace troupe::net {

constexpr std::size_t world_queue_bytes_max = std::size_t{1} << 20;
constexpr std::size_t world_message_bytes_max = std::size_t{256} * 1024;

class LinkWorld {
 public:
  virtual ~LinkWorld() = default;
  /// Empty address: any.
  virtual std::unique_ptr<LinkHub> open(const PeerName& self, LinkListener& listener,
                                        const std::string& address) = 0;
  /// Lets the world run until `reached`, with a bound.
  virtual bool await(Recorder& heard, const std::function<bool(const Recorder&)>& reached) = 0;
};

class ManualClock final : public Clock {
 public:
  Instant wall() const override { return {now.ns / 1'000'000}; }
  Moment steady() const override { return now; }
  Moment now{1};
};

class SimWorld final : public LinkWorld {
 public:
  explicit SimWorld(SimNetworkConfig config = {}) : network(limited(config), clock) {}
  std::unique_ptr<LinkHub> open(const PeerName& self, LinkListener& listener,
                                const std::string& address) override {
    return network.make_hub(self, listener, address.empty() ? "sim:" + self : address);
  }
  bool await(Recorder& heard, const std::function<bool(const Recorder&)>& reached) override {
    while (!heard.read(reached)) {
      const auto due = network.next_due();
      if (!due || *due > clock.now + std::chrono::minutes(10)) return false;
      clock.now = std::max(clock.now, *due);
      network.deliver_due(clock.now);
    }
    return true;
  }
  /// Virtual time passes.
  void pass(std::chrono::nanoseconds time) {
    const auto until = clock.now + time;
    while (network.next_due() && *network.next_due() <= until) {
      clock.now = std::max(clock.now, *network.next_due());
      network.deliver_due(clock.now);
    }
    clock.now = until;
  }

  ManualClock clock;
  SimNetwork network;

 private:
  static SimNetworkConfig limited(SimNetworkConfig config) {
    config.send_queue_bytes_max = world_queue_bytes_max;
    config.message_bytes_max = world_message_bytes_max;
    return config;
  }
};

}  // namespace troupe::net
