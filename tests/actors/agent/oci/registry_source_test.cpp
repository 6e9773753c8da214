// Real HTTP on loopback: registries that break off, redirect, lie, are busy or dead.

#include "actors/agent/images/registry_source.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "actors/agent/images/blob_text.hpp"
#include "tests/actors/agent/oci/loopback_registry.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string some_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  Random random(size);
  for (char& c : bytes) c = static_cast<char>(random.below(256));
  return bytes;
}

std::string whole(const Fd& file) {
  std::string text;
  char block[65'536];
  for (ssize_t count = 0; (count = read(file.get(), block, sizeof block)) > 0;)
    text.append(block, static_cast<std::size_t>(count));
  return text;
}

/// The part of a body that was asked for.
LoopbackAnswer ranged(const LoopbackRequest& request, const std::string& body) {
  LoopbackAnswer answer;
  const std::string range = request.header("range");
  const std::size_t first = range.empty() ? 0 : std::stoul(range.substr(range.find('=') + 1));
  if (!range.empty()) {
    answer.status = 206;
    answer.headers = {"Content-Range: bytes " + std::to_string(first) + "-" +
                      std::to_string(body.size() - 1) + "/" + std::to_string(body.size())};
  }
  answer.body = body.substr(first);
  return answer;
}

LoopbackAnswer status_only(int status, std::vector<std::string> headers = {}) {
  return {status, std::move(headers), "", std::string::npos, false, true};
}

class RegistrySourceTest : public testing::Test {
 protected:
  RegistrySourceTest() {
    config_.folder = folder_.file("parts");
    config_.backoff.wait_first = milliseconds(2);
    config_.backoff.wait_max = milliseconds(20);
    config_.backoff.idle_max = milliseconds(5'000);
    config_.breaker.failures_max = 100;
    config_.brief_max = milliseconds(200);
  }

  RegistrySource& source() {
    if (!source_) {
      source_ = std::make_unique<RegistrySource>(config_, clock_, Random(7));
      EXPECT_TRUE(source_->open().ok());
    }
    return *source_;
  }
  void serve(LoopbackServer::Handler handler) {
    server_ = std::make_unique<LoopbackServer>(std::move(handler));
    ASSERT_TRUE(server_->is_listening());
  }
  ImageName app(const std::string& tag = "v1") const { return {server_->host() + "/team/app", tag, ""}; }
  BlobWish layer_wish() const { return {BlobWish::Kind::layer, sha256_digest(layer_), layer_.size()}; }
  Result<Fd> open_layer(Pull pull = {}) { return source().open_blob(app(), layer_wish(), pull); }
  std::string part() const {
    return config_.folder + "/" + std::string(digest_hex(sha256_digest(layer_))) + ".part";
  }
  Result<BlobLink> resolve(Pull pull = {}) { return source().resolve(app(), pull); }
  void write_password(mode_t mode) {
    std::ofstream(folder_.file("password")) << "me:secret\n";
    chmod(folder_.file("password").c_str(), mode);
    config_.registries.registries = {{server_->host(), {}, Transport::plain, "", folder_.file("password")}};
  }

  TempFolder folder_;
  SystemClock clock_;
  RegistrySourceConfig config_;
  std::string layer_ = some_bytes(1'000'000);
  std::unique_ptr<LoopbackServer> server_;
  std::unique_ptr<RegistrySource> source_;
};

TEST_F(RegistrySourceTest, ATagBecomesTheDigestOfItsManifest) {
  serve([](const LoopbackRequest& request) {
    EXPECT_THAT(request.header("accept"), HasSubstr("application/vnd.oci.image.index.v1+json"));
    LoopbackAnswer answer;
    answer.body = "{}";
    answer.headers = {"Docker-Content-Digest: " + sha256_digest("{}")};
    return answer;
  });
  const std::string digest = sha256_digest("{}");
  EXPECT_EQ(resolve().value().digest, digest);
  Pull pull;
  EXPECT_EQ(whole(source().open_blob(app(), {BlobWish::Kind::manifest, digest, 2}, pull).value()), "{}");
  EXPECT_EQ(server_->requests()[0].path, "/v2/team/app/manifests/v1");
  EXPECT_EQ(server_->requests()[1].path, "/v2/team/app/manifests/" + digest);
}

TEST_F(RegistrySourceTest, ALayerComesWholeAndItsFileIsGoneWithTheDescriptor) {
  serve([this](const LoopbackRequest& request) { return ranged(request, layer_); });
  const auto blob = open_layer();
  ASSERT_TRUE(blob.ok()) << blob.error().message;
  EXPECT_EQ(whole(blob.value()), layer_);
  EXPECT_TRUE(std::filesystem::is_empty(config_.folder));
  EXPECT_EQ(source().counts().bytes, layer_.size());
}

TEST_F(RegistrySourceTest, ABrokenConnectionIsContinuedWhereItBroke) {
  std::atomic<int> asked = 0;
  serve([&](const LoopbackRequest& request) {
    LoopbackAnswer answer = ranged(request, layer_);
    if (++asked <= 3) answer.cut_after = layer_.size() / 4;
    return answer;
  });
  const auto blob = open_layer();
  ASSERT_TRUE(blob.ok()) << blob.error().message;
  EXPECT_EQ(whole(blob.value()), layer_);
  const auto requests = server_->requests();
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(requests[0].header("range"), "");
  EXPECT_EQ(requests[1].header("range"), "bytes=250000-");
  EXPECT_EQ(requests[3].header("range"), "bytes=750000-");
  EXPECT_EQ(source().counts().resumes, 1U);
  EXPECT_EQ(source().counts().retries, 3U);
}

TEST_F(RegistrySourceTest, AnotherLifeOfTheAgentContinuesWhatIsThere) {
  serve([this](const LoopbackRequest& request) { return ranged(request, layer_); });
  (void)source();
  std::ofstream(part(), std::ios::binary) << layer_.substr(0, 600'000);
  EXPECT_EQ(whole(open_layer().value()), layer_);
  ASSERT_EQ(server_->requests().size(), 1U);
  EXPECT_EQ(server_->requests()[0].header("range"), "bytes=600000-");
}

TEST_F(RegistrySourceTest, WhatACrashDamagedIsHashedAgainAndDropped) {
  serve([this](const LoopbackRequest& request) { return ranged(request, layer_); });
  (void)source();
  std::ofstream(part(), std::ios::binary) << layer_.substr(0, 500'000) << std::string(100'000, '\0');
  EXPECT_EQ(whole(open_layer().value()), layer_);
  ASSERT_EQ(server_->requests().size(), 2U);
  EXPECT_EQ(server_->requests()[1].header("range"), "") << "from nothing";
  std::ofstream(part(), std::ios::binary) << layer_;
  EXPECT_EQ(whole(open_layer().value()), layer_);
  EXPECT_EQ(server_->requests().size(), 2U) << "it was whole";
  std::ofstream(part(), std::ios::binary) << layer_ << "more";
  EXPECT_EQ(whole(open_layer().value()), layer_);
}

TEST_F(RegistrySourceTest, AServerWithoutRangesStartsAgain) {
  serve([this](const LoopbackRequest&) {
    LoopbackAnswer answer;
    answer.body = layer_;
    return answer;
  });
  (void)source();
  std::ofstream(part(), std::ios::binary) << "something else";
  EXPECT_EQ(whole(open_layer().value()), layer_);
}

TEST_F(RegistrySourceTest, AnotherPartThanAskedForOrNoneIsBegunFromNothing) {
  std::atomic<int> asked = 0;
  serve([&](const LoopbackRequest& request) {
    if (++asked == 1) {
      LoopbackAnswer wrong = ranged(request, layer_);
      wrong.headers = {"Content-Range: bytes 7-999999/1000000"};
      return wrong;
    }
    if (!request.header("range").empty()) return status_only(416);
    return ranged(request, layer_);
  });
  (void)source();
  std::ofstream(part(), std::ios::binary) << layer_.substr(0, 10);
  EXPECT_EQ(whole(open_layer().value()), layer_);
}

TEST_F(RegistrySourceTest, LiesAboutDigestAndSizeAreFoundAndNotTriedAgain) {
  std::atomic<int> lie = 0;
  serve([&](const LoopbackRequest&) {
    LoopbackAnswer answer;
    answer.body = layer_;
    if (lie == 0) answer.body[17] ^= 1;
    if (lie == 1) answer.body += "more";
    if (lie == 2) answer.body += "more", answer.has_length = false;
    if (lie == 3) answer.body.pop_back();
    return answer;
  });
  for (lie = 0; lie < 4; ++lie) {
    const auto blob = open_layer();
    ASSERT_FALSE(blob.ok()) << lie;
    EXPECT_EQ(blob.error().code, ErrorCode::corrupt) << lie << blob.error().message;
    EXPECT_TRUE(std::filesystem::is_empty(config_.folder)) << "nobody continues that";
  }
  EXPECT_EQ(server_->requests().size(), 4U);
  EXPECT_EQ(source().counts().corrupt, 4U);
}

TEST_F(RegistrySourceTest, ALyingManifestIsRefusedAndALargeOneNotReadToItsEnd) {
  std::atomic<bool> is_large = false;
  serve([&](const LoopbackRequest&) {
    LoopbackAnswer answer;
    answer.body = is_large ? std::string(document_bytes_max + 1, ' ') : "{}";
    answer.headers = {"Docker-Content-Digest: " + sha256_digest("other")};
    return answer;
  });
  EXPECT_EQ(resolve().error().code, ErrorCode::corrupt);
  is_large = true;
  EXPECT_THAT(resolve().error().message, HasSubstr("larger than 4194304 bytes"));
  Pull pull;
  EXPECT_EQ(
      source().open_blob(app(), {BlobWish::Kind::config, sha256_digest("x"), 1ULL << 40}, pull).error().code,
      ErrorCode::invalid_argument);
  config_.layer_bytes_max = 10;
  source_.reset();
  EXPECT_THAT(open_layer().error().message, HasSubstr("larger than the 10 that this host takes"));
  EXPECT_EQ(server_->requests().size(), 2U) << "nobody was asked for what is too large";
}

TEST_F(RegistrySourceTest, ATokenIsFetchedOnceAndShownToItsRegistryAlone) {
  LoopbackServer store([this](const LoopbackRequest& request) {
    EXPECT_EQ(request.header("authorization"), "");
    return ranged(request, layer_);
  });
  serve([&](const LoopbackRequest& request) {
    if (request.path.starts_with("/token")) {
      EXPECT_EQ(request.path, "/token?service=test&scope=repository%3Ateam%2Fapp%3Apull");
      EXPECT_EQ(request.header("authorization"), "Basic bWU6c2VjcmV0");
      LoopbackAnswer answer;
      answer.body = R"({"token": "t0k3n", "expires_in": 300})";
      return answer;
    }
    if (request.header("authorization") != "Bearer t0k3n")
      return status_only(401, {"WWW-Authenticate: Bearer realm=\"http://" + server_->host() +
                               "/token\",service=\"test\",scope=\"repository:team/app:pull\""});
    return status_only(307, {"Location: http://" + store.host() + "/blob?signature=x"});
  });
  write_password(0600);
  EXPECT_EQ(whole(open_layer().value()), layer_);
  EXPECT_EQ(whole(open_layer().value()), layer_);
  EXPECT_EQ(server_->requests().size(), 4U) << "401, token, 307; then 307";
  EXPECT_EQ(store.requests().size(), 2U);
}

TEST_F(RegistrySourceTest, RefusedCredentialsAreTheUsersFaultAndOpenOnesTheHosts) {
  serve([](const LoopbackRequest&) { return status_only(401, {"WWW-Authenticate: Basic realm=\"r\""}); });
  const auto poor = resolve();
  EXPECT_EQ(poor.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(poor.error().message, HasSubstr("no credentials"));
  write_password(0600);
  source_.reset();
  const auto refused = resolve();
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr("/password"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("secret")));
  const std::size_t asked = server_->requests().size();
  EXPECT_EQ(asked, 3U);
  write_password(0644);
  source_.reset();
  EXPECT_THAT(resolve().error().message, HasSubstr("chmod 600"));
  EXPECT_EQ(server_->requests().size(), asked) << "it was shown to nobody";
}

TEST_F(RegistrySourceTest, ABusyRegistryIsAskedAgainAndAMissingImageNot) {
  std::atomic<int> asked = 0;
  serve([&](const LoopbackRequest&) {
    ++asked;
    if (asked == 1) return status_only(503);
    if (asked == 2) return status_only(429, {"Retry-After: 0"});
    if (asked == 3) return status_only(500);
    LoopbackAnswer answer;
    answer.body = "{}";
    return answer;
  });
  EXPECT_TRUE(resolve().ok());
  EXPECT_EQ(source().counts().retries, 3U);
  serve([&](const LoopbackRequest&) { return status_only(404); });
  EXPECT_EQ(resolve().error().code, ErrorCode::not_found);
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(RegistrySourceTest, TooLongARetryAfterIsNotWaitedFor) {
  serve([](const LoopbackRequest&) { return status_only(429, {"Retry-After: 3600"}); });
  EXPECT_EQ(resolve().error().code, ErrorCode::unavailable);
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(RegistrySourceTest, ABriefQuestionHasOneAttemptAndAShortWait) {
  std::atomic<bool> is_silent = false;
  serve([&](const LoopbackRequest&) {
    LoopbackAnswer answer = status_only(503);
    answer.is_silent = is_silent;
    return answer;
  });
  Pull brief;
  brief.patience = Pull::Patience::brief;
  EXPECT_EQ(resolve(brief).error().code, ErrorCode::unavailable);
  is_silent = true;
  const Moment begun = clock_.steady();
  EXPECT_EQ(resolve(brief).error().code, ErrorCode::unavailable);
  EXPECT_LT(clock_.steady() - begun, std::chrono::seconds(20));
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(RegistrySourceTest, ADeadRegistryIsLeftAloneByAllUntilAProbeFindsItAlive) {
  int port = 0;
  {
    LoopbackServer once([](const LoopbackRequest&) { return status_only(500); });
    port = once.port();
  }
  config_.breaker.failures_max = 3;
  config_.breaker.open_first = config_.breaker.open_max = milliseconds(2'000);
  const std::string host = "127.0.0.1:" + std::to_string(port);
  const ImageName name{host + "/team/app", "v1", ""};
  Pull pull;
  EXPECT_EQ(source().resolve(name, pull).error().code, ErrorCode::unavailable);
  EXPECT_EQ(source().breaker_state(host), CircuitBreaker::State::open);
  EXPECT_EQ(source().counts().breakers_opened, 1U);
  EXPECT_EQ(source().counts().retries, 3U);
  for (int task = 0; task < 50; ++task) {
    Pull another;
    EXPECT_THAT(source().resolve(name, another).error().message, HasSubstr("left alone"));
  }
  EXPECT_EQ(source().counts().retries, 3U) << "they fail at once";
  LoopbackServer back([](const LoopbackRequest&) { return LoopbackAnswer{200, {}, "{}"}; }, port);
  ASSERT_TRUE(back.is_listening());
  // A pull that has something already is patient.
  Pull patient;
  patient.budget.emplace(config_.backoff, clock_.steady());
  patient.budget->progressed(clock_.steady());
  EXPECT_TRUE(source().resolve(name, patient).ok());
  EXPECT_EQ(source().breaker_state(host), CircuitBreaker::State::closed);
}

TEST_F(RegistrySourceTest, MirrorsComeFirstAndTheRegistryHelpsOut) {
  LoopbackServer lying([](const LoopbackRequest&) { return LoopbackAnswer{200, {}, "rubbish"}; });
  LoopbackServer empty([](const LoopbackRequest&) { return status_only(404); });
  LoopbackServer busy([](const LoopbackRequest&) { return status_only(503); });
  serve([this](const LoopbackRequest& request) { return ranged(request, layer_); });
  config_.registries.registries = {
      {server_->host(), {lying.host(), empty.host(), busy.host()}, Transport::plain, "", ""}};
  EXPECT_EQ(whole(open_layer().value()), layer_);
  EXPECT_EQ(lying.requests().size() + empty.requests().size() + busy.requests().size(), 3U);
  serve([](const LoopbackRequest&) { return status_only(404); });
  config_.registries.registries[0].name = server_->host();
  config_.registries.registries[0].mirrors = {empty.host(), busy.host()};
  source_.reset();
  EXPECT_EQ(resolve().error().code, ErrorCode::not_found) << "the registry itself knows";
  const std::size_t before = server_->requests().size();
  LoopbackServer good([this](const LoopbackRequest& request) { return ranged(request, layer_); });
  config_.registries.registries[0].mirrors = {good.host()};
  source_.reset();
  EXPECT_EQ(whole(open_layer().value()), layer_);
  EXPECT_EQ(server_->requests().size(), before) << "a mirror that has it is enough";
}

TEST_F(RegistrySourceTest, APullEndsSoonAfterNobodyWantsIt) {
  std::atomic<bool> is_wanted = true;
  serve([&](const LoopbackRequest&) {
    is_wanted = false;
    LoopbackAnswer answer;
    answer.is_silent = true;
    return answer;
  });
  Pull pull;
  pull.wanted = [&]() -> Result<void> {
    if (is_wanted) return {};
    return Error{ErrorCode::conflict, "stopped"};
  };
  EXPECT_EQ(open_layer(pull).error().code, ErrorCode::conflict);
  serve([&](const LoopbackRequest&) {
    is_wanted = false;
    return status_only(503, {"Retry-After: 4"});
  });
  is_wanted = true;
  const Moment begun = clock_.steady();
  EXPECT_EQ(resolve(pull).error().code, ErrorCode::conflict) << "while it waits to ask again";
  EXPECT_LT(clock_.steady() - begun, std::chrono::seconds(3));
}

TEST_F(RegistrySourceTest, ARedirectToAServerWithoutTlsMustBeConfigured) {
  serve([](const LoopbackRequest&) {
    return status_only(302, {"Location: http://10.255.255.1/blob?signature=s3cr3t"});
  });
  const auto refused = open_layer();
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr("has no TLS"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("s3cr3t")));
}

TEST_F(RegistrySourceTest, WhatNobodyContinuedForADayIsDeleted) {
  std::filesystem::create_directories(config_.folder);
  std::ofstream(config_.folder + "/old.part") << "x";
  std::ofstream(config_.folder + "/new.part") << "x";
  const timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, (config_.folder + "/old.part").c_str(), old, 0), 0);
  (void)source();
  EXPECT_FALSE(std::filesystem::exists(config_.folder + "/old.part"));
  EXPECT_TRUE(std::filesystem::exists(config_.folder + "/new.part"));
}

TEST_F(RegistrySourceTest, ANameWithoutARegistryIsAskedOfTheDefaultOne) {
  serve([](const LoopbackRequest&) { return LoopbackAnswer{200, {}, "{}"}; });
  Pull pull;
  const ImageName bare{"team/app", "v1", ""};
  EXPECT_THAT(source().resolve(bare, pull).error().message, HasSubstr("no folder of images has 'team/app'"));
  config_.registries.default_registry = server_->host();
  source_.reset();
  EXPECT_TRUE(source().resolve(bare, pull).ok());
}

}  // namespace
}  // namespace troupe::agent
