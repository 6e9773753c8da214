#include "actors/diagnosis/debug_lines.hpp"

#include <gmock/gmock.h>

namespace troupe {
namespace {

using testing::ElementsAre;

TEST(DebugLines, TellEachSectionShortly) {
  EXPECT_THAT(
      debug_lines(R"({"status":{"role":1,"why":"a b"},"threads":{"threads":[{"id":1},{"id":2}]},)"
                  R"("log":{"lines":["x"]},"disk":{"missing":"gone"}})"),
      ElementsAre(R"(section=status role=1 why="a b")",
                  R"(section=threads threads={"id":1} threads={"id":2})", R"(section=disk missing="gone")"));
}

TEST(DebugLines, OfMetricsAreThoseThatSaySomething) {
  EXPECT_THAT(debug_lines(R"({"metrics":{"text":"# HELP a\na 1\nb 0\nc_bucket{le=\"1\"} 4\nc_sum 7\n"}})"),
              ElementsAre("section=metrics a 1 c_sum 7"));
}

TEST(DebugLines, AreBoundedInLengthAndNumber) {
  std::string threads;
  for (int n = 0; n < 2'000; ++n)
    threads += (n == 0 ? "{\"name\":\"" : ",{\"name\":\"") + std::string(90, 'n') + "\"}";
  const auto lines = debug_lines(R"({"threads":{"threads":[)" + threads + R"(]},"one":{"long":")" +
                                 std::string(5'000, 'x') + R"("}})");
  ASSERT_EQ(lines.size(), debug_section_lines_max + 2);
  EXPECT_THAT(lines[debug_section_lines_max], testing::StartsWith("section=threads lines_left_out="));
  for (const std::string& line : lines) EXPECT_LE(line.size(), debug_line_bytes_max + 30);
}

TEST(DebugLines, OfNoDocumentSaySo) {
  EXPECT_THAT(debug_lines("no JSON"), ElementsAre("section=none why=\"no JSON object\""));
}

}  // namespace
}  // namespace troupe
