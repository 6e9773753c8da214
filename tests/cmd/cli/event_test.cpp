#include <gmock/gmock.h>

#include "cmd/troupe/cli_sse.hpp"
#include "fake_cell.hpp"

namespace troupe::cli {
namespace {

using testing::ElementsAre;

std::string fact(const std::string& id) {
  return frame(id, "taskChanged", R"({"timestamp":"1000","taskId":"t)" + id + R"(","taskState":"Started"})");
}

TEST(Events, ArePrintedAsLinesUpToTheLimit) {
  FakeCell cell;
  CommandLine line(cell.address());
  cell.events("/api/v3/events", fact("1.0") + ": keep-alive\n\n" + fact("2.0") + fact("3.0"));
  EXPECT_EQ(line.run({"events", "--limit", "2"}), exit_ok);
  EXPECT_EQ(line.out.str(),
            "1970-01-01T00:00:01.000Z taskChanged taskId=t1.0 taskState=Started\n"
            "1970-01-01T00:00:01.000Z taskChanged taskId=t2.0 taskState=Started\n");
  EXPECT_EQ(line.run({"events", "--limit", "1", "--json"}), exit_ok);
  EXPECT_EQ(line.out.str(), R"({"timestamp":"1000","taskId":"t1.0","taskState":"Started"})"
                            "\n");
}

TEST(Events, GoOnAfterABreakWhereTheyStood) {
  FakeCell cell;
  CommandLine line(cell.address());
  cell.stream("GET /api/v3/events", [](const http::Request& request, http::ReplyPtr reply) {
    reply->open(200, {}, [] {});
    reply->write(fact(request.header("last-event-id") == "1.0" ? "2.0" : "1.0"));
    reply->finish();
  });
  EXPECT_EQ(line.run({"events", "--limit", "2"}), exit_ok);
  EXPECT_THAT(line.out.str(), testing::HasSubstr("t1.0"));
  EXPECT_THAT(line.out.str(), testing::HasSubstr("t2.0"));
}

TEST(Events, OfSomeJobsAreAskedForByTheirCriteria) {
  FakeCell cell;
  CommandLine line(cell.address());
  std::string asked;
  cell.stream("GET /api/v3/events", [&](const http::Request& request, http::ReplyPtr reply) {
    for (const auto& [name, value] : request.query) asked += name + '=' + value + ' ';
    reply->open(200, {}, [] {});
    reply->write(fact("1.0"));
    reply->finish();
  });
  EXPECT_EQ(line.run({"events", "--limit", "1", "--only", "capacityGroup=a b", "--only", "jobType=batch"}),
            exit_ok);
  EXPECT_THAT(asked, testing::AnyOf("capacityGroup=a b jobType=batch ", "jobType=batch capacityGroup=a b "));
  EXPECT_EQ(line.run({"events", "--only", "batch"}), exit_usage);
  EXPECT_EQ(line.run({"events", "--only", "a=b", "--job", job_id}), exit_usage);
}

TEST(Events, OfAJobEndWithIt) {
  FakeCell cell;
  CommandLine line(cell.address());
  cell.events(job_path() + "/events", fact("1.0"));
  EXPECT_EQ(line.run({"events", "--job", job_id}), exit_ok);
  EXPECT_EQ(line.run({"events", "--job", other_task_id}), exit_not_found);
}

TEST(Events, ThatKeepEndingAreGivenUp) {
  FakeCell cell;
  CommandLine line(cell.address());
  cell.events("/api/v3/events", "");
  EXPECT_EQ(line.run({"events"}), exit_unavailable);
  EXPECT_EQ(line.pauses.size(), 10u);
}

std::vector<std::string> read(const std::vector<std::string>& pieces) {
  SseReader reader;
  std::vector<std::string> seen;
  for (const auto& piece : pieces)
    reader.feed(piece, [&](const SseEvent& event) {
      seen.push_back(event.id + '|' + event.name + '|' + event.data);
      return true;
    });
  return seen;
}

TEST(SseReader, FindsFramesHoweverTheyArePieced) {
  const std::string text =
      ": hello\n\nid: 1.0\r\nevent: a\r\ndata: x\r\n\r\ndata:y\ndata: z\n\nevent: empty\n\nid:2\ndata: w\n\n";
  const auto wanted = ElementsAre("1.0|a|x", "1.0||y\nz", "2||w");
  EXPECT_THAT(read({text}), wanted);
  std::vector<std::string> letters;
  for (const char c : text) letters.emplace_back(1, c);
  EXPECT_THAT(read(letters), wanted);
}

TEST(SseReader, RefusesAFrameWithoutEnd) {
  SseReader reader;
  const std::string piece(1024 * 1024, 'x');
  bool goes_on = true;
  for (int i = 0; i < 17 && goes_on; ++i) goes_on = reader.feed(piece, [](const SseEvent&) { return true; });
  EXPECT_FALSE(goes_on);
}

}  // namespace
}  // namespace troupe::cli
