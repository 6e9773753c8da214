#include <gtest/gtest.h>

#include <sstream>

#include "cmd/troupe/cli_client.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {
namespace {

TEST(Table, CountsCharactersAndTamesControls) {
  Table table({"A", "B"});
  table.add({"é", "x"});
  table.add({"", std::string("\x1b[2J") + "y"});
  table.add({"longer", "z"});
  std::ostringstream out;
  table.print(out);
  EXPECT_EQ(out.str(), "A       B\né       x\n-       ?[2Jy\nlonger  z\n");
}

TEST(AgeText, GrowsCoarser) {
  EXPECT_EQ(age_text({}, {5}), "-");
  EXPECT_EQ(age_text({1000}, {500}), "0s");
  EXPECT_EQ(age_text({1000}, {120'000}), "119s");
  EXPECT_EQ(age_text({1000}, {301'000}), "5m");
  EXPECT_EQ(age_text({1000}, {3 * 3'600'000 + 1000}), "3h");
  EXPECT_EQ(age_text({1000}, {12LL * 86'400'000 + 1000}), "12d");
}

TEST(Duration, HasAUnit) {
  EXPECT_EQ(duration_of("500ms"), milliseconds(500));
  EXPECT_EQ(duration_of("30s"), milliseconds(30'000));
  EXPECT_EQ(duration_of("30"), milliseconds(30'000));
  EXPECT_EQ(duration_of("5m"), milliseconds(300'000));
  EXPECT_EQ(duration_of("2h"), milliseconds(7'200'000));
  for (const auto* wrong : {"", "s", "-1s", "1d", "1.5s", "5 s", "99999999999999999999s", "2000000000h"})
    EXPECT_FALSE(duration_of(wrong)) << wrong;
}

TEST(Address, MayLackHostOrPort) {
  EXPECT_EQ(config_of("10.0.0.7:80").value().port, 80);
  EXPECT_EQ(config_of("10.0.0.7:80").value().host, "10.0.0.7");
  EXPECT_EQ(config_of("h").value().port, 7001);
  EXPECT_EQ(config_of(":81").value().host, "127.0.0.1");
  for (const auto* wrong : {"", "h:", "h:0", "h:x", "h:70000", "h:80x"})
    EXPECT_FALSE(config_of(wrong).ok()) << wrong;
}

TEST(UrlText, EscapesWhatIsNotPlain) { EXPECT_EQ(url_text("a b/é&?~"), "a%20b%2F%C3%A9%26%3F~"); }

TEST(PositionOf, FollowsPathsWhoseNamesHaveDots) {
  const auto document = json::parse("{\"a.b\": {\"c\": [1,\n 2]}, \"a\": 3}").value();
  const auto at = [&](std::string_view path) {
    const auto position = position_of(document, path);
    return std::to_string(position.line) + ':' + std::to_string(position.column);
  };
  EXPECT_EQ(at("a.b.c[1]"), "2:2");
  EXPECT_EQ(at("a"), "2:12");
  EXPECT_EQ(at(""), "1:1");
  EXPECT_EQ(at("a.b.missing"), "1:9");
  EXPECT_EQ(at("a.b.c[7]"), "1:15");
  EXPECT_EQ(at("a.b.c[x"), "1:15");
}

TEST(Value, WhatIsAbsentReadsAsEmpty) {
  const auto value = json::parse(R"({"a": {"b.c": "7", "d": true}, "e": [1]})").value();
  EXPECT_EQ(text_at(value, "a/b.c"), "7");
  EXPECT_EQ(integer_at(value, "a/b.c"), 7);
  EXPECT_EQ(text_at(value, "a/d"), "true");
  EXPECT_TRUE(is_true_at(value, "a/d"));
  EXPECT_EQ(text_at(value, "a"), "");
  EXPECT_EQ(text_at(value, "a/x/y"), "");
  EXPECT_EQ(integer_at(value, "e"), 0);
  EXPECT_TRUE(items_of(value).empty());
}

}  // namespace
}  // namespace troupe::cli
