#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

#include "fake_cell.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

http::Response refusal(int status, const std::string& code, http::Headers headers = {}) {
  return {status, std::move(headers), R"({"code":")" + code + R"(","message":"m"})"};
}
const http::Response accepted{202, {}, R"({"id":")" + job_id + "\"}"};

struct Submits : testing::Test {
  int submit(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"job", "submit", "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return line.run(arguments, "{}");
  }
  std::vector<http::Request> posted() { return cell.asked("POST /api/v3/jobs"); }
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(Submits, TellsTheId) {
  cell.in_turn("POST /api/v3/jobs", {accepted});
  EXPECT_EQ(submit(), exit_ok);
  EXPECT_EQ(line.out.str(), "submitted job " + job_id + "\n");
  EXPECT_EQ(submit({"--quiet"}), exit_ok);
  EXPECT_EQ(line.out.str(), job_id + "\n");
  EXPECT_EQ(submit({"--json"}), exit_ok);
  EXPECT_EQ(line.out.str(), "{\"id\":\"" + job_id + "\"}\n");
}

TEST_F(Submits, ABusyCellIsAskedAgainAsLateAsItSays) {
  cell.in_turn("POST /api/v3/jobs",
               {refusal(503, "overloaded", {{"retry-after", "2"}}), refusal(429, "limit_exceeded"),
                refusal(503, "unavailable", {{"retry-after", "9999"}}), accepted});
  EXPECT_EQ(submit(), exit_ok);
  EXPECT_THAT(line.pauses, ElementsAre(milliseconds(2000), milliseconds(500), milliseconds(30'000)));
}

TEST_F(Submits, AnUnknownOutcomeIsRepeatedWithTheSameKey) {
  cell.in_turn("POST /api/v3/jobs", {refusal(504, "outcome_unknown"), accepted});
  EXPECT_EQ(submit(), exit_ok);
  ASSERT_EQ(posted().size(), 2u);
  EXPECT_FALSE(posted()[0].header("idempotency-key").empty());
  EXPECT_EQ(posted()[0].header("idempotency-key"), posted()[1].header("idempotency-key"));
  EXPECT_EQ(submit(), exit_ok);
  EXPECT_NE(posted()[2].header("idempotency-key"), posted()[1].header("idempotency-key"));
}

TEST_F(Submits, ADroppedConnectionIsAnUnknownOutcomeToo) {
  bool is_first = true;
  cell.stream("POST /api/v3/jobs", [&](const http::Request&, http::ReplyPtr reply) {
    if (!std::exchange(is_first, false)) return reply->send(accepted);
    reply->open(202, {}, [] {});  // Begun, and never finished.
  });
  EXPECT_EQ(submit(), exit_ok) << line.err.str();
}

TEST_F(Submits, AttemptsAreBounded) {
  cell.in_turn("POST /api/v3/jobs", {refusal(504, "outcome_unknown")});
  EXPECT_EQ(submit(), exit_try_again);
  EXPECT_EQ(posted().size(), 6u);
  EXPECT_THAT(line.err.str(),
              HasSubstr("--idempotency-key " + std::string(posted()[0].header("idempotency-key"))));
}

TEST_F(Submits, WhatIsInvalidIsNotRepeated) {
  cell.in_turn("POST /api/v3/jobs", {refusal(400, "invalid_argument")});
  EXPECT_EQ(submit(), exit_refused);
  EXPECT_EQ(posted().size(), 1u);
}

TEST_F(Submits, TheKeyMayBeGiven) {
  cell.in_turn("POST /api/v3/jobs", {accepted});
  EXPECT_EQ(submit({"--idempotency-key", "film-42"}), exit_ok);
  EXPECT_EQ(posted()[0].header("idempotency-key"), "film-42");
}

TEST_F(Submits, WhoAndWhyTravelAlong) {
  cell.in_turn("POST /api/v3/jobs", {accepted});
  EXPECT_EQ(submit({"--reason", "a test"}), exit_ok);
  EXPECT_EQ(posted()[0].header("x-titus-callerid"), "tester");
  EXPECT_EQ(posted()[0].header("x-titus-callreason"), "a test");
  EXPECT_EQ(posted()[0].header("content-type"), "application/json");
}

TEST_F(Submits, JsonTravelsAsItIsWritten) {
  cell.in_turn("POST /api/v3/jobs", {accepted});
  const std::string text = "{\n  \"a\": 1\n}\n";
  EXPECT_EQ(line.run({"job", "submit", "-"}, text), exit_ok);
  EXPECT_EQ(posted()[0].body, text);
}

TEST_F(Submits, ComplaintsAboutYamlPointIntoTheYaml) {
  const TempFolder folder;
  const std::string file = folder.file("job.yaml");
  std::ofstream(file) << "applicationName: app\ncontainer:\n  command: [sh]\n  env:\n    LEVEL: 7\n";
  cell.on("POST /api/v3/jobs",
          R"({"code":"invalid_argument","message":"m","violations":[{"path":"container.env.LEVEL",)"
          R"("message":"must be a string","line":1,"column":60}]})",
          400);
  EXPECT_EQ(line.run({"job", "submit", file}), exit_refused);
  EXPECT_EQ(posted()[0].body,
            R"({"applicationName":"app","container":{"command":["sh"],"env":{"LEVEL":7}}})");
  EXPECT_THAT(line.err.str(), HasSubstr("container.env.LEVEL (line 5, column 12): must be a string"));
}

TEST_F(Submits, AFileThatCannotBeReadIsNotFound) {
  EXPECT_EQ(line.run({"job", "submit", "/nowhere/job.json"}), exit_not_found);
  EXPECT_EQ(line.run({"job", "submit", "-"}, std::string(4 * 1024 * 1024 + 1, ' ')), exit_refused);
}

TEST(Unreachable, IsToldAtOnce) {
  std::string address;
  {
    FakeCell gone;
    address = gone.address();
  }
  CommandLine line(address);
  EXPECT_EQ(line.run({"job", "submit", "-"}, "{}"), exit_unavailable);
  EXPECT_TRUE(line.pauses.empty());
  EXPECT_THAT(line.err.str(), AllOf(HasSubstr("unavailable"), HasSubstr(address)));
  EXPECT_EQ(line.run({"job", "ls"}), exit_unavailable);
  EXPECT_EQ(line.run({"events"}), exit_unavailable);
}

}  // namespace
}  // namespace troupe::cli
