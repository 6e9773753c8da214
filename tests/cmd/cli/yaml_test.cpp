#include <gtest/gtest.h>

#include "cmd/troupe/cli_yaml.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

std::string json_of(std::string_view yaml) {
  const auto value = parse_yaml(yaml);
  return value.ok() ? json::to_json(value.value()) : "refused: " + value.error().message;
}

TEST(Yaml, BecomesJson) {
  EXPECT_EQ(json_of("a: 1\nb: [x, 'y']\nc:\n  d: null\n  e: ~\n  f:\n"),
            R"({"a":1,"b":["x","y"],"c":{"d":null,"e":null,"f":null}})");
}

TEST(Yaml, PlainScalarsAreTypedAndQuotedOnesAreNot) {
  EXPECT_EQ(json_of("[1, -2, +3, 1.5, 1e3, true, False, yes, 0x10, 1.2.3, '7', \"true\", !!str 8]"),
            R"([1,-2,3,1.5,1000.0,true,false,"yes","0x10","1.2.3","7","true","8"])");
}

TEST(Yaml, KnowsWhereThingsStood) {
  const auto value = parse_yaml("a: 1\nb:\n  c: x\n").value();
  EXPECT_EQ(value.find("b")->find("c")->at(), (json::Position{3, 6}));
}

TEST(Yaml, RefusesWhatIsWrongWithItsPlace) {
  const auto broken = parse_yaml("a: [1\nb: 2");
  ASSERT_FALSE(broken.ok());
  EXPECT_GT(broken.error().violations.at(0).line, 0u);
  const auto twice = parse_yaml("a:\n  b: 1\n  b: 2\n");
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().violations.at(0), (Violation{"a.b", "is there twice", 3, 3}));
  EXPECT_FALSE(parse_yaml("? [a]\n: b\n").ok());
}

TEST(Yaml, IsBounded) {
  EXPECT_FALSE(parse_yaml(std::string(5 * 1024 * 1024, ' ')).ok());
  EXPECT_FALSE(parse_yaml(std::string(100'000, '[')).ok());
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j == 0 ? "*a" : ", *a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  const auto exploded = parse_yaml(bomb);
  ASSERT_FALSE(exploded.ok());
  EXPECT_EQ(exploded.error().message, "the document has too many values");
}

}  // namespace
}  // namespace troupe::cli
