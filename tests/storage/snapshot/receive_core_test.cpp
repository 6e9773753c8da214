// The receiver's decisions, one situation at a time.

#include "storage/snapshot/receive_core.hpp"

#include <gtest/gtest.h>

#include "storage/base/random.hpp"

namespace troupe {
namespace {

using Core = SnapshotReceiveCore;

SnapshotManifest sample(std::uint64_t index = 9) {
  SnapshotManifest m;
  m.cell = "north";
  m.index = Index{index};
  m.files = {{"a", 20, {1, 1}}, {"b", 0, {2, 2}}, {"c", 10, {3, 3}}};
  return m;
}

std::string text(const Core::Effects& effects) {
  std::string all;
  const auto place = [](const auto& at) {
    return std::to_string(at.file) + "@" + std::to_string(at.offset) + " ";
  };
  for (const auto& effect : effects) {
    if (std::holds_alternative<Core::Resume>(effect)) all += "resume ";
    if (const auto* write = std::get_if<Core::Write>(&effect)) all += "write " + place(*write);
    if (const auto* verify = std::get_if<Core::Verify>(&effect))
      all += "verify " + std::to_string(verify->file) + " ";
    if (std::holds_alternative<Core::Drop>(effect)) all += "drop ";
    if (const auto* reply = std::get_if<Core::Reply>(&effect)) {
      if (const auto* accept = std::get_if<SnapshotAccept>(&reply->message))
        all += "accept " + place(*accept);
      if (const auto* ack = std::get_if<SnapshotAck>(&reply->message)) all += "ack " + place(*ack);
      if (const auto* refusal = std::get_if<SnapshotRefusal>(&reply->message))
        all += "refuse " + std::string(code_text(refusal->code)) + " ";
      if (std::holds_alternative<SnapshotDone>(reply->message)) all += "done ";
    }
  }
  return all;
}

struct Receiver {
  Core core{"north"};
  Core::Effects offer(const SnapshotManifest& manifest, std::uint64_t transfer = 1, std::uint64_t term = 2,
                      std::uint64_t applied = 3) {
    return core.on(SnapshotOffer{transfer, Term{term}, Blob(encode_manifest(manifest))}, Index{applied},
                   false);
  }
  Core::Effects chunk(std::uint32_t file, std::uint64_t offset, std::size_t size,
                      std::uint64_t transfer = 1) {
    return core.on(SnapshotChunk{transfer, file, offset, Blob(Bytes(size, 'x'))}, Index{3}, false);
  }
  Core::Effects verified(std::uint32_t file) { return core.verified(sample().files[file]); }
  void begin() {
    offer(sample());
    core.resumed(0, 0);
  }
};

TEST(SnapshotReceive, WritesInOrderVerifiesEachFileAndCompletes) {
  Receiver r;
  EXPECT_EQ(text(r.offer(sample())), "resume ");
  EXPECT_EQ(text(r.core.resumed(0, 0)), "accept 0@0 ");
  EXPECT_EQ(text(r.chunk(0, 0, 15)), "write 0@0 ");
  EXPECT_EQ(text(r.core.written()), "ack 0@15 ");
  EXPECT_EQ(text(r.chunk(0, 15, 5)), "write 0@15 ");
  EXPECT_EQ(text(r.core.written()), "verify 0 ");
  EXPECT_EQ(text(r.verified(0)), "write 1@0 ") << "an empty file is made without being sent";
  EXPECT_EQ(text(r.core.written()), "verify 1 ");
  EXPECT_EQ(text(r.verified(1)), "ack 2@0 ");
  r.chunk(2, 0, 10);
  EXPECT_EQ(text(r.core.written()), "verify 2 ");
  EXPECT_EQ(text(r.verified(2)), "accept 3@0 ");
  EXPECT_EQ(r.core.phase(), Core::Phase::complete);
  EXPECT_EQ(text(r.offer(sample())), "accept 3@0 ");
  EXPECT_EQ(text(r.core.installed()), "done ");
  EXPECT_EQ(text(r.offer(sample(), 5)), "done ");
}

TEST(SnapshotReceive, GoesOnWhereItsFilesEnd) {
  Receiver r;
  r.offer(sample());
  EXPECT_EQ(text(r.core.resumed(0, 7)), "accept 0@7 ");
  EXPECT_EQ(text(r.chunk(0, 7, 13)), "write 0@7 ");
  Receiver all;
  all.offer(sample());
  EXPECT_EQ(text(all.core.resumed(3, 0)), "accept 3@0 ");
  EXPECT_EQ(all.core.phase(), Core::Phase::complete);
}

TEST(SnapshotReceive, IgnoresWhatItHasAndAsksOnceForWhatIsMissing) {
  Receiver r;
  r.begin();
  r.chunk(0, 0, 10);
  r.core.written();
  EXPECT_EQ(text(r.chunk(0, 0, 10)), "");
  EXPECT_EQ(text(r.chunk(0, 15, 5)), "accept 0@10 ");
  EXPECT_EQ(text(r.chunk(0, 15, 5)), "");
  EXPECT_EQ(text(r.chunk(0, 10, 5, 99)), "") << "another transfer's";
  EXPECT_EQ(text(r.chunk(0, 10, 5)), "write 0@10 ");
}

TEST(SnapshotReceive, FetchesADamagedFileAgainAndThenRefuses) {
  Receiver r;
  r.begin();
  for (std::uint32_t time = 1; time <= Core::damaged_max; ++time) {
    r.chunk(0, 0, 20);
    r.core.written();
    EXPECT_EQ(text(r.core.verified({"a", 20, {9, 9}})),
              time < Core::damaged_max ? "accept 0@0 " : "drop refuse corrupt ");
  }
  EXPECT_EQ(r.core.phase(), Core::Phase::idle);
  EXPECT_EQ(text(r.offer(sample())), "resume ") << "a later offer begins anew";
}

TEST(SnapshotReceive, RefusesWithTheDisksReason) {
  Receiver r;
  r.begin();
  r.chunk(0, 0, 20);
  EXPECT_EQ(text(r.core.failed(Error{ErrorCode::io, "no space"})), "drop refuse io ");
  EXPECT_EQ(text(r.core.failed(Error{ErrorCode::io, "no space"})), "");
}

TEST(SnapshotReceive, WantsOnlyWhatIsAheadOfItselfUnlessItRepairs) {
  Receiver r;
  EXPECT_EQ(text(r.offer(sample(3))), "done ");
  EXPECT_EQ(text(r.core.on(SnapshotOffer{1, Term{2}, Blob(encode_manifest(sample(3)))}, Index{3}, true)),
            "resume ");
}

TEST(SnapshotReceive, FollowsTheLatestLeaderAndRefusesStrangers) {
  Receiver r;
  r.begin();
  EXPECT_EQ(text(r.offer(sample(5), 2, 1)), "refuse fenced ");
  EXPECT_EQ(text(r.offer(sample(5), 2, 3)), "resume ") << "a later leader's snapshot replaces it";
  SnapshotManifest other = sample();
  other.cell = "south";
  EXPECT_EQ(text(r.offer(other, 3, 3)), "refuse precondition_failed ");
  EXPECT_EQ(text(r.core.on(SnapshotOffer{4, Term{3}, Blob("junk")}, Index{}, false)), "refuse corrupt ");
}

TEST(SnapshotReceive, RefusesAPieceThatLiesOutsideOfItsFile) {
  for (const auto& [file, offset, size] :
       {std::tuple{0u, 15u, 6u}, {7u, 0u, 1u}, {1u, 0u, 1u}, {0u, 0u, 0u}}) {
    Receiver r;
    r.begin();
    EXPECT_EQ(text(r.chunk(file, offset, size)), "drop refuse corrupt ");
  }
}

TEST(SnapshotReceive, SurvivesWhateverASenderSays) {
  Random random(3);
  const auto number = [&](std::uint64_t limit) {
    return random.chance(10) ? random.next() : random.below(limit);
  };
  for (int round = 0; round < 300; ++round) {
    Receiver r;
    for (int n = 0; n < 60; ++n) {
      Core::Effects effects;
      switch (random.below(5)) {
        case 0:
          effects = r.offer(sample(random.below(12)), random.below(3), random.below(3));
          break;
        case 1: {
          Bytes bad = encode_manifest(sample());
          bad[random.below(bad.size())] = static_cast<char>(random.next());
          effects = r.core.on(SnapshotOffer{1, Term{2}, Blob(bad)}, Index{}, false);
          break;
        }
        default:
          effects =
              r.chunk(static_cast<std::uint32_t>(number(4)), number(25), random.below(25), random.below(3));
      }
      for (std::size_t at = 0; at < effects.size(); ++at) {
        Core::Effects more;
        if (std::holds_alternative<Core::Resume>(effects[at])) more = r.core.resumed(0, random.below(20));
        if (std::holds_alternative<Core::Write>(effects[at])) more = r.core.written();
        if (const auto* verify = std::get_if<Core::Verify>(&effects[at])) more = r.verified(verify->file);
        for (auto& effect : more) effects.push_back(std::move(effect));
      }
      EXPECT_LE(r.core.received_bytes(), 30u);
    }
  }
}

}  // namespace
}  // namespace troupe
