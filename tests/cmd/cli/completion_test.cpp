#include <gmock/gmock.h>

#include <fstream>

#include "cmd/troupe/cli_hook.hpp"
#include "fake_cell.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// What bash offers for the last word.
struct Completion : testing::Test {
  TempFolder folder;
  CommandLine line{"127.0.0.1:1"};

  Completion() {
    EXPECT_EQ(line.run({"completion", "bash"}), exit_ok);
    std::ofstream(folder.file("script")) << line.out.str();
  }
  std::string offered(const std::vector<std::string>& words) const {
    std::string all = "troupe";
    for (const auto& word : words) all += " \"" + word + '"';
    const std::string command = "bash -c '. " + folder.file("script") + "; COMP_WORDS=(" + all +
                                "); COMP_CWORD=" + std::to_string(words.size()) +
                                "; _troupe; echo \" ${COMPREPLY[*]} \" > " + folder.file("offered") + "'";
    EXPECT_TRUE(run_hook(command, milliseconds(60'000)).ok()) << command;
    std::ifstream file(folder.file("offered"));
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(Completion, OffersCommandsAndOptionsOfWhereOneStands) {
  EXPECT_THAT(offered({"jo"}), testing::StartsWith(" job "));
  EXPECT_THAT(offered({"job", ""}),
              AllOf(HasSubstr(" submit "), HasSubstr(" kill "), Not(HasSubstr(" drain "))));
  EXPECT_THAT(offered({"host", "drain", "--"}), AllOf(HasSubstr(" --where "), HasSubstr(" --dry-run ")));
  EXPECT_THAT(offered({"host", "drain", "--ad"}), HasSubstr(" --address "));
  EXPECT_THAT(offered({"--json", "cell", "members", "pro"}), HasSubstr(" promote "));
  EXPECT_THAT(offered({"job", "kill", "job", "r"}), testing::Eq("  \n")) << "an id may look like a command";
}

TEST_F(Completion, ForZshItIsTheSameTable) {
  EXPECT_EQ(line.run({"completion", "zsh"}), exit_ok);
  EXPECT_THAT(line.out.str(), testing::StartsWith("#compdef troupe\n"));
  EXPECT_THAT(line.out.str(), HasSubstr("'troupe cell transfer-leader') list='"));
  EXPECT_THAT(line.out.str(), testing::EndsWith("if [[ $funcstack[1] = _troupe ]]; then\n  _troupe \"$@\"\n"
                                                "else\n  compdef _troupe troupe\nfi\n"))
      << "as a file of fpath its first use offers something, too";
  EXPECT_EQ(line.run({"completion", "fish"}), exit_usage);
}

}  // namespace
}  // namespace troupe::cli
