#include <gtest/gtest.h>

#include <limits>

#include "net/json/value.hpp"
#include "net/json/writer.hpp"
#include "storage/base/random.hpp"

namespace troupe::json {
namespace {

Violation refusal_of(std::string_view text, const Limits& limits = {}) {
  const auto result = parse(text, limits);
  EXPECT_FALSE(result.ok()) << text.substr(0, 100);
  if (result.ok()) return {};
  EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(result.error().violations.size(), 1u);
  return result.error().violations.at(0);
}

void expect_refused_at(std::string_view text, std::uint32_t line, std::uint32_t column,
                       std::string_view path = "") {
  const Violation violation = refusal_of(text);
  EXPECT_EQ(violation.line, line) << text << ": " << violation.message;
  EXPECT_EQ(violation.column, column) << text << ": " << violation.message;
  EXPECT_EQ(violation.path, path) << text << ": " << violation.message;
}

TEST(JsonParse, EveryValueAndNameKnowsItsPosition) {
  const auto result =
      parse("{\n  \"name\" : \"caf\xc3\xa9\", \"list\":[1, -2,\n true],\n \"o\":{ \"x\" :null}}");
  ASSERT_TRUE(result.ok());
  const Value& root = result.value();
  EXPECT_EQ(root.at(), (Position{1, 1}));
  ASSERT_EQ(root.object()->size(), 3u);
  EXPECT_EQ((*root.object())[0].at, (Position{2, 3}));
  EXPECT_EQ(root.find("name")->at(), (Position{2, 12}));
  EXPECT_EQ(*root.find("name")->text(), "caf\xc3\xa9");
  EXPECT_EQ((*root.object())[1].at, (Position{2, 20}));  // One character, not two, for the accent.
  const Array& list = *root.find("list")->array();
  EXPECT_EQ(root.find("list")->at(), (Position{2, 27}));
  EXPECT_EQ(list.at(0).at(), (Position{2, 28}));
  EXPECT_EQ(list.at(1).at(), (Position{2, 31}));
  EXPECT_EQ(list.at(2).at(), (Position{3, 2}));
  EXPECT_EQ(root.find("o")->at(), (Position{4, 6}));
  EXPECT_EQ(root.find("o")->find("x")->at(), (Position{4, 13}));
}

TEST(JsonParse, AStringWithEscapesDoesNotShiftWhatFollows) {
  const auto result = parse(R"({"a":"\u00e9\n\"","b":[],"c":{},"d":1.5e3 , "e":7})");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value().find("b")->at(), (Position{1, 23}));
  EXPECT_EQ(result.value().find("c")->at(), (Position{1, 30}));
  EXPECT_EQ(result.value().find("d")->at(), (Position{1, 37}));
  EXPECT_EQ(result.value().find("e")->at(), (Position{1, 49}));
}

TEST(JsonParse, IntegersStayIntegers) {
  const auto result = parse("[9223372036854775807,-9223372036854775808,18446744073709551615,0,-0,1.0,1e2]");
  ASSERT_TRUE(result.ok());
  const Array& list = *result.value().array();
  EXPECT_EQ(*list.at(0).integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(*list.at(1).integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(*list.at(2).big_integer(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(*list.at(3).integer(), 0);
  EXPECT_EQ(*list.at(4).integer(), 0);
  EXPECT_EQ(*list.at(5).real(), 1.0);
  EXPECT_EQ(*list.at(6).real(), 100.0);
}

TEST(JsonParse, AnIntegerBeyondSixtyFourBitsIsRefusedAndNeverADouble) {
  expect_refused_at(R"({"count": 18446744073709551616})", 1, 11, "count");
  expect_refused_at(R"({"a":{"count": -9223372036854775809}})", 1, 16, "a.count");
  expect_refused_at("[1, 123456789012345678901234567890]", 1, 5, "[1]");
  EXPECT_FALSE(parse("[" + std::string(400, '9') + "]").ok());
  EXPECT_FALSE(parse("[1e400]").ok());
}

TEST(JsonParse, ANameGivenTwiceIsRefusedWhereItStandsAgain) {
  expect_refused_at("{\"job\":{\"a\":1,\"b\":2,\n \"a\":3}}", 2, 2, "job.a");
  EXPECT_TRUE(parse(R"({"a":{"a":1},"b":{"a":1}})").ok());
}

TEST(JsonParse, NulBytesAreRefusedRawAndEscaped) {
  expect_refused_at(std::string_view("{\"a\":\"x\0\"}", 10), 1, 8);
  expect_refused_at(std::string_view("[1]\0", 4), 1, 4);
  expect_refused_at(R"({"a":"x\u0000"})", 1, 6, "a");
  EXPECT_FALSE(parse(R"({"a\u0000":1})").ok());
}

TEST(JsonParse, BadUtf8IsRefused) {
  for (const std::string bad :
       {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\x80"}) {
    EXPECT_FALSE(parse("{\"a\":\"" + bad + "\"}").ok());
    EXPECT_FALSE(parse("{\"" + bad + "\":1}").ok());
  }
  EXPECT_FALSE(parse(R"(["\ud800"])").ok());
  EXPECT_TRUE(parse(R"(["\ud83d\ude00"])").ok());
}

TEST(JsonParse, SyntaxErrorsAreRefused) {
  for (const auto* text :
       {"",          " ",       "{",  "[1,]", "{\"a\":1,}", "[01]", "// x\n1", "NaN",  "[1] 2",
        "{a:1}",     "'a'",     "[1", "\"x",  "tru",        "[+1]", "[.5]",    "[1.]", "\xef\xbb\xbf{}",
        "{\"a\" 1}", "[\"\t\"]"})
    refusal_of(text);
  expect_refused_at("{\n\"a\": 1,\n\"b\" 2}", 3, 5, "b");
}

TEST(JsonParse, NestingIsCountedAndRefusedWithoutRecursion) {
  const std::string deepest = std::string(64, '[') + std::string(64, ']');
  EXPECT_TRUE(parse(deepest).ok());
  EXPECT_EQ(refusal_of("[" + deepest + "]").column, 65u);
  EXPECT_EQ(refusal_of(std::string(100'000, '[')).column, 65u);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(parse(objects).ok());
}

TEST(JsonParse, SizeAndNumberOfValuesAreBounded) {
  EXPECT_TRUE(parse("[1,2]", Limits{64, 5, 3}).ok());
  EXPECT_FALSE(parse("[1,2]", Limits{64, 4, 3}).ok());
  EXPECT_FALSE(parse("[1,2]", Limits{64, 5, 2}).ok());
}

TEST(JsonParse, AHundredThousandNamesDoNotCostQuadraticTime) {
  std::string text = "{";
  for (int i = 0; i < 99'000; ++i) text += "\"" + std::to_string(i) + "\":1,";
  text += "\"5\":1}";
  EXPECT_EQ(refusal_of(text).message, "the name is given twice");
}

constexpr std::string_view job_bodies[] = {
    R"({"owner":{"teamEmail":"a@b.c"},"applicationName":"app","jobGroupInfo":{"stack":"s","detail":"d","sequence":"v001"},
  "container":{"resources":{"cpu":1.5,"memoryMB":512,"diskMB":10000,"networkMbps":128,"gpu":0},
    "image":{"name":"ubuntu","tag":"latest"},"entryPoint":["/bin/sh","-c","sleep 3600"],"env":{"PATH":"/bin","X":"\u00e9"}},
  "batch":{"size":2,"runtimeLimitSec":"3600","retryPolicy":{"delayed":{"delayMs":1000,"maxDelayMs":60000,"retries":3}}}})",
    R"({"service":{"capacity":{"min":1,"desired":5,"max":10},"enabled":true,"migrationPolicy":{"selfManaged":{}}},
  "softConstraints":{"constraints":{"availabilityZone":""}},"attributes":{"k":"v","n":null},"weights":[1,2.5,-3e-2,[],{}]})"};

std::string mutated(std::string text, Random& random) {
  constexpr std::string_view spice = "{}[]\",:\\0123456789eE+-.tfnu \n\t\xff\xc3";
  for (std::uint64_t edits = 1 + random.below(4); edits > 0 && !text.empty(); --edits) {
    const std::size_t at = random.below(text.size());
    const std::size_t size = random.below(12);
    switch (random.below(5)) {
      case 0:
        text[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        text.erase(at, size);
        break;
      case 2:
        text.insert(at, 1, spice[random.below(spice.size())]);
        break;
      case 3:
        text.insert(at, text.substr(random.below(text.size()), size));
        break;
      case 4:
        text.resize(at);
        break;
    }
  }
  return text;
}

TEST(JsonParse, TwentyThousandMutatedBodiesParseOrPointIntoTheText) {
  Random random(7);
  int parsed = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = mutated(std::string(job_bodies[i % 2]), random);
    const auto result = parse(text);
    if (result.ok()) {
      ++parsed;
      const auto again = parse(to_json(result.value()));
      ASSERT_TRUE(again.ok()) << "seed 7 round " << i << "\n" << text;
      continue;
    }
    ASSERT_EQ(result.error().violations.size(), 1u);
    const Violation& at = result.error().violations[0];
    std::size_t line_start = 0;
    for (std::uint32_t line = 1; line < at.line; ++line) {
      line_start = text.find('\n', line_start);
      ASSERT_NE(line_start, std::string::npos) << "seed 7 round " << i << "\n" << text;
      ++line_start;
    }
    const std::size_t line_size = std::min(text.find('\n', line_start), text.size()) - line_start;
    ASSERT_GE(at.column, 1u);
    ASSERT_LE(at.column, line_size + 1) << "seed 7 round " << i << "\n" << text;
  }
  EXPECT_GT(parsed, 500);
  EXPECT_LT(parsed, 19'500);
}

}  // namespace
}  // namespace troupe::json
