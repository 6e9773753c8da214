// Bytes by part of the log, against a plain list of all entries.

#include "storage/log/log_sizes.hpp"

#include <gtest/gtest.h>

#include <map>

#include "storage/base/random.hpp"

namespace troupe {
namespace {

TEST(LogSizes, counts_what_is_appended_truncated_and_compacted) {
  LogSizes sizes;
  EXPECT_EQ(sizes.total(), 0u);
  for (std::uint64_t index = 1; index <= 10; ++index) sizes.append(Index{index}, 100);
  EXPECT_EQ(sizes.total(), 1'000u);
  EXPECT_EQ(sizes.behind(Index{7}), 300u);
  EXPECT_EQ(sizes.behind(Index{10}), 0u);
  EXPECT_EQ(sizes.reaching_back(Index{10}, 250), Index{8});
  EXPECT_EQ(sizes.reaching_back(Index{6}, 250), Index{4});
  EXPECT_EQ(sizes.reaching_back(Index{6}, 10'000), Index{0});
  sizes.truncate_from(Index{9});
  EXPECT_EQ(sizes.total(), 800u);
  sizes.append(Index{9}, 100);
  sizes.compact(Index{4});
  EXPECT_EQ(sizes.total(), 500u);
  EXPECT_EQ(sizes.reaching_back(Index{9}, 10'000), Index{4});
  sizes.compact(Index{20});
  EXPECT_EQ(sizes.total(), 0u);
  sizes.append(Index{21}, 7);
  EXPECT_EQ(sizes.total(), 7u);
}

TEST(LogSizes, stays_near_the_truth_in_a_random_life) {
  constexpr std::uint64_t slack = 3 * LogSizes::block_bytes;
  Random random(3);
  LogSizes sizes;
  std::map<std::uint64_t, std::uint64_t> truth;
  std::uint64_t edge = 0, last = 0;
  const auto true_behind = [&](std::uint64_t index) {
    std::uint64_t sum = 0;
    for (auto at = truth.upper_bound(index); at != truth.end(); ++at) sum += at->second;
    return sum;
  };
  for (int step = 0; step < 3'000; ++step) {
    const auto dice = random.between(0, 100);
    if (dice < 96 || last == edge) {
      const auto bytes = static_cast<std::uint64_t>(random.between(32, 20'000));
      truth[++last] = bytes;
      sizes.append(Index{last}, bytes);
    } else if (dice < 98) {
      const auto from =
          last - static_cast<std::uint64_t>(random.between(
                     0, static_cast<std::int64_t>(std::min<std::uint64_t>(last - edge - 1, 30))));
      truth.erase(truth.lower_bound(from), truth.end());
      sizes.truncate_from(Index{from});
      last = from - 1;
    } else {
      edge += static_cast<std::uint64_t>(random.between(0, static_cast<std::int64_t>(last - edge)) / 2);
      truth.erase(truth.begin(), truth.upper_bound(edge));
      sizes.compact(Index{edge});
    }
    ASSERT_NEAR(static_cast<double>(sizes.total()), static_cast<double>(true_behind(edge)), 2 * slack);
    const std::uint64_t at =
        edge + static_cast<std::uint64_t>(random.between(0, static_cast<std::int64_t>(last - edge)));
    ASSERT_NEAR(static_cast<double>(sizes.behind(Index{at})), static_cast<double>(true_behind(at)),
                2 * slack);
    const Index back = sizes.reaching_back(Index{last}, 300'000);
    ASSERT_GE(back, Index{edge});
    ASSERT_LE(true_behind(back.value), 300'000 + 2 * slack);
    if (back > Index{edge}) {
      ASSERT_GE(true_behind(back.value) + 2 * slack, 300'000u);
    }
  }
}

}  // namespace
}  // namespace troupe
