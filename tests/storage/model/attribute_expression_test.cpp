#include "storage/model/attribute_expression.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

const StringMap host_attributes{{"rack", "r7"}, {"gpuModel", "a100"}, {"cores", "32"}, {"spot", ""}};

bool holds(std::string_view text) {
  const auto parsed = AttributeExpression::parse(text);
  EXPECT_TRUE(parsed.ok()) << text << ": " << (parsed.ok() ? "" : parsed.error().message);
  return parsed.ok() && parsed.value().holds(host_attributes);
}

TEST(AttributeExpression, SaysWhatAHostIs) {
  EXPECT_TRUE(holds("rack"));
  EXPECT_TRUE(holds("spot"));
  EXPECT_FALSE(holds("disk"));
  EXPECT_TRUE(holds("rack = r7"));
  EXPECT_TRUE(holds("rack == \"r7\""));
  EXPECT_FALSE(holds("rack != r7"));
  EXPECT_TRUE(holds("disk != ssd"));
  EXPECT_TRUE(holds("gpuModel in (v100, a100)"));
  EXPECT_FALSE(holds("gpuModel not in (v100, a100)"));
  EXPECT_TRUE(holds("disk not in (ssd)"));
  EXPECT_TRUE(holds("cores >= 32 && cores <= 32 && cores > 31 && cores < 33"));
  EXPECT_FALSE(holds("rack > 3")) << "no number";
}

TEST(AttributeExpression, JoinsByTheUsualPrecedence) {
  EXPECT_TRUE(holds("rack || disk && disk"));
  EXPECT_FALSE(holds("(rack || disk) && disk"));
  EXPECT_TRUE(holds("!disk && !(disk || tape)"));
  EXPECT_FALSE(holds("!!disk"));
  EXPECT_TRUE(holds("notable != 1")) << "a name may begin like a word of the language";
}

TEST(AttributeExpression, KnowsItsKeys) {
  EXPECT_EQ(AttributeExpression::parse("a = 1 && (b || !c)").value().keys(),
            (std::vector<std::string>{"a", "b", "c"}));
}

TEST(AttributeExpression, RefusesWhatItCannotReadAndSaysWhere) {
  for (const char* wrong : {"", "&& a", "a &&", "(a", "a)", "a = ", "a in b", "a in (b", "a in ()", "a b",
                            "a not b", "\"a", "a = 'b'", "a ! b"}) {
    const auto parsed = AttributeExpression::parse(wrong);
    ASSERT_FALSE(parsed.ok()) << wrong;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(parsed.error().message.find("(at character "), std::string::npos);
  }
}

TEST(AttributeExpression, IsBounded) {
  EXPECT_FALSE(AttributeExpression::parse(std::string(40, '!') + "a").ok());
  EXPECT_FALSE(AttributeExpression::parse(std::string(40, '(') + "a" + std::string(40, ')')).ok());
  EXPECT_FALSE(AttributeExpression::parse(std::string(600, 'a')).ok());
}

}  // namespace
}  // namespace troupe
