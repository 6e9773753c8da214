// The sender's decisions, one situation at a time.

#include "storage/snapshot/send_core.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using Core = SnapshotSendCore;

constexpr std::size_t chunk = 10, window = 30;
constexpr std::uint64_t transfer = 77;

/// Three files of 25, 0 and 45 bytes.
struct Sender {
  SendLimits limits{.chunk_bytes = chunk,
                    .window_bytes = window,
                    .offer_ticks = 5,
                    .give_up_ticks = 50,
                    .stuck_ticks = 200,
                    .rewinds_max = 3};
  Core core{manifest(), transfer, Term{4}, limits};
  static SnapshotManifest manifest() {
    SnapshotManifest m;
    m.files = {{"a", 25, {}}, {"b", 0, {}}, {"c", 45, {}}};
    return m;
  }
  Core::Effects accept(std::uint32_t file, std::uint64_t offset) {
    return core.on(SnapshotAccept{transfer, file, offset});
  }
  Core::Effects ack(std::uint32_t file, std::uint64_t offset) {
    return core.on(SnapshotAck{transfer, file, offset});
  }
  Core::Effects read(const Core::Effect& asked) {
    const auto& range = std::get<Core::ReadRange>(asked);
    return core.on_read(range, Bytes(range.size, 'x'));
  }
};

std::string text(const Core::Effects& effects) {
  std::string all;
  for (const auto& effect : effects) {
    if (const auto* range = std::get_if<Core::ReadRange>(&effect))
      all += "read " + std::to_string(range->file) + "@" + std::to_string(range->offset) + "+" +
             std::to_string(range->size) + " ";
    if (const auto* send = std::get_if<Core::Send>(&effect)) {
      if (std::holds_alternative<SnapshotOffer>(send->message)) all += "offer ";
      if (const auto* piece = std::get_if<SnapshotChunk>(&send->message))
        all += "chunk " + std::to_string(piece->file) + "@" + std::to_string(piece->offset) + "+" +
               std::to_string(piece->data.size()) + " ";
    }
    if (const auto* ended = std::get_if<Core::Ended>(&effect)) all += ended->failure ? "failed " : "done ";
  }
  return all;
}

TEST(SnapshotSend, OffersThenReadsWithinItsWindow) {
  Sender sender;
  EXPECT_EQ(text(sender.core.start()), "offer ");
  const auto reads = sender.accept(0, 0);
  EXPECT_EQ(text(reads), "read 0@0+10 read 0@10+10 read 0@20+5 ");
  EXPECT_EQ(sender.core.outstanding_bytes(), 25u);
  EXPECT_EQ(text(sender.read(reads[0])), "chunk 0@0+10 ");
  EXPECT_EQ(text(sender.ack(0, 10)), "read 2@0+10 ");
  EXPECT_LE(sender.core.outstanding_bytes(), window);
}

TEST(SnapshotSend, ReadsNoFasterThanItsRate) {
  Sender sender;
  sender.limits.bytes_per_tick = 4;
  sender.core = Core(Sender::manifest(), transfer, Term{4}, sender.limits);
  EXPECT_EQ(text(sender.accept(0, 0)), "") << "a chunk is not saved up for yet";
  const auto ticks = [&](int count) {
    std::string reads;
    for (int n = 0; n < count; ++n) reads += text(sender.core.tick()) + "|";
    return reads;
  };
  EXPECT_EQ(ticks(4), "|read 0@0+10 |||");
  EXPECT_EQ(text(sender.ack(0, 10)), "") << "room in the window is not enough";
  EXPECT_EQ(ticks(3), "read 0@10+10 ||read 0@20+5 |") << "never more than a chunk is saved up";
}

TEST(SnapshotSend, EndsWhenTheReceiverHasInstalledIt) {
  Sender sender;
  sender.core.start();
  sender.accept(2, 35);
  EXPECT_EQ(text(sender.accept(3, 0)), "");
  EXPECT_EQ(sender.core.phase(), Core::Phase::installing);
  EXPECT_EQ(text(sender.core.on(SnapshotDone{transfer})), "done ");
  EXPECT_EQ(text(sender.core.tick()), "");
  EXPECT_EQ(text(sender.accept(0, 0)), "");
}

TEST(SnapshotSend, GoesOnWhereTheReceiverSaysAfterABrokenLink) {
  Sender sender;
  sender.core.start();
  const auto reads = sender.accept(0, 0);
  EXPECT_EQ(text(sender.core.link_down()), "");
  EXPECT_EQ(text(sender.read(reads[0])), "") << "a read of the attempt before is not sent";
  EXPECT_EQ(text(sender.core.tick()), "") << "no offer into a broken link";
  EXPECT_EQ(text(sender.core.link_up()), "offer ");
  EXPECT_EQ(text(sender.accept(0, 20)), "read 0@20+5 read 2@0+10 read 2@10+10 ");
}

TEST(SnapshotSend, RepeatsItsOfferToASilentReceiverAndGivesUp) {
  Sender sender;
  sender.core.start();
  std::string all;
  for (int n = 0; n < 60; ++n) all += text(sender.core.tick());
  EXPECT_EQ(all, "offer offer offer offer offer offer offer offer offer failed ");
}

TEST(SnapshotSend, GivesUpOnAReceiverThatTalksAndDoesNotAdvance) {
  Sender sender;
  sender.core.start();
  sender.accept(0, 10);
  std::string all;
  for (int n = 0; n < 300 && all.find("failed") == std::string::npos; ++n) {
    sender.accept(0, 10);
    all += text(sender.core.tick());
  }
  EXPECT_NE(all.find("failed"), std::string::npos);
}

TEST(SnapshotSend, SendsAFileAgainButNotForEver) {
  Sender sender;
  sender.core.start();
  sender.accept(0, 0);
  sender.ack(0, 20);
  EXPECT_EQ(text(sender.accept(0, 0)).substr(0, 11), "read 0@0+10");
  sender.accept(0, 0);
  sender.accept(0, 0);
  EXPECT_EQ(text(sender.accept(0, 0)), "failed ");
}

TEST(SnapshotSend, IgnoresStrangersAndLateAcks) {
  Sender sender;
  sender.core.start();
  sender.accept(0, 0);
  EXPECT_EQ(text(sender.core.on(SnapshotAck{transfer + 1, 0, 10})), "");
  sender.ack(0, 20);
  EXPECT_EQ(text(sender.ack(0, 10)), "");
  EXPECT_EQ(sender.core.acknowledged_bytes(), 20u);
  EXPECT_EQ(text(sender.ack(9, 9)), "");
}

TEST(SnapshotSend, TakesAnAckThatIsAheadOfAResend) {
  Sender sender;
  sender.core.start();
  sender.accept(0, 0);
  sender.core.link_down();
  sender.core.link_up();
  EXPECT_EQ(text(sender.ack(0, 20)), "") << "the offer is not answered yet";
  EXPECT_EQ(text(sender.accept(0, 20)), "read 0@20+5 read 2@0+10 read 2@10+10 ");
}

TEST(SnapshotSend, EndsWithTheReasonOfARefusalOrABadFile) {
  Sender refused;
  refused.core.start();
  const auto ended = refused.core.on(SnapshotRefusal{transfer, ErrorCode::io, "no space"});
  ASSERT_EQ(text(ended), "failed ");
  EXPECT_NE(std::get<Core::Ended>(ended[0]).failure->message.find("no space"), std::string::npos);
  Sender shorter;
  shorter.core.start();
  const auto reads = shorter.accept(0, 0);
  EXPECT_EQ(text(shorter.core.on_read(std::get<Core::ReadRange>(reads[0]), Bytes("short"))), "failed ");
  Sender nowhere;
  nowhere.core.start();
  EXPECT_EQ(text(nowhere.accept(1, 1)), "failed ");
}

}  // namespace
}  // namespace troupe
