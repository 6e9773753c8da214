#include "storage/base/msgpack.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace troupe {
namespace {

enum class Colour : std::uint8_t { red, green };
constexpr Colour max_value(Colour) { return Colour::green; }

struct Small {
  std::uint32_t count = 0;
  std::string name;
  static constexpr auto fields() {
    return field_list(field("count", &Small::count), field("name", &Small::name));
  }
  friend bool operator==(const Small&, const Small&) = default;
};

/// Every shape that the codec knows.
struct Everything {
  bool flag = false;
  double real = 0;
  std::int8_t tiny = 0;
  std::int64_t wide = 0;
  std::uint64_t huge = 0;
  std::string text;
  Blob blob;
  Instant at;
  milliseconds wait{0};
  Colour colour = Colour::red;
  Term term;
  JobId job;
  Small small;
  std::vector<Small> list;
  std::array<std::int16_t, 3> three{};
  std::map<std::string, std::int32_t> map;
  std::optional<Small> maybe;
  std::shared_ptr<const Small> shared;
  std::variant<Small, std::string> either;
  static constexpr auto fields() {
    using E = Everything;
    return field_list(
        field("flag", &E::flag), field("real", &E::real), field("tiny", &E::tiny), field("wide", &E::wide),
        field("huge", &E::huge), field("text", &E::text), field("blob", &E::blob), field("at", &E::at),
        field("wait", &E::wait), field("colour", &E::colour), field("term", &E::term), field("job", &E::job),
        field("small", &E::small), field("list", &E::list), field("three", &E::three), field("map", &E::map),
        field("maybe", &E::maybe), field("shared", &E::shared), field("either", &E::either));
  }
};

Everything everything() {
  Everything e;
  e.flag = true;
  e.real = -1.5;
  e.tiny = -128;
  e.wide = std::numeric_limits<std::int64_t>::min();
  e.huge = std::numeric_limits<std::uint64_t>::max();
  e.text = std::string("with\0zero", 9);
  e.blob = Blob(Bytes(70'000, '\xff'));
  e.at = Instant{1'795'339'800'123};
  e.wait = milliseconds(-7);
  e.colour = Colour::green;
  e.term = Term{12};
  e.job.bytes.fill(0xab);
  e.small = {7, "seven"};
  e.list = {{1, "one"}, {2, "two"}};
  e.three = {-1, 0, 300};
  e.map = {{"a", 1}, {"b", -70'000}};
  e.maybe = Small{3, "three"};
  e.shared = std::make_shared<const Small>(Small{4, "four"});
  e.either = "either";
  return e;
}

TEST(Msgpack, EveryShapeComesBackAsItWent) {
  const Everything before = everything();
  const Bytes bytes = packed(before);
  const auto after = unpacked<Everything>(bytes);
  ASSERT_TRUE(after.ok());
  const Everything& e = after.value();
  EXPECT_EQ(packed(e), bytes);
  EXPECT_EQ(e.real, before.real);
  EXPECT_EQ(e.tiny, before.tiny);
  EXPECT_EQ(e.wide, before.wide);
  EXPECT_EQ(e.huge, before.huge);
  EXPECT_EQ(e.text, before.text);
  EXPECT_EQ(e.blob, before.blob);
  EXPECT_EQ(e.at, before.at);
  EXPECT_EQ(e.wait, before.wait);
  EXPECT_EQ(e.colour, before.colour);
  EXPECT_EQ(e.job, before.job);
  EXPECT_EQ(e.list, before.list);
  EXPECT_EQ(e.three, before.three);
  EXPECT_EQ(e.map, before.map);
  EXPECT_EQ(e.maybe, before.maybe);
  EXPECT_EQ(*e.shared, *before.shared);
  EXPECT_EQ(e.either, before.either);
  EXPECT_EQ(packed(unpacked<Everything>(packed(Everything{})).value()), packed(Everything{}));
}

TEST(Msgpack, IntegersKeepTheirValueAtEveryWidth) {
  for (int bit = 0; bit < 64; ++bit)
    for (const std::int64_t near : {-1, 0, 1}) {
      const std::uint64_t u = (std::uint64_t{1} << bit) + static_cast<std::uint64_t>(near);
      EXPECT_EQ(unpacked<std::uint64_t>(packed(u)).value(), u);
      const auto s = static_cast<std::int64_t>(u);
      EXPECT_EQ(unpacked<std::int64_t>(packed(s)).value(), s);
    }
}

TEST(Msgpack, RealsComeBackWhateverTheirValue) {
  for (const double value :
       {0.0, -0.0, 1.0, -3.0, 0.1, 1e300, 9'007'199'254'740'993.0, std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::denorm_min()}) {
    const auto back = unpacked<double>(packed(value));
    ASSERT_TRUE(back.ok()) << value;
    EXPECT_EQ(back.value(), value);
  }
  EXPECT_FALSE(unpacked<double>(packed(std::int64_t{1})).ok());
}

TEST(Msgpack, IntegersThatDoNotFitAreRefused) {
  EXPECT_FALSE(unpacked<std::uint8_t>(packed(std::uint64_t{256})).ok());
  EXPECT_FALSE(unpacked<std::uint16_t>(packed(std::uint64_t{65'536})).ok());
  EXPECT_FALSE(unpacked<std::int8_t>(packed(std::int64_t{128})).ok());
  EXPECT_FALSE(unpacked<std::int8_t>(packed(std::int64_t{-129})).ok());
  EXPECT_FALSE(unpacked<std::uint32_t>(packed(std::int64_t{-1})).ok());
  EXPECT_FALSE(unpacked<std::int64_t>(packed(std::numeric_limits<std::uint64_t>::max())).ok());
  EXPECT_FALSE(unpacked<Colour>(packed(std::uint64_t{2})).ok());
  EXPECT_EQ(unpacked<Colour>(packed(std::uint64_t{1})).value(), Colour::green);
}

struct Grown {
  std::uint32_t count = 0;
  std::string name;
  std::vector<Small> extra;
  std::int64_t fallback = 42;
  static constexpr auto fields() {
    return field_list(field("count", &Grown::count), field("name", &Grown::name),
                      field("extra", &Grown::extra), field("fallback", &Grown::fallback));
  }
};

TEST(MsgpackEvolution, AnOlderReaderSkipsWhatANewerWriterAdded) {
  const auto read = unpacked<Small>(packed(Grown{5, "five", {{1, "one"}, {2, "two"}}, 43}));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value(), (Small{5, "five"}));
}

TEST(MsgpackEvolution, ANewerReaderFindsDefaultsWhereAnOlderWriterStopped) {
  const auto read = unpacked<Grown>(packed(Small{5, "five"}));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().name, "five");
  EXPECT_TRUE(read.value().extra.empty());
  EXPECT_EQ(read.value().fallback, 42);
  Bytes none;
  PackWriter(none).array(0);
  EXPECT_EQ(unpacked<Grown>(none).value().fallback, 42);
}

TEST(MsgpackEvolution, BehindTheSurplusTheRestIsReadAsBefore) {
  const Bytes bytes = packed(std::vector<Grown>{{1, "one", {{9, "nine"}}, 7}, {2, "two", {}, 8}});
  const auto read = unpacked<std::vector<Small>>(bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value(), (std::vector<Small>{{1, "one"}, {2, "two"}}));
}

TEST(Msgpack, BytesLeftOverAreRefused) {
  EXPECT_FALSE(unpacked<Small>(packed(Small{1, "one"}) + '\0').ok());
  EXPECT_FALSE(unpacked<Small>("").ok());
}

TEST(Msgpack, AMapThatNamesAKeyTwiceIsRefused) {
  Bytes bytes;
  PackWriter writer(bytes);
  writer.map(2);
  for (int n = 0; n < 2; ++n) writer.text("same"), writer.sint(n);
  EXPECT_FALSE((unpacked<std::map<std::string, std::int32_t>>(bytes).ok()));
}

TEST(Msgpack, FixedArraysAndVariantsHaveExactlyTheirLength) {
  EXPECT_FALSE((unpacked<std::array<std::int16_t, 3>>(packed(std::vector<std::int16_t>{1, 2})).ok()));
  EXPECT_FALSE((unpacked<std::array<std::int16_t, 3>>(packed(std::vector<std::int16_t>{1, 2, 3, 4})).ok()));
  Bytes third;
  PackWriter writer(third);
  writer.array(2);
  writer.uint(2);
  writer.text("of two alternatives");
  EXPECT_FALSE((unpacked<std::variant<Small, std::string>>(third).ok()));
}

TEST(Msgpack, TheFirstFailureSticks) {
  const Bytes bytes = packed(std::string("text"));
  PackReader reader(bytes);
  EXPECT_EQ(reader.uint(), 0U);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.text(), "");
  EXPECT_EQ(reader.array(), 0U);
  EXPECT_EQ(reader.left(), 0U);
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace troupe
