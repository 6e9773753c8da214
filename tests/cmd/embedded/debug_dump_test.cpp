// A node's debug document in the log: of one that answers, and of one whose actors do not.

#include "cmd/embedded/debug_dump.hpp"

#include <gmock/gmock.h>

#include "actors/runtime/recent_log.hpp"
#include "net/json/writer.hpp"

namespace troupe::embedded {
namespace {

using testing::Contains;
using testing::HasSubstr;

/// Answers as it is told, or keeps the question.
class StillNode final : public Node {
 public:
  void handle(http::Request request, http::ReplyPtr reply) override {
    asked = request.path;
    if (response) return reply->send(*response);
    if (drops) return;
    kept = std::move(reply);
  }
  void change_members(raft::MemberChange, Done) override {}
  void transfer_leadership(NodeId, Done) override {}
  const NodeStatus& status() const override { return status_; }
  const Reads& reads() const override { std::abort(); }
  ActorHost& actors() override { std::abort(); }
  const std::string& peer_address() const override { return asked; }
  Result<void> flush() override { return {}; }

  std::optional<http::Response> response;
  bool drops = false;
  http::ReplyPtr kept;
  std::string asked;

 private:
  NodeStatus status_;
};

/// The lines that the dump wrote.
std::vector<std::string> dumped(Node& node, milliseconds patience) {
  const auto before = logging::recent_log().all();
  debug_to_log(node, NodeId{7}, patience);
  const auto after = logging::recent_log().all();
  std::vector<std::string> lines;
  const std::size_t from = before.lines.size() + before.gone - after.gone;
  for (std::size_t n = from; n < after.lines.size(); ++n) lines.push_back(after.lines[n].text);
  return lines;
}

TEST(DebugDump, OfANodeThatAnswersIsItsDocument) {
  StillNode node;
  node.response = http::Response{200, {}, R"({"status":{"serves":true}})"};
  EXPECT_THAT(
      dumped(node, milliseconds(10'000)),
      testing::ElementsAre("debug_dump node=7 section=status serves=true", "debug_dump_done node=7 lines=1"));
  EXPECT_EQ(node.asked, "/api/v3/debug");
}

TEST(DebugDump, OfANodeWhoseActorsAreStuckIsWhatTheProcessKnows) {
  StillNode node;
  const auto lines = dumped(node, milliseconds(1));
  EXPECT_THAT(lines, Contains(HasSubstr("section=process pid=")));
  EXPECT_THAT(lines, Contains(HasSubstr("section=threads threads={\"id\":")));
  EXPECT_THAT(lines, Contains(HasSubstr("why=\"the node's actors did not answer in time\"")));
  node.kept->send({200, {}, "{}"});  // Nobody waits any more.
}

TEST(DebugDump, OfANodeThatRefusesOrDropsTheQuestionSaysSo) {
  StillNode node;
  node.response = http::Response{503, {}, "overloaded"};
  EXPECT_THAT(dumped(node, milliseconds(10'000)), Contains(HasSubstr("the node answered: overloaded")));
  node.response.reset();
  node.drops = true;
  EXPECT_THAT(dumped(node, milliseconds(10'000)), Contains(HasSubstr("the node dropped the question")));
}

}  // namespace
}  // namespace troupe::embedded
