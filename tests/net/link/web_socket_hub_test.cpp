#include "net/link/web_socket_hub.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/net/link/raw_socket.hpp"
#include "tests/net/link/recorder.hpp"

namespace troupe::net {
namespace {

using testing::HasSubstr;

HubConfig config_of(const std::string& self) {
  HubConfig config;
  config.self = self;
  config.cell = "test";
  config.listen_address = "127.0.0.1:0";
  config.heartbeat_interval = milliseconds(50);
  config.silence_timeout = milliseconds(2000);
  config.backoff_min = milliseconds(2);
  config.backoff_max = milliseconds(20);
  return config;
}

std::unique_ptr<WebSocketHub> open(HubConfig config, LinkListener& listener) {
  auto hub = open_hub(std::move(config), listener);
  EXPECT_TRUE(hub.ok());
  return std::move(hub).value();
}

struct Pair {
  explicit Pair(HubConfig left_config = config_of("node/1"), HubConfig right_config = config_of("node/2"))
      : left(open(std::move(left_config), heard_left)), right(open(std::move(right_config), heard_right)) {
    left->dial(to_right, right->address());
    EXPECT_TRUE(heard_left.await_ups(1) && heard_right.await_ups(1));
  }
  const LinkKey to_right{"node/2", Channel::mail};
  const LinkKey to_left{"node/1", Channel::mail};
  Recorder heard_left;
  Recorder heard_right;
  std::unique_ptr<WebSocketHub> left;
  std::unique_ptr<WebSocketHub> right;
};

TEST(WebSocketHub, CarriesTwoHundredThousandSmallMessagesInOrderBothWays) {
  constexpr std::size_t count = 200'000;
  auto left = config_of("node/1");
  auto right = config_of("node/2");
  left.send_queue_bytes_max = right.send_queue_bytes_max = std::size_t{64} << 20;
  Pair pair(left, right);
  std::thread other([&] {
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(pair.right->send(pair.to_left, std::to_string(i)));
  });
  for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(pair.left->send(pair.to_right, std::to_string(i)));
  other.join();
  for (auto* heard : {&pair.heard_left, &pair.heard_right}) {
    ASSERT_TRUE(heard->await_messages(count));
    const auto kept = heard->kept();
    ASSERT_EQ(kept.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(kept[i], std::to_string(i));
  }
  EXPECT_LT(pair.left->counters().batches_out, count / 10) << "small messages were not corked";
}

TEST(WebSocketHub, CarriesMessagesOfOneMebibyteAndEmptyOnes) {
  Pair pair;
  std::vector<Bytes> sent{Bytes(std::size_t{1} << 20, 'a'), "", Bytes((std::size_t{1} << 20) + 1, 'b'), "c"};
  for (std::size_t i = 0; i < sent[0].size(); ++i) sent[0][i] = static_cast<char>(i * 31);
  for (const auto& message : sent) {
    ASSERT_TRUE(pair.left->send(pair.to_right, message));
    ASSERT_TRUE(pair.right->send(pair.to_left, message));
  }
  for (auto* heard : {&pair.heard_left, &pair.heard_right}) {
    ASSERT_TRUE(heard->await_messages(sent.size()));
    EXPECT_TRUE(heard->kept() == sent);
  }
}

TEST(WebSocketHub, SeesADeadPeerAtOnceAndRedialsTheNextOne) {
  Pair pair;
  auto again = config_of("node/2");
  again.listen_address = pair.right->address();
  pair.right.reset();
  ASSERT_TRUE(pair.heard_left.await_downs(1));
  EXPECT_EQ(pair.heard_left.last_why(), "closed by peer");
  EXPECT_EQ(pair.heard_right.log().back(), "down node/1: hub closed");
  EXPECT_FALSE(pair.left->send(pair.to_right, "nobody there"));
  pair.right = open(again, pair.heard_right);
  ASSERT_TRUE(pair.heard_left.await_ups(2));
  EXPECT_EQ(pair.left->counters().reconnects, 1U);
}

}  // namespace
}  // namespace troupe::net
