#include "actors/gateway/frame_cache.hpp"

#include <gtest/gtest.h>

namespace troupe::gateway {
namespace {

struct Frames {
  FrameCache cache{20};
  int made = 0;
  std::string of(std::uint64_t index) {
    std::string chunk = "<";
    cache.append_to(chunk, {Index{index}, 1}, [&] {
      ++made;
      return std::string(8, static_cast<char>('a' + index));
    });
    return chunk;
  }
};

TEST(FrameCache, MakesAFrameOnceForAll) {
  Frames frames;
  EXPECT_EQ(frames.of(1), "<bbbbbbbb");
  EXPECT_EQ(frames.of(1), "<bbbbbbbb");
  EXPECT_EQ(frames.made, 1);
}

TEST(FrameCache, ForgetsTheOldestBeyondItsBound) {
  Frames frames;
  for (std::uint64_t index = 1; index <= 3; ++index) frames.of(index);
  EXPECT_EQ(frames.cache.bytes(), 16u);
  frames.of(3), frames.of(2);
  EXPECT_EQ(frames.made, 3);
  EXPECT_EQ(frames.of(1), "<bbbbbbbb") << "who lags gets its frame nevertheless";
  EXPECT_EQ(frames.made, 4);
  frames.of(3), frames.of(2);
  EXPECT_EQ(frames.made, 4) << "and pushes nobody else's out";
}

TEST(FrameCache, AFrameThatIsTooLargeIsToldAndNotKept) {
  FrameCache cache{20};
  std::string chunk;
  cache.append_to(chunk, {Index{1}, 1}, [] { return std::string(100, 'x'); });
  EXPECT_EQ(chunk.size(), 100u);
  EXPECT_EQ(cache.bytes(), 0u);
}

}  // namespace
}  // namespace troupe::gateway
