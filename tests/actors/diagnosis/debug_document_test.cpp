#include "actors/diagnosis/debug_document.hpp"

#include <gmock/gmock.h>

#include "net/json/value.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

json::Value parsed(const std::string& text) {
  json::Limits limits;
  limits.bytes = DebugDocument::document_bytes_max;
  limits.values = 1'000'000;
  auto value = json::parse(text, limits);
  EXPECT_TRUE(value.ok());
  return std::move(value).value();
}

TEST(DebugDocumentOf, SectionsAreMembersAndRedacted) {
  DebugDocument document;
  document.add("one", std::string(R"({"a":1,"password":"hunter2"})"));
  document.add("two", std::string("[1]"));
  EXPECT_EQ(document.take(), R"({"one":{"a":1,"password":"[redacted]"},"two":[1]})");
}

TEST(DebugDocumentOf, WhatIsMissingSaysWhy) {
  DebugDocument document;
  document.add("one", Error{ErrorCode::unavailable, "busy, token=hunter2"});
  document.add("two", std::string("{no JSON"));
  const auto value = parsed(document.take());
  EXPECT_EQ(*value.find("one")->find("missing")->text(), "busy, token=[redacted]");
  EXPECT_THAT(*value.find("two")->find("missing")->text(), HasSubstr("cannot be told"));
}

TEST(DebugDocumentOf, SectionsAndTheWholeAreBounded) {
  DebugDocument document;
  document.add("large", '"' + std::string(DebugDocument::section_bytes_max, 'x') + '"');
  const std::string most = '"' + std::string(DebugDocument::section_bytes_max - 2, 'x') + '"';
  for (const char* name : {"a", "b", "c", "d", "e"}) document.add(name, most);
  document.add("small", std::string("1"));
  const std::string text = document.take();
  EXPECT_LE(text.size(), DebugDocument::document_bytes_max);
  const auto value = parsed(text);
  EXPECT_NE(value.find("large")->find("missing"), nullptr);
  EXPECT_NE(value.find("c")->text(), nullptr);
  EXPECT_THAT(*value.find("d")->find("missing")->text(), HasSubstr("too many"));
  EXPECT_EQ(*value.find("small")->integer(), 1);
}

TEST(DebugDocumentOf, RedactingMayNotMakeASectionTooLarge) {
  DebugDocument document;
  std::string lines = "\"";
  while (lines.size() + 20 < DebugDocument::section_bytes_max) lines += "token=x ";
  document.add("one", lines + '"');
  EXPECT_NE(parsed(document.take()).find("one")->find("missing"), nullptr);
}

}  // namespace
}  // namespace troupe
