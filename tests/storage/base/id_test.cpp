#include "storage/base/id.hpp"

#include <gtest/gtest.h>

#include "storage/base/random.hpp"

namespace troupe {
namespace {

TEST(Uuids, PrintInTheCanonicalFormAndComeBack) {
  JobId id;
  for (std::size_t n = 0; n < id.bytes.size(); ++n) id.bytes[n] = static_cast<std::uint8_t>(0x10 + n);
  EXPECT_EQ(to_text(id), "10111213-1415-1617-1819-1a1b1c1d1e1f");
  EXPECT_EQ(parse_uuid<JobId>("10111213-1415-1617-1819-1A1B1C1D1E1F").value(), id);
  Random random(1);
  for (int n = 0; n < 1'000; ++n) {
    const auto any = random.uuid<TaskId>();
    EXPECT_EQ(parse_uuid<TaskId>(to_text(any)).value(), any);
  }
}

TEST(Uuids, AnythingElseIsRefused) {
  const std::string good = "10111213-1415-1617-1819-1a1b1c1d1e1f";
  for (std::size_t n = 0; n < good.size(); ++n) {
    std::string bad = good;
    bad[n] = 'x';
    EXPECT_FALSE(parse_uuid<JobId>(bad).ok()) << bad;
    EXPECT_FALSE(parse_uuid<JobId>(good.substr(0, n)).ok());
  }
  EXPECT_FALSE(parse_uuid<JobId>(good + "0").ok());
  EXPECT_FALSE(parse_uuid<JobId>("101112131415161718191a1b1c1d1e1f").ok());
  const auto refused = parse_uuid<JobId>(std::string(100'000, 'a'));
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_LT(refused.error().message.size(), 200U);
}

TEST(Uuids, ATaskLivesInItsJobsShard) {
  Random random(2);
  for (int n = 0; n < 1'000; ++n) {
    const auto job = random.uuid<JobId>();
    const TaskId task = random.task_of(job);
    for (const auto shards : std::initializer_list<std::uint16_t>{1, 3, 64, 256})
      EXPECT_EQ(shard_of(job, shards), shard_of(task, shards));
  }
}

TEST(Uuids, MintedOnesAreOfVersionFour) {
  Random random(3);
  const std::string text = to_text(random.uuid<JobId>());
  EXPECT_EQ(text[14], '4');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
}

TEST(Shards, AreAllUsedAboutEqually) {
  Random random(4);
  std::array<int, 64> hits{};
  for (int n = 0; n < 64'000; ++n) ++hits.at(shard_of(random.uuid<JobId>(), 64).value);
  for (const int count : hits) {
    EXPECT_GT(count, 800);
    EXPECT_LT(count, 1'200);
  }
}

}  // namespace
}  // namespace troupe
