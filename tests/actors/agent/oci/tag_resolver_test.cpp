// A node asks registries for tags: once for many, never an old answer, and one registry does not hold up
// another.

#include "actors/agent/images/tag_resolver.hpp"

#include <gmock/gmock.h>

#include <future>

#include "actors/agent/images/blob_text.hpp"
#include "actors/agent/images/registry_source.hpp"
#include "tests/actors/agent/oci/loopback_registry.hpp"

namespace troupe::agent {
namespace {

using ::testing::HasSubstr;

class HandClock final : public Clock {
 public:
  Instant wall() const override { return {ms.load()}; }
  Moment steady() const override { return {ms.load() * 1'000'000}; }
  std::atomic<std::int64_t> ms = 1'000;
};

/// Answers each question when the test says so.
class HandSource final : public ImageSource {
 public:
  Result<BlobLink> resolve(const ImageName& name, Pull& pull) override {
    std::unique_lock lock(mutex_);
    asked_.push_back(name.name + ':' + name.tag);
    patience = pull.patience;
    changed_.notify_all();
    while (answers_[name.name].empty()) {
      changed_.wait_for(lock, milliseconds(5));
      if (auto still = pull.wanted(); !still.ok()) return still.error();
    }
    auto answer = answers_[name.name].front();
    answers_[name.name].erase(answers_[name.name].begin());
    return answer;
  }
  Result<Fd> open_blob(const ImageName&, const BlobWish&, Pull&) override {
    return Error{ErrorCode::internal, "no blobs are asked for"};
  }
  void answer(const std::string& name, Result<BlobLink> answer) {
    const std::lock_guard lock(mutex_);
    answers_[name].push_back(std::move(answer));
    changed_.notify_all();
  }
  void answer(const std::string& name, const std::string& digest) { answer(name, BlobLink{"", digest, 1}); }
  void await_asked(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_.size() >= count; });
  }
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  Pull::Patience patience = Pull::Patience::full;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> asked_;
  std::map<std::string, std::vector<Result<BlobLink>>> answers_;
};

Image image(const std::string& name, const std::string& tag = "1") { return {name, tag, ""}; }

class TagResolverTest : public testing::Test {
 protected:
  TagResolverTest() {
    config_.registries.registries = {{"a.example.com", {}}, {"b.example.com", {}}};
    config_.registries.default_registry = "c.example.com:5000";
  }
  TagResolver& tags() {
    if (!tags_) tags_ = std::make_unique<TagResolver>(config_, source_, clock_);
    return *tags_;
  }
  using Answer = std::future<Result<std::string>>;
  Answer ask(const Image& image) {
    auto promise = std::make_shared<std::promise<Result<std::string>>>();
    tags().resolve(image, [promise](Result<std::string> digest) { promise->set_value(std::move(digest)); });
    return promise->get_future();
  }

  TagResolverConfig config_;
  HandClock clock_;
  HandSource source_;
  std::unique_ptr<TagResolver> tags_;
};

TEST_F(TagResolverTest, AsksOnlyRegistriesThatTheNodeKnows) {
  EXPECT_TRUE(tags().asks_for(image("a.example.com/team/app")));
  EXPECT_TRUE(tags().asks_for(image("A.EXAMPLE.com/team/app")));
  EXPECT_TRUE(tags().asks_for(image("busybox"))) << "of the default registry";
  EXPECT_FALSE(tags().asks_for(image("10.0.0.1/latest/meta-data"))) << "users name servers";
  EXPECT_FALSE(tags().asks_for(image("localhost:22/app")));
  EXPECT_FALSE(tags().asks_for({"busybox", "1", sha256_digest("x")}));
  EXPECT_FALSE(tags().asks_for({"busybox", "", ""}));
  EXPECT_FALSE(tags().asks_for(image("No\\Repository")));
  config_.registries.default_registry.clear();
  tags_.reset();
  EXPECT_FALSE(tags().asks_for(image("busybox")));
  EXPECT_EQ(ask(image("busybox")).get().error().code, ErrorCode::invalid_argument);
}

TEST_F(TagResolverTest, ManyWhoAskAtOnceAreAnsweredByOneQuestion) {
  std::vector<Answer> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(ask(image("busybox")));
  source_.await_asked(1);
  for (int i = 0; i < 50; ++i) answers.push_back(ask(image("busybox")));
  source_.answer("busybox", "sha256:1");
  for (Answer& one : answers) EXPECT_EQ(one.get().value(), "sha256:1");
  EXPECT_EQ(source_.asked().size(), 1U);
  EXPECT_EQ(source_.patience, Pull::Patience::brief);
}

TEST_F(TagResolverTest, AnAnswerThatWasAskedForTooLongBeforeIsNotTaken) {
  auto first = ask(image("busybox"));
  source_.await_asked(1);
  clock_.ms += 200;
  auto second = ask(image("busybox"));
  clock_.ms += 1;
  auto third = ask(image("busybox"));  // The tag may have moved since the question was answered.
  source_.answer("busybox", "sha256:old");
  EXPECT_EQ(first.get().value(), "sha256:old");
  EXPECT_EQ(second.get().value(), "sha256:old");
  source_.await_asked(2);
  source_.answer("busybox", "sha256:new");
  EXPECT_EQ(third.get().value(), "sha256:new");
  clock_.ms += 200;
  EXPECT_EQ(ask(image("busybox")).get().value(), "sha256:new") << "it is fresh still";
  clock_.ms += 1;
  source_.answer("busybox", "sha256:newer");
  EXPECT_EQ(ask(image("busybox")).get().value(), "sha256:newer");
  EXPECT_EQ(source_.asked().size(), 3U);
}

TEST_F(TagResolverTest, AFailureIsToldToAllWhoWaitAndIsNotRemembered) {
  auto first = ask(image("busybox"));
  source_.answer("busybox", Error{ErrorCode::unavailable, "it is down"});
  EXPECT_EQ(first.get().error().message, "it is down");
  source_.answer("busybox", "sha256:1");
  EXPECT_EQ(ask(image("busybox")).get().value(), "sha256:1");
}

TEST_F(TagResolverTest, ARegistryThatHangsDoesNotHoldUpAnother) {
  std::vector<Answer> hanging;
  for (int i = 0; i < 20; ++i) hanging.push_back(ask(image("a.example.com/app" + std::to_string(i))));
  source_.await_asked(config_.threads_at_one);
  source_.answer("b.example.com/app", "sha256:b");
  EXPECT_EQ(ask(image("b.example.com/app")).get().value(), "sha256:b");
  EXPECT_EQ(source_.asked().size(), config_.threads_at_one + 1);
  for (int i = 0; i < 20; ++i) source_.answer("a.example.com/app" + std::to_string(i), "sha256:a");
  for (Answer& one : hanging) EXPECT_EQ(one.get().value(), "sha256:a");
}

TEST_F(TagResolverTest, AnAnswerThatTakesTooLongIsAFailure) {
  auto answer = ask(image("busybox"));
  source_.await_asked(1);
  clock_.ms += config_.answer_max.count() + 1;
  EXPECT_EQ(answer.get().error().code, ErrorCode::unavailable);
}

TEST_F(TagResolverTest, TooManyWhoWaitAreRefusedAndTheEndAnswersAll) {
  config_.waiting_max = 5;
  std::vector<Answer> answers;
  for (int i = 0; i < 5; ++i) answers.push_back(ask(image("app" + std::to_string(i))));
  EXPECT_EQ(ask(image("another")).get().error().code, ErrorCode::overloaded);
  tags_.reset();
  for (Answer& one : answers) EXPECT_EQ(one.get().error().code, ErrorCode::unavailable);
}

TEST_F(TagResolverTest, WhatIsKnownIsBounded) {
  config_.known_max = 3;
  for (int i = 0; i < 10; ++i) {
    const std::string name = "app" + std::to_string(i);
    source_.answer(name, "sha256:1");
    EXPECT_TRUE(ask(image(name)).get().ok());
  }
  source_.answer("app0", "sha256:2");
  EXPECT_EQ(ask(image("app0")).get().value(), "sha256:2") << "it was forgotten";
}

TEST(TagResolverOverHttp, TheDigestIsThatOfTheManifestAndOtherAnswersSayWhy) {
  const std::string manifest = R"({"schemaVersion":2})";
  LoopbackServer server([&](const LoopbackRequest& request) {
    LoopbackAnswer answer;
    answer.status = request.path == "/v2/team/app/manifests/1" ? 200 : 404;
    answer.headers = {"Content-Type: application/vnd.oci.image.manifest.v1+json"};
    answer.body = manifest;
    return answer;
  });
  ASSERT_TRUE(server.is_listening());
  SystemClock clock;
  RegistrySourceConfig config;
  config.registries.registries = {{server.host(), {}}};
  config.breaker.failures_max = 1;
  RegistrySource source(config, clock, Random(1));
  TagResolverConfig resolver;
  resolver.registries = config.registries;
  TagResolver tags(resolver, source, clock);
  const auto ask = [&](const std::string& tag) {
    std::promise<Result<std::string>> promise;
    tags.resolve(image(server.host() + "/team/app", tag),
                 [&](Result<std::string> digest) { promise.set_value(std::move(digest)); });
    return promise.get_future().get();
  };
  EXPECT_EQ(ask("1").value(), sha256_digest(manifest));
  EXPECT_EQ(ask("2").error().code, ErrorCode::not_found);
  EXPECT_THAT(ask("2").error().message, HasSubstr("404"));
}

}  // namespace
}  // namespace troupe::agent
