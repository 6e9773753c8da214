#include "actors/diagnosis/trace_merge.hpp"

#include <gmock/gmock.h>

#include "net/json/value.hpp"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string note(std::string_view kind, int index, std::string_view what, std::string_view link = {},
                 int at = 0) {
  return R"({"kind":")" + std::string(kind) + R"(","entity":"job/one","what":")" + std::string(what) +
         (link.empty() ? "" : R"(","link":")" + std::string(link)) + R"(","index":")" +
         std::to_string(index) + R"(","at":")" + std::to_string(at) + "\"}";
}

Result<Bytes> told(const std::vector<std::string>& notes, std::string_view state = "over") {
  std::string text = R"({"id":"a","entity":"job/one","state":")" + std::string(state) +
                     R"(","why":"its time is over","messages":)" + std::to_string(notes.size()) +
                     R"(,"items":[)";
  for (std::size_t n = 0; n < notes.size(); ++n) text += (n == 0 ? "" : ",") + notes[n];
  return Bytes(text + "]}");
}

std::vector<std::string> merged(const std::map<NodeId, Result<Bytes>>& all) {
  const auto trace = json::parse(merged_trace(all).value());
  std::vector<std::string> lines;
  for (const json::Value& item : *trace.value().find("items")->array()) {
    std::string line;
    for (const json::Value& node : *item.find("nodes")->array()) line += std::to_string(*node.integer());
    lines.push_back(line + ' ' + *item.find("what")->text());
  }
  return lines;
}

TEST(TraceMerge, AnEntrysFactsComeBeforeWhatSawThemAndAreToldOnce) {
  EXPECT_THAT(merged({{NodeId{1}, told({note("handled", 4, "nudge"), note("applied", 5, "created", "5.0"),
                                        note("handled", 5, "look")})},
                      {NodeId{2}, told({note("applied", 5, "created", "5.0"), note("proposed", 5, "advance"),
                                        note("applied", 6, "changed", "6.0")})},
                      {NodeId{3}, told({note("applied", 6, "changed", "6.0")})}}),
              ElementsAre("1 nudge", "12 created", "1 look", "2 advance", "23 changed"));
}

TEST(TraceMerge, WhatTravelsIsSentBeforeItIsTaken) {
  // The leader is behind the follower in what it has applied.
  EXPECT_THAT(merged({{NodeId{1}, told({note("taken", 4, "take", "2/9"), note("applied", 7, "done", "7.0")})},
                      {NodeId{2}, told({note("proposed", 6, "propose"), note("forwarded", 6, "send", "2/9"),
                                        note("applied", 7, "done", "7.0")})}}),
              ElementsAre("2 propose", "2 send", "1 take", "12 done"));
}

TEST(TraceMerge, AtTheSamePlaceOfTheLogTimeDecidesAndEachNodeKeepsItsOrder) {
  EXPECT_THAT(merged({{NodeId{1}, told({note("handled", 4, "c", {}, 30), note("handled", 4, "d", {}, 10)})},
                      {NodeId{2}, told({note("handled", 4, "a", {}, 5), note("handled", 4, "b", {}, 20)})}}),
              ElementsAre("2 a", "2 b", "1 c", "1 d"));
}

TEST(TraceMerge, SaysOfEachNodeHowItStandsAndWhoTakesNoPart) {
  const Result<Bytes> down(Error{ErrorCode::unavailable, "no answer"});
  const auto trace = merged_trace({{NodeId{1}, told({}, "on")}, {NodeId{2}, down}, {NodeId{3}, told({})}});
  EXPECT_THAT(trace.value(), HasSubstr(R"("state":"on","nodes":[{"node":1,"state":"on")"));
  EXPECT_THAT(trace.value(), HasSubstr(R"({"node":2,"error":"no answer"},{"node":3,"state":"over")"));
  EXPECT_EQ(merged_trace({{NodeId{2}, down}}).error().message, "no answer");
}

}  // namespace
}  // namespace troupe
