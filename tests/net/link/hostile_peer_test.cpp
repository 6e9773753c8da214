#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "net/link/batch_codec.hpp"
#include "net/link/web_socket_hub.hpp"
#include "storage/base/random.hpp"
#include "tests/net/link/raw_socket.hpp"
#include "tests/net/link/recorder.hpp"

namespace troupe::net {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const LinkKey to_agent{"agent/raw", Channel::agent};

struct Upgrade {
  std::string from = "agent/raw";
  std::string to = "node/1";
  std::string channel = "agent";
  std::string cell = "test";
  std::string text() const {
    return "GET /link HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
           "websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "
           "troupe-link/1\r\nTroupe-From: " +
           from + "\r\nTroupe-To: " + to + "\r\nTroupe-Channel: " + channel + "\r\nTroupe-Cell: " + cell +
           "\r\n\r\n";
  }
};

/// A masked final frame whose mask is zero.
std::string frame(int opcode, const std::string& payload, std::uint64_t announced) {
  std::string bytes{static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | 127)};
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>((announced >> shift) & 0xff));
  if (announced < 126) bytes = {static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | announced)};
  return bytes + std::string(4, '\0') + payload;
}
std::string binary(const std::string& payload) { return frame(2, payload, payload.size()); }

class HostilePeer : public testing::Test {
 protected:
  void open(HubConfig config = {}) {
    config.self = "node/1";
    config.cell = "test";
    config.listen_address = "127.0.0.1:0";
    config.message_bytes_max = std::size_t{1} << 20;
    auto opened = open_hub(config, heard);
    ASSERT_TRUE(opened.ok());
    hub = std::move(opened).value();
  }
  std::string answer_to(const std::string& request) {
    RawSocket raw(hub->address());
    EXPECT_TRUE(raw.write(request));
    return raw.read();
  }
  RawSocket linked() {
    RawSocket raw(hub->address());
    EXPECT_TRUE(raw.write(Upgrade{}.text()));
    EXPECT_THAT(raw.read("\r\n\r\n"), StartsWith("HTTP/1.1 101"));
    return raw;
  }
  std::string why_after(const std::string& bytes) {
    const int downs = heard.downs();
    auto raw = linked();
    raw.write(bytes);
    EXPECT_TRUE(heard.await_downs(downs + 1));
    return heard.last_why();
  }

  Recorder heard;
  std::unique_ptr<WebSocketHub> hub;
};

TEST_F(HostilePeer, IsRefusedWithAReasonUnlessItNamesCellPeerAndChannel) {
  open();
  EXPECT_THAT(answer_to(Upgrade{.cell = "other"}.text()),
              AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("another cell")));
  EXPECT_THAT(answer_to(Upgrade{.to = "node/9"}.text()), StartsWith("HTTP/1.1 403 another peer"));
  EXPECT_THAT(answer_to(Upgrade{.from = "node/1"}.text()), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(answer_to(Upgrade{.from = "a b"}.text()), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer_to(Upgrade{.from = std::string(129, 'a')}.text()), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer_to(Upgrade{.from = ""}.text()), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer_to(Upgrade{.channel = "gossip"}.text()), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 426"));
  EXPECT_THAT(answer_to(Upgrade{}.text() + "early"), StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(heard.ups(), 0);
  hub->close();  // a refusal is counted just after the connection was closed
  EXPECT_EQ(hub->counters().refused, 9U);
}

TEST_F(HostilePeer, GarbageInsteadOfARequestClosesTheConnection) {
  open();
  EXPECT_EQ(answer_to(std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11)), "");
  EXPECT_EQ(answer_to(Upgrade{.cell = std::string(8192, 'c')}.text()), "");
  EXPECT_EQ(heard.ups(), 0);
}

TEST_F(HostilePeer, WrongLengthsCloseTheLink) {
  open();
  EXPECT_EQ(why_after(binary(std::string("\xff\xff\xff\xff", 4))), "hostile: a message beyond the limit");
  EXPECT_EQ(why_after(binary(std::string("\x01\x00\x10\x00", 4))), "hostile: a message beyond the limit");
  EXPECT_EQ(why_after(binary(std::string("\x05\x00\x00\x00"
                                         "abc",
                                         7))),
            "hostile: a batch ends inside a message");
  EXPECT_EQ(why_after(binary("abc")), "hostile: a batch ends inside a message");
  EXPECT_EQ(why_after(frame(1, "text", 4)), "hostile: not a binary message");
  EXPECT_EQ(heard.messages(), 0U);
}

TEST_F(HostilePeer, BrokenWebSocketFramesAreAnsweredWithACloseAndEndTheLink) {
  open({.self = "node/1",
        .cell = "test",
        .heartbeat_interval = milliseconds(10),
        .silence_timeout = milliseconds(60)});
  const auto oversized = frame(2, "abc", std::uint64_t{1} << 40);
  const auto reserved = frame(3, "reserved", 8);
  int downs = 0;
  for (const auto& [bytes, code] : {std::pair(oversized, "\x03\xf1"), std::pair(reserved, "\x03\xea")}) {
    auto raw = linked();
    raw.write(bytes);
    EXPECT_THAT(raw.read(), HasSubstr(code));
    ASSERT_TRUE(heard.await_downs(++downs));
  }
  EXPECT_EQ(heard.messages(), 0U);
}

TEST_F(HostilePeer, AnHonestRawPeerIsHeard) {
  open();
  auto raw = linked();
  Bytes batch;
  append_frame(batch, "one");
  append_frame(batch, "");
  append_frame(batch, "three");
  raw.write(binary(batch));
  ASSERT_TRUE(heard.await_messages(3));
  EXPECT_THAT(heard.kept(), testing::ElementsAre("one", "", "three"));
}

TEST_F(HostilePeer, ThatFallsSilentIsNoticed) {
  open({.self = "node/1",
        .cell = "test",
        .heartbeat_interval = milliseconds(10),
        .silence_timeout = milliseconds(300)});
  auto raw = linked();
  ASSERT_TRUE(heard.await_downs(1));
  EXPECT_EQ(heard.last_why(), "silent for 300 ms");
  EXPECT_THAT(raw.read(), HasSubstr(std::string("\x82\x00\x82\x00", 4))) << "no unsolicited heartbeats";
}

TEST_F(HostilePeer, ThatDiesIsNoticedAtOnce) {
  open({.self = "node/1",
        .cell = "test",
        .heartbeat_interval = milliseconds(5000),
        .silence_timeout = milliseconds(60'000)});
  auto raw = linked();
  raw.close();
  ASSERT_TRUE(heard.await_downs(1));
  EXPECT_EQ(heard.last_why(), "closed by peer");
}

TEST_F(HostilePeer, ThatNeverReadsHitsTheBoundOfTheQueue) {
  open({.self = "node/1",
        .cell = "test",
        .heartbeat_interval = milliseconds(5000),
        .silence_timeout = milliseconds(60'000)});
  auto raw = linked();
  ASSERT_TRUE(heard.await_ups(1));
  int sent = 0;
  while (sent < 1000 && hub->send(to_agent, Bytes(std::size_t{1} << 20, 'x'))) ++sent;
  EXPECT_LT(sent, 100) << "memory is not bounded";
  ASSERT_TRUE(heard.await_downs(1));
  EXPECT_EQ(heard.last_why(), "send queue full");
}

TEST_F(HostilePeer, ThatBeatsButNeverReadsMeetsTheWriteTimeout) {
  open({.self = "node/1",
        .cell = "test",
        .heartbeat_interval = milliseconds(10),
        .silence_timeout = milliseconds(60'000),
        .write_timeout = milliseconds(50)});
  auto raw = linked();
  ASSERT_TRUE(heard.await_ups(1));
  for (int i = 0; i < 15; ++i) ASSERT_TRUE(hub->send(to_agent, Bytes(std::size_t{1} << 20, 'x')));
  ASSERT_TRUE(heard.await_downs(1));
  EXPECT_EQ(heard.last_why(), "peer has not read for 50 ms");
}

TEST_F(HostilePeer, ANewConnectionOfTheSamePeerReplacesTheOld) {
  open();
  auto old = linked();
  ASSERT_TRUE(heard.await_ups(1));
  auto fresh = linked();
  ASSERT_TRUE(heard.await_ups(2));
  EXPECT_THAT(
      heard.log(),
      testing::ElementsAre("up agent/raw", "down agent/raw: replaced by a newer connection", "up agent/raw"));
  EXPECT_EQ(hub->counters().links_up, 1U);
}

TEST_F(HostilePeer, UnfinishedHandshakesAreCappedAndExpire) {
  open({.self = "node/1",
        .cell = "test",
        .handshake_timeout = milliseconds(50),
        .unfinished_handshakes_max = 4});
  std::vector<RawSocket> mute;
  for (int i = 0; i < 8; ++i) mute.emplace_back(hub->address());
  for (auto& raw : mute) EXPECT_EQ(raw.read(), "");
  linked();  // and a round trip, behind which all are counted
  EXPECT_GE(hub->counters().handshakes_capped, 1U);
  EXPECT_EQ(hub->counters().handshakes_capped + hub->counters().refused, 8U);
}

TEST(BatchReader, ReadsAnyPiecesAlikeAndSurvivesNoise) {
  Random random(7);
  for (int round = 0; round < 2000; ++round) {
    Bytes batch;
    std::vector<Bytes> sent;
    for (std::uint64_t i = random.below(5); i > 0; --i) sent.emplace_back(random.below(300), 'm');
    for (const auto& message : sent) append_frame(batch, message);
    const bool noisy = random.chance(50);
    if (noisy && !batch.empty()) batch[random.below(batch.size())] = static_cast<char>(random.next());
    BatchReader reader(1000);
    std::vector<Bytes> heard;
    auto outcome = BatchReader::Outcome::fine;
    for (BytesView rest = batch; !rest.empty() && outcome == BatchReader::Outcome::fine;) {
      const auto piece = rest.substr(0, 1 + random.below(rest.size()));
      outcome = reader.feed(piece, [&](Bytes message) { heard.push_back(std::move(message)); });
      rest.remove_prefix(piece.size());
    }
    if (noisy) continue;
    EXPECT_EQ(outcome, BatchReader::Outcome::fine);
    EXPECT_EQ(reader.end_batch(), BatchReader::Outcome::fine);
    EXPECT_EQ(heard, sent);
  }
}

}  // namespace
}  // namespace troupe::net
