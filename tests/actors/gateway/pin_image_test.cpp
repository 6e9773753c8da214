// A submitted job's image: its tag becomes a digest, once.

#include <gmock/gmock.h>

#include "actors/gateway/gateway_settings.hpp"
#include "actors/scheduler/plan_told.hpp"
#include "storage/model/feature_level.hpp"
#include "storage/model/pinned_image.hpp"
#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

const std::string digest_1 = "sha256:" + std::string(64, '1');
const std::string digest_2 = "sha256:" + std::string(64, '2');

/// Answers when the test says so, or at once.
class HandResolver final : public ImageResolver {
 public:
  bool asks_for(const Image& image) const override { return image.digest.empty() && !image.tag.empty(); }
  void resolve(const Image& image, Done done) override {
    asked.push_back(image);
    if (answer) return done(*answer);
    waiting.push_back(std::move(done));
  }
  std::vector<Image> asked;
  std::vector<Done> waiting;
  std::optional<Result<std::string>> answer;
};

using Said = Result<std::string>;
std::shared_ptr<HandResolver> that_says(Said answer) {
  auto resolver = std::make_shared<HandResolver>();
  resolver->answer = std::move(answer);
  return resolver;
}
const Said down = Error{ErrorCode::unavailable, "it is down"};

struct ImageScene : Scene {
  explicit ImageScene(const std::shared_ptr<HandResolver>& resolver,
                      std::uint32_t level = level_of_pinned_images, std::int64_t required = 0)
      : Scene([&](NodeContext& node) {
          node.images = resolver;
          node.settings.set(gateway::image_digest_required, required);
        }) {
    for (std::uint32_t n = 1; n <= level; ++n) cell.apply(RaiseLevel{n}, cell.term_fence());
  }
  SeenPtr submit(const std::string& body = job_body()) {
    return call("POST", "/api/v3/jobs", body, {{"idempotency-key", "k"}});
  }
  static std::string id_of(const SeenPtr& seen) { return std::string(*seen->json().find("id")->text()); }
  std::string job_of(const SeenPtr& submitted) {
    return get("/api/v3/jobs/" + id_of(submitted))->response.body;
  }
};

TEST(GatewayImages, AJobKeepsItsTagAndTheDigestThatItStoodFor) {
  const auto resolver = that_says(digest_1);
  ImageScene s(resolver);
  const auto seen = s.submit();
  ASSERT_EQ(seen->response.status, 202) << seen->response.body;
  EXPECT_THAT(s.job_of(seen), HasSubstr(R"("tag":"latest","digest":")" + digest_1 + '"'));
  ASSERT_EQ(resolver->asked.size(), 1U);
  EXPECT_EQ(resolver->asked.front().tag, "latest");
  EXPECT_EQ(s.proposed.front().command.level, level_of_pinned_images);
  EXPECT_THAT(s.get("/metrics")->response.body,
              HasSubstr(R"(troupe_gateway_images_total{outcome="resolved"} 1)"));
}

TEST(GatewayImages, ARepeatedRequestIsTheSameAlsoWhenTheTagHasMovedOrTheRegistryIsDown) {
  const auto resolver = that_says(digest_1);
  ImageScene s(resolver);
  const auto first = s.submit();
  resolver->answer = digest_2;
  const auto moved = s.submit();
  resolver->answer = down;
  const auto unresolved = s.submit();
  for (const auto& again : {moved, unresolved}) {
    ASSERT_EQ(again->response.status, 202) << again->response.body;
    EXPECT_EQ(ImageScene::id_of(again), ImageScene::id_of(first));
  }
  EXPECT_THAT(s.job_of(first), HasSubstr(digest_1));
  EXPECT_EQ(s.submit(job_body("other"))->response.status, 422);
}

TEST(GatewayImages, ATagThatTheRegistryDoesNotHaveIsRefusedWithWhatToDo) {
  ImageScene s(that_says(Error{ErrorCode::not_found, "the registry r answered 404: it has no such image"}));
  const auto seen = s.submit();
  EXPECT_EQ(seen->response.status, 400);
  EXPECT_EQ(seen->code(), "invalid_argument");
  EXPECT_THAT(seen->response.body,
              HasSubstr("the image busybox:latest cannot be had: the registry r answered 404"));
  EXPECT_THAT(seen->response.body, HasSubstr("push it, or correct container.image"));
  EXPECT_THAT(seen->response.body, HasSubstr(R"("path":"container.image")"));
  EXPECT_TRUE(s.proposed.empty());
}

TEST(GatewayImages, AJobIsTakenUnresolvedWhileTheRegistryIsDownAndSaysSo) {
  ImageScene s(that_says(down));
  const auto seen = s.submit();
  ASSERT_EQ(seen->response.status, 202) << seen->response.body;
  EXPECT_THAT(s.job_of(seen), HasSubstr(R"("titus.sanitization.skipped.image":"true")"));
  EXPECT_THAT(s.job_of(seen), testing::Not(HasSubstr("\"digest\"")));
}

TEST(GatewayImages, OrIsRefusedForNowWhereTheNodeWantsDigests) {
  ImageScene s(that_says(down), level_of_pinned_images, 1);
  const auto seen = s.submit();
  EXPECT_EQ(seen->response.status, 503);
  EXPECT_EQ(seen->code(), "unavailable");
  EXPECT_FALSE(seen->header("retry-after").empty());
  EXPECT_THAT(seen->response.body, HasSubstr("it is down; nothing was created; repeat it"));
  EXPECT_TRUE(s.proposed.empty());
}

TEST(GatewayImages, ARegistryThatSaysNothingIsNotWaitedForLong) {
  const auto resolver = that_says(digest_1);
  ImageScene s(resolver);
  resolver->answer.reset();
  const auto seen = s.start("POST", "/api/v3/jobs", job_body());
  s.run();
  s.advance(milliseconds(4'900));
  EXPECT_FALSE(seen->answered);
  s.advance(milliseconds(300));
  ASSERT_TRUE(seen->answered);
  EXPECT_EQ(seen->response.status, 202) << seen->response.body;
  ASSERT_EQ(resolver->waiting.size(), 1U);
  resolver->waiting.front()(digest_1);
  s.run();
  EXPECT_THAT(s.job_of(seen), HasSubstr("skipped.image")) << "too late";
}

TEST(GatewayImages, AJobThatComesWithItsPlanHasItsDigestToo) {
  ImageScene s(that_says(digest_1));
  const auto planned = s.call("POST", "/api/v3/plan", R"({"job":)" + job_body() + "}");
  s.answer(Answer::of(packed(PlanTold{s.cell.last, {}, {}})));
  const std::string plan(*planned->json().find("plan")->text());
  const auto seen =
      s.call("POST", "/api/v3/plan/submit", R"({"plan":")" + plan + R"(","job":)" + job_body() + "}");
  ASSERT_EQ(seen->response.status, 202) << seen->response.body;
  EXPECT_THAT(s.job_of(seen), HasSubstr(digest_1));
}

TEST(GatewayImages, UsersDoNotSayThatAnImageWasNotResolved) {
  ImageScene s(that_says(digest_1));
  std::string body = job_body();
  body.insert(1, R"("attributes":{"titus.sanitization.skipped.image":"true","mine":"1"},)");
  const auto seen = s.submit(body);
  ASSERT_EQ(seen->response.status, 202) << seen->response.body;
  EXPECT_THAT(s.job_of(seen), testing::AllOf(HasSubstr(R"("mine":"1")"), testing::Not(HasSubstr("skipped"))));
}

TEST(GatewayImages, ACellWhoseNodesDoNotAllKnowOfItLeavesTagsToItsHosts) {
  const auto resolver = that_says(digest_1);
  ImageScene s(resolver, 2);
  const auto seen = s.submit();
  ASSERT_EQ(seen->response.status, 202) << seen->response.body;
  EXPECT_TRUE(resolver->asked.empty());
  EXPECT_THAT(s.job_of(seen), testing::Not(HasSubstr("digest")));
}

}  // namespace
}  // namespace troupe
