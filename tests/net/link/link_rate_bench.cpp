// link_rate [MESSAGES [BYTES]]: small messages over one loopback link, both hubs in this process; one JSON
// line.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "net/link/web_socket_hub.hpp"
#include "net/steady_point.hpp"
#include "tests/net/link/recorder.hpp"

using namespace troupe;
using namespace troupe::net;

int main(int argc, char** argv) {
  const auto messages = static_cast<std::size_t>(argc > 1 ? std::atoll(argv[1]) : 5'000'000);
  const auto bytes = static_cast<std::size_t>(argc > 2 ? std::atoll(argv[2]) : 200);
  Recorder heard_left;
  struct Counter final : LinkListener {
    void on_link_up(const LinkKey&) override {}
    void on_link_down(const LinkKey&, std::string_view) override {}
    void on_message(const LinkKey&, Bytes) override { count.fetch_add(1, std::memory_order_release); }
    std::atomic<std::size_t> count{0};
  } heard_right;
  HubConfig config{.self = "node/1", .cell = "bench"};
  auto left = open_hub(config, heard_left);
  config.self = "node/2";
  config.listen_address = "127.0.0.1:0";
  auto right = open_hub(config, heard_right);
  const LinkKey link{"node/2", Channel::mail};
  left.value()->dial(link, right.value()->address());
  if (!heard_left.await_ups(1)) return 1;
  const auto start = steady_now();
  constexpr std::size_t window = 20'000;  // below the bound of the send queue
  for (std::size_t i = 0; i < messages; ++i) {
    while (i - heard_right.count.load(std::memory_order_acquire) > window) std::this_thread::yield();
    if (!left.value()->send(link, Bytes(bytes, 'x'))) return 1;
  }
  while (heard_right.count.load(std::memory_order_acquire) < messages) std::this_thread::yield();
  const std::chrono::duration<double> took = steady_now() - start;
  const auto batches = left.value()->counters().batches_out;
  std::printf(
      "{\"bench\": \"link_rate\", \"params\": {\"messages\": %zu, \"bytes\": %zu}, \"figures\": "
      "{\"messages_per_s\": %.0f, \"messages_per_batch\": %.1f}}\n",
      messages, bytes, static_cast<double>(messages) / took.count(),
      static_cast<double>(messages) / static_cast<double>(batches));
}
