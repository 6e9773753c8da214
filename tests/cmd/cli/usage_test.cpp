#include <gmock/gmock.h>

#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;

const std::vector<std::vector<std::string>> commands{{"job", "run"},
                                                     {"job", "submit"},
                                                     {"job", "ls"},
                                                     {"job", "show"},
                                                     {"job", "logs"},
                                                     {"job", "kill"},
                                                     {"job", "scale"},
                                                     {"job", "wait"},
                                                     {"job", "init"},
                                                     {"job", "validate"},
                                                     {"job", "attributes"},
                                                     {"job", "enable"},
                                                     {"job", "disable"},
                                                     {"job", "retry"},
                                                     {"job", "processes"},
                                                     {"job", "budget"},
                                                     {"task", "attributes"},
                                                     {"limits"},
                                                     {"audit", "ls"},
                                                     {"audit", "verify"},
                                                     {"cell", "policy"},
                                                     {"cell", "set-policy"},
                                                     {"task", "ls"},
                                                     {"task", "show"},
                                                     {"task", "logs"},
                                                     {"task", "kill"},
                                                     {"task", "retry"},
                                                     {"host", "ls"},
                                                     {"host", "show"},
                                                     {"host", "drain"},
                                                     {"host", "undrain"},
                                                     {"host", "quarantine"},
                                                     {"host", "pause-scheduling"},
                                                     {"host", "resume-scheduling"},
                                                     {"cell", "pause-scheduling"},
                                                     {"cell", "resume-scheduling"},
                                                     {"capacity-group", "pause-scheduling"},
                                                     {"capacity-group", "resume-scheduling"},
                                                     {"cell", "status"},
                                                     {"cell", "members", "add"},
                                                     {"cell", "members", "promote"},
                                                     {"cell", "members", "remove"},
                                                     {"cell", "members", "hand-over"},
                                                     {"cell", "members", "take-back"},
                                                     {"cell", "transfer-leader"},
                                                     {"cell", "move-shard"},
                                                     {"actor", "restart"},
                                                     {"actor", "release"},
                                                     {"cell", "upgrade"},
                                                     {"debug", "bundle"},
                                                     {"completion"},
                                                     {"run"},
                                                     {"trace", "start"},
                                                     {"top"},
                                                     {"trace", "show"},
                                                     {"trace", "stop"},
                                                     {"events"},
                                                     {"console"}};

TEST(Help, OfEveryCommandHasAnExample) {
  CommandLine line("127.0.0.1:1");
  for (auto command : commands) {
    command.push_back("--help");
    EXPECT_EQ(line.run(command), exit_ok);
    EXPECT_THAT(line.out.str(), HasSubstr("Example")) << testing::PrintToString(command);
  }
  EXPECT_EQ(line.run({"--help"}), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("Exit codes: 0 well"));
}

TEST(Usage, WhatIsWrongAnswersTwo) {
  CommandLine line("127.0.0.1:1");
  const std::vector<std::vector<std::string>> wrong{{},
                                                    {"jobs"},
                                                    {"job"},
                                                    {"job", "list"},
                                                    {"job", "ls", "--nothing"},
                                                    {"job", "ls", "--page-size", "0"},
                                                    {"job", "show"},
                                                    {"job", "show", "a", "b"},
                                                    {"job", "logs", "abcd", "--slot", "x"},
                                                    {"debug"},
                                                    {"debug", "bundle", "--node", "0"},
                                                    {"debug", "bundle", "--node", "1", "--all"},
                                                    {"--address", "h:x", "cell", "status"},
                                                    {"events", "--limit", "-1"}};
  for (const auto& arguments : wrong) {
    EXPECT_EQ(line.run(arguments), exit_usage) << testing::PrintToString(arguments);
    EXPECT_FALSE(line.err.str().empty());
  }
}

TEST(Usage, GlobalOptionsMayStandBehindTheCommand) {
  FakeCell cell;
  CommandLine line("127.0.0.1:1");
  cell.on("GET /api/v3/cell", R"({"name":"home"})");
  EXPECT_EQ(line.run({"cell", "status", "--json", "--address", cell.address()}),
            exit_usage);  // Twice is too often.
  CommandLine direct(cell.address());
  EXPECT_EQ(direct.run({"cell", "status", "--json", "--reason", "r"}), exit_ok) << direct.err.str();
  EXPECT_EQ(direct.out.str(), "{\"name\":\"home\"}\n");
}

}  // namespace
}  // namespace troupe::cli
