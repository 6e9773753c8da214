#include "actors/runtime/recent_log.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "actors/diagnosis/node_sections.hpp"

namespace troupe {
namespace {

using logging::Level;
using logging::RecentLog;

TEST(RecentLogRing, KeepsTheNewestLinesInOrder) {
  RecentLog log;
  for (std::size_t n = 0; n < RecentLog::lines_max + 3; ++n)
    log.add(Instant{static_cast<std::int64_t>(n)}, Level::info, "line=" + std::to_string(n));
  const auto told = log.all();
  ASSERT_EQ(told.lines.size(), RecentLog::lines_max);
  EXPECT_EQ(told.gone, 3u);
  EXPECT_EQ(told.lines.front().text, "line=3");
  EXPECT_EQ(told.lines.back().text, "line=" + std::to_string(RecentLog::lines_max + 2));
  EXPECT_EQ(told.lines.back().at, Instant{static_cast<std::int64_t>(RecentLog::lines_max + 2)});
}

TEST(RecentLogRing, LongLinesAreCutAndAllTogetherStayBelowTheirBytes) {
  RecentLog log;
  const std::string longest(RecentLog::line_bytes_max + 1, 'x');
  for (std::size_t n = 0; n < RecentLog::bytes_max / RecentLog::line_bytes_max + 5; ++n)
    log.add(Instant{1}, Level::warn, longest);
  const auto told = log.all();
  std::size_t bytes = 0;
  for (const auto& line : told.lines) bytes += line.text.size();
  EXPECT_EQ(told.lines.front().text.size(), RecentLog::line_bytes_max);
  EXPECT_EQ(bytes, RecentLog::bytes_max);
  EXPECT_EQ(told.gone, 5u);
}

TEST(RecentLogRing, TakesLinesOfManyThreads) {
  RecentLog log;
  constexpr std::size_t each = 2'000;
  std::vector<std::thread> writers;
  for (int n = 0; n < 4; ++n)
    writers.emplace_back([&] {
      for (std::size_t line = 0; line < each; ++line) log.add(Instant{1}, Level::info, "a=1");
    });
  for (std::thread& writer : writers) writer.join();
  const auto told = log.all();
  EXPECT_EQ(told.lines.size() + told.gone, 4 * each);
}

TEST(RecentLogRing, HasWhatTheProcessLogs) {
  logging::info("ring_is_tried number={}", 42);
  const auto told = logging::recent_log().all();
  ASSERT_FALSE(told.lines.empty());
  EXPECT_EQ(told.lines.back().text, "ring_is_tried number=42");
  EXPECT_GT(told.lines.back().at.ms, 1'600'000'000'000);
}

TEST(RecentLogRing, IsToldNewestFirstWhenNotAllFits) {
  RecentLog::Told told;
  for (int n = 0; n < 100; ++n)
    told.lines.push_back({Instant{1'000}, Level::error, "n=" + std::to_string(n)});
  const std::string all = logs_json(told);
  EXPECT_THAT(all, testing::HasSubstr("1970-01-01T00:00:01.000Z error n=0"));
  const std::string cut = logs_json(told, 500);
  EXPECT_LE(cut.size(), 500u);
  EXPECT_THAT(cut, testing::HasSubstr("n=99"));
  EXPECT_THAT(cut, testing::Not(testing::HasSubstr("n=0\"")));
  EXPECT_THAT(cut, testing::HasSubstr(R"("gone":)"));
}

}  // namespace
}  // namespace troupe
