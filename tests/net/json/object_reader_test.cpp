#include "net/json/object_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::json {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class ObjectReaderTest : public testing::Test {
 protected:
  ObjectReader read(std::string_view text) {
    auto parsed = parse(text);
    EXPECT_TRUE(parsed.ok());
    value_ = std::move(parsed).value();
    return ObjectReader(value_, "", violations_);
  }
  Value value_;
  std::vector<Violation> violations_;
};

TEST_F(ObjectReaderTest, ReadsEveryKindOfField) {
  auto reader = read(R"({"s":"x","b":true,"i":-3,"n":1.5,"k":2,"m":{"A":"1"},"l":["p","q"],"o":{"y":1},
                         "os":[{"y":2},{"y":3}],"none":null})");
  EXPECT_EQ(reader.required_string("s"), "x");
  EXPECT_EQ(reader.required_bool("b"), true);
  EXPECT_EQ(reader.required_integer("i"), -3);
  EXPECT_EQ(reader.required_number("n"), 1.5);
  EXPECT_EQ(reader.required_number("k"), 2.0);
  EXPECT_THAT(reader.required_string_map("m"), ElementsAre(Pair("A", "1")));
  EXPECT_THAT(reader.required_string_list("l"), ElementsAre("p", "q"));
  auto object = reader.required_object("o");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->path(), "o");
  EXPECT_EQ(object->required_integer("y"), 1);
  auto objects = reader.required_object_list("os");
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(objects[1].path(), "os[1]");
  EXPECT_EQ(objects[1].required_integer("y"), 3);
  EXPECT_EQ(reader.optional_string("none"), std::nullopt);
  EXPECT_EQ(reader.optional_integer("absent"), std::nullopt);
  reader.finish();
  EXPECT_THAT(violations_, IsEmpty());
}

TEST_F(ObjectReaderTest, CollectsAllComplaintsWithPathAndPosition) {
  auto reader = read(
      "{\"container\":{\"env\":{\"PATH\":null,\n\"HOME\":\"/"
      "\"},\"size\":70},\n\"count\":\"3\",\"l\":[\"a\",1]}");
  auto container = reader.required_object("container");
  ASSERT_TRUE(container);
  EXPECT_THAT(container->required_string_map("env"), ElementsAre(Pair("HOME", "/")));
  EXPECT_EQ(container->required_integer("size", {1, 64}), 0);
  EXPECT_EQ(container->required_string("image"), "");
  container->finish();
  EXPECT_EQ(reader.optional_integer("count"), std::nullopt);
  reader.required_string_list("l");
  reader.finish();
  EXPECT_THAT(violations_, ElementsAre(Violation{"container.env.PATH", "must be a string, is null", 1, 29},
                                       Violation{"container.size", "must be from 1 to 64", 2, 20},
                                       Violation{"container.image", "is required", 1, 14},
                                       Violation{"count", "must be an integer, is a string", 3, 9},
                                       Violation{"l[1]", "must be a string, is an integer", 3, 22}));
  EXPECT_EQ(violations_error(violations_).code, ErrorCode::invalid_argument);
  EXPECT_EQ(violations_error(violations_).message,
            "container.env.PATH: must be a string, is null (and 4 more)");
}

TEST_F(ObjectReaderTest, AnUnknownFieldIsRefusedWithTheNearestKnownName) {
  auto reader = read(R"({"runtimeLimitSecs":5, "qqqqqqqqqqqq":1})");
  reader.optional_integer("runtimeLimitSec");
  reader.optional_integer("size");
  reader.finish();
  EXPECT_THAT(violations_, ElementsAre(Violation{"runtimeLimitSecs",
                                                 "is not a known field; did you mean runtimeLimitSec?", 1, 2},
                                       Violation{"qqqqqqqqqqqq", "is not a known field", 1, 24}));
}

TEST_F(ObjectReaderTest, ExactlyOneOfNamesThatAreThere) {
  EXPECT_EQ(read(R"({"batch":{},"service":null})").exactly_one_of({"batch", "service"}), "batch");
  EXPECT_THAT(violations_, IsEmpty());
  EXPECT_EQ(read(R"({"batch":{},"service":{}})").exactly_one_of({"batch", "service"}), std::nullopt);
  EXPECT_EQ(read("{}").exactly_one_of({"batch", "service"}), std::nullopt);
  ASSERT_EQ(violations_.size(), 2u);
  EXPECT_EQ(violations_[0].message, "must have exactly one of batch, service, has 2");
  EXPECT_EQ(violations_[1].message, "must have exactly one of batch, service, has 0");
}

TEST_F(ObjectReaderTest, WhatIsNoObjectIsOneComplaintOnly) {
  auto reader = read("[1]");
  reader.required_string("a");
  reader.exactly_one_of({"b", "c"});
  reader.finish();
  EXPECT_THAT(violations_, ElementsAre(Violation{"", "must be an object, is a list", 1, 1}));
}

TEST_F(ObjectReaderTest, AnIntegerAboveTheSignedRangeOrWithAFractionIsRefused) {
  auto reader = read(R"({"a":18446744073709551615,"b":2.0})");
  EXPECT_EQ(reader.optional_integer("a"), std::nullopt);
  EXPECT_EQ(reader.optional_integer("b"), std::nullopt);
  ASSERT_EQ(violations_.size(), 2u);
  EXPECT_THAT(violations_[0].message, HasSubstr("must be from"));
  EXPECT_EQ(violations_[1].message, "must be an integer, is a number");
}

TEST_F(ObjectReaderTest, ComplaintsAreBounded) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += "\"f" + std::to_string(i) + "\":1,";
  auto reader = read(text + "\"last\":1}");
  reader.finish();
  reader.complain("last", "is late");
  ASSERT_EQ(violations_.size(), violations_max + 1);
  EXPECT_EQ(violations_.back().message, "and more");
}

TEST_F(ObjectReaderTest, AComplaintPointsAtItsFieldOrElseAtTheObject) {
  auto reader = read("\n {\"min\": 5}");
  reader.complain("min", "must not exceed max");
  reader.complain("max", "is missing");
  EXPECT_THAT(violations_, ElementsAre(Violation{"min", "must not exceed max", 2, 10},
                                       Violation{"max", "is missing", 2, 2}));
}

}  // namespace
}  // namespace troupe::json
