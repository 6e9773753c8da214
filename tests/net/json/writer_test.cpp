#include "net/json/writer.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "net/json/utf8.hpp"
#include "storage/base/random.hpp"

namespace troupe::json {

enum class Plain : std::uint8_t { zero, one };
enum class Named : std::uint8_t { red, green };
std::string_view enum_text(Named value) { return value == Named::red ? "red" : "green"; }

struct Inner {
  std::int32_t x = 0;
  static constexpr auto fields() { return field_list(field("x", &Inner::x)); }
};
struct Labelled {
  static constexpr std::string_view type_name = "labelled";
  bool on = true;
  static constexpr auto fields() { return field_list(field("on", &Labelled::on)); }
};
struct Record {
  JobId id;
  Instant at{1234};
  milliseconds wait{50};
  Plain plain = Plain::one;
  Named named = Named::green;
  HostId host{7};
  std::optional<std::string> none;
  std::optional<Inner> some = Inner{3};
  std::vector<Inner> list{{1}, {2}};
  std::map<HostId, std::string> map{{HostId{4}, "four"}};
  std::shared_ptr<const Inner> shared = std::make_shared<Inner>(Inner{9});
  std::shared_ptr<const Inner> nobody;
  std::variant<Inner, Labelled, std::monostate> first = Inner{5};
  std::variant<Inner, Labelled, std::monostate> second = Labelled{};
  std::variant<Inner, Labelled, std::monostate> third = std::monostate{};
  std::vector<bool> bits{true, false};
  std::uint64_t big = std::numeric_limits<std::uint64_t>::max();
  static constexpr auto fields() {
    return field_list(
        field("id", &Record::id), field("at", &Record::at), field("wait", &Record::wait),
        field("plain", &Record::plain), field("named", &Record::named), field("host", &Record::host),
        field("none", &Record::none), field("some", &Record::some), field("list", &Record::list),
        field("map", &Record::map), field("shared", &Record::shared), field("nobody", &Record::nobody),
        field("first", &Record::first), field("second", &Record::second), field("third", &Record::third),
        field("bits", &Record::bits), field("big", &Record::big));
  }
};

namespace {

TEST(JsonWriter, WritesARecordByItsFields) {
  EXPECT_EQ(
      to_json(Record{}),
      R"({"id":"00000000-0000-0000-0000-000000000000","at":1234,"wait":50,"plain":1,"named":"green","host":7,)"
      R"("none":null,"some":{"x":3},"list":[{"x":1},{"x":2}],"map":{"4":"four"},"shared":{"x":9},"nobody":null,)"
      R"("first":{"alternative":0,"value":{"x":5}},"second":{"labelled":{"on":true}},"third":null,)"
      R"("bits":[true,false],"big":18446744073709551615})");
}

TEST(JsonWriter, EscapesWhatJsonDemands) {
  EXPECT_EQ(to_json(std::string_view("a\"\\\n\t\x01/\x7f\0z", 10)),
            "\"a\\\"\\\\\\n\\t\\u0001/\x7f\\u0000z\"");
}

TEST(JsonWriter, AnyBytesMakeValidJson) {
  EXPECT_EQ(to_json(std::string_view("a\xff"
                                     "b\xe2\x82")),
            "\"a\xef\xbf\xbd"
            "b\xef\xbf\xbd\"");
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (std::uint64_t size = random.below(40); size > 0; --size)
      bytes += static_cast<char>(1 + random.below(255));
    Writer writer;
    writer.begin_object();
    writer.key(bytes);
    writer.text(bytes);
    writer.end_object();
    const std::string text = writer.take();
    const auto back = parse(text);
    ASSERT_TRUE(back.ok()) << "seed 3 round " << i;
    ASSERT_EQ(*back.value().object()->at(0).value.text(), utf8_with_replacements(bytes));
    ASSERT_EQ(is_utf8(bytes), utf8_with_replacements(bytes) == bytes);
  }
}

TEST(JsonWriter, NumbersThatAreNotFiniteBecomeNull) {
  EXPECT_EQ(to_json(std::vector<double>{0.5, std::numeric_limits<double>::infinity(),
                                        std::numeric_limits<double>::quiet_NaN(), 1e300}),
            "[0.5,null,null,1e300]");
}

TEST(JsonWriter, PrettyIndentsByTwo) { EXPECT_EQ(to_json(Inner{1}, Style::pretty), "{\n  \"x\": 1\n}"); }

TEST(JsonWriter, ATreeIsWrittenAsItWasRead) {
  constexpr std::string_view text = R"({"a":[1,-2,2.5,true,null,"x"],"b":{},"c":18446744073709551615})";
  EXPECT_EQ(to_json(parse(text).value()), text);
}

TEST(JsonWriter, CanBeUsedAgainAfterTake) {
  Writer writer(Style::compact);
  writer.integer(1);
  EXPECT_EQ(writer.take(), "1");
  writer.text("two");
  EXPECT_EQ(writer.take(), "\"two\"");
}

TEST(JsonWriterDeathTest, WhatIsNoJsonStopsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Writer w;
        w.begin_object();
        w.integer(1);
      },
      "check_failed");
  EXPECT_DEATH(
      {
        Writer w;
        w.begin_array();
        w.end_object();
      },
      "check_failed");
  EXPECT_DEATH(
      {
        Writer w;
        w.integer(1);
        w.integer(2);
      },
      "check_failed");
}

}  // namespace
}  // namespace troupe::json
