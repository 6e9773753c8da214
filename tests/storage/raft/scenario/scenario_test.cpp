#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/storage/raft/scenario/runner.hpp"

namespace troupe::raft::test {
namespace {

std::vector<std::string> scenario_files() {
  std::vector<std::string> out;
  for (const auto& file : std::filesystem::directory_iterator(TROUPE_SCENARIOS)) {
    if (file.path().extension() == ".txt" && file.path().filename() != "CMakeLists.txt")
      out.push_back(file.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class RaftScenario : public testing::TestWithParam<std::string> {};

TEST_P(RaftScenario, EndsAsWritten) {
  std::ifstream in(GetParam());
  std::ostringstream text;
  text << in.rdbuf();
  const auto lines = parse(text.str());
  ASSERT_FALSE(lines.empty());
  Runner runner;
  bool expects = false;
  for (const Line& line : lines) {
    SCOPED_TRACE(GetParam() + ":" + std::to_string(line.number) + ": " + line.text);
    expects = expects || line.verb.starts_with("expect") || !line.outcome.empty();
    try {
      runner.run(line);
    } catch (const std::exception& error) {
      FAIL() << error.what();
    }
    if (HasFailure()) return;
  }
  EXPECT_TRUE(expects) << "a scenario that expects nothing shows nothing";
}

std::string name_of(const testing::TestParamInfo<std::string>& of) {
  std::string name = std::filesystem::path(of.param).stem();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, RaftScenario, testing::ValuesIn(scenario_files()), name_of);

}  // namespace
}  // namespace troupe::raft::test
