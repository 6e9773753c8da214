#include <gtest/gtest.h>

#include "cmd/troupe/cli_error.hpp"
#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

TEST(ExitCode, EveryStatusOfTheCellHasOne) {
  FakeCell cell;
  CommandLine line(cell.address());
  const std::map<int, int> wanted{{400, exit_refused},   {401, exit_refused},     {403, exit_refused},
                                  {404, exit_not_found}, {409, exit_refused},     {429, exit_try_again},
                                  {500, exit_internal},  {503, exit_unavailable}, {504, exit_try_again}};
  for (const auto& [status, code] : wanted) {
    cell.on("GET /api/v3/cell", "<html>a proxy's page</html>", status);
    EXPECT_EQ(line.run({"cell", "status"}), code) << status;
    EXPECT_NE(line.err.str().find("answered " + std::to_string(status)), std::string::npos) << line.err.str();
  }
}

TEST(ExitCode, TheCellsOwnCodeWinsOverItsStatus) {
  FakeCell cell;
  CommandLine line(cell.address());
  cell.on("GET /api/v3/cell", R"({"code":"overloaded","message":"full"})", 503);
  EXPECT_EQ(line.run({"cell", "status"}), exit_try_again);
  EXPECT_EQ(line.err.str(), "troupe: overloaded: full\n  hint: it did not happen: repeat after a pause\n");
}

TEST(ExitCode, AnAnswerThatIsNoJsonIsInternal) {
  FakeCell cell;
  CommandLine line(cell.address());
  cell.on("GET /api/v3/cell", "hello");
  EXPECT_EQ(line.run({"cell", "status"}), exit_internal);
}

TEST(Report, NamesEachViolation) {
  std::ostringstream err;
  EXPECT_EQ(
      report(err, {ErrorCode::invalid_argument, "m", {{"a.b", "is wrong", 3, 4}, {"", "is too", 0, 0}}}),
      exit_refused);
  EXPECT_EQ(err.str(),
            "troupe: invalid_argument: m\n  a.b (line 3, column 4): is wrong\n  (whole): is too\n"
            "  hint: correct the request and send it again\n");
}

}  // namespace
}  // namespace troupe::cli
