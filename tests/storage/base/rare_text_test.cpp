#include "storage/base/rare_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

TEST(RareText, IsSmallAndEmptyAtFirst) {
  static_assert(sizeof(RareText) == sizeof(void*));
  const RareText text;
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text, "");
}

TEST(RareText, KeepsWhatItIsGiven) {
  RareText text("why");
  EXPECT_EQ(text, "why");
  text = "another reason";
  EXPECT_EQ(text.view(), "another reason");
  text = std::string_view();
  EXPECT_TRUE(text.empty());
}

TEST(RareText, CopiesShareNothing) {
  RareText first("why");
  const RareText second = first;
  first.clear();
  EXPECT_EQ(second, "why");
  EXPECT_FALSE(first == second);
  first = second;
  EXPECT_EQ(first, second);
  const RareText& alias = first;
  first = alias;
  EXPECT_EQ(first, "why");
}

TEST(RareText, IsPackedLikeAString) {
  for (const std::string& plain : {std::string(), std::string("crashed"), std::string(70'000, 'x')}) {
    const RareText text(plain);
    EXPECT_EQ(packed(text), packed(plain));
    const auto back = unpacked<RareText>(packed(plain));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back.value(), plain);
  }
  EXPECT_FALSE(unpacked<RareText>(packed(std::uint64_t{7})).ok());
}

}  // namespace
}  // namespace troupe
