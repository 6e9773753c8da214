// What follows from a registry's answers, sound and hostile.

#include "actors/agent/images/registry_protocol.hpp"

#include <gmock/gmock.h>

namespace troupe::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Scheme = RegistryChallenge::Scheme;
using RequestKind = RegistryExchange::Request::Kind;

TEST(RegistryChallenges, AreReadAsRegistriesWriteThem) {
  const auto one =
      parse_challenges(R"(Bearer realm="https://auth.io/token",service="r.io",scope="repository:a/b:pull")")
          .value();
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0],
            (RegistryChallenge{Scheme::bearer, "https://auth.io/token", "r.io", "repository:a/b:pull"}));
  const auto two =
      parse_challenges(R"(Negotiate abc==, basic Realm = "a \"b\", c" , BEARER realm=x)").value();
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0], (RegistryChallenge{Scheme::basic, R"(a "b", c)", "", ""}));
  EXPECT_EQ(two[1].realm, "x");
  EXPECT_EQ(choose_challenge({"Basic realm=\"x\"", "Bearer realm=\"y\""}).value().scheme, Scheme::bearer);
  EXPECT_EQ(choose_challenge({"Digest x", "Basic realm=\"x\""}).value().scheme, Scheme::basic);
}

TEST(RegistryChallenges, ThatAreNoneAreRefusedAndBounded) {
  std::string many = "Bearer realm=\"x\"";
  for (int i = 0; i < 40; ++i) many += ",a" + std::to_string(i) + "=b";
  for (const std::string& bad : {std::string(), std::string("Bearer"), std::string("Bearer realm="),
                                 std::string("Bearer realm=\"open"), std::string("Bearer realm=\"a\nb\""),
                                 std::string("Digest x"), std::string("=,=\""), std::string("\"\""),
                                 std::string(10'000, 'a'), many, std::string("Bearer realm=\"x\\")})
    EXPECT_EQ(choose_challenge({bad}).error().code, ErrorCode::invalid_argument) << bad.substr(0, 40);
  EXPECT_FALSE(choose_challenge({}).ok());
}

TEST(RegistryTokens, AreTakenOnlyIfTheyFitAHeader) {
  EXPECT_EQ(parse_token_answer(R"({"token": "abc", "expires_in": 300})").value().text, "abc");
  EXPECT_EQ(parse_token_answer(R"({"token": "abc", "expires_in": 300})").value().lives,
            std::chrono::seconds(300));
  EXPECT_EQ(parse_token_answer(R"({"access_token": "x"})").value().lives, std::chrono::seconds(60));
  EXPECT_EQ(parse_token_answer(R"({"token": "x", "expires_in": 99999999999})").value().lives,
            std::chrono::seconds(3'600));
  EXPECT_EQ(parse_token_answer(R"({"token": "x", "expires_in": -5})").value().lives.count(), 0);
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"token": ""})"),
        std::string(R"({"token": 7})"), std::string(R"({"token": "a b"})"),
        std::string(R"({"token": "a\r\nX-Evil: 1"})"), R"({"token": ")" + std::string(20'000, 'a') + "\"}",
        std::string(100'000, ' ')})
    EXPECT_FALSE(parse_token_answer(bad).ok()) << bad.substr(0, 40);
}

TEST(RegistryCredentials, BecomeAHeaderAndAreNeverRepeated) {
  EXPECT_EQ(basic_authorization("Aladdin:open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(basic_authorization("a:b"), "Basic YTpi");
  EXPECT_EQ(basic_authorization("a:bc"), "Basic YTpiYw==");
  EXPECT_EQ(parse_credentials("me:secret\r\nrest").value(), "me:secret");
  for (const char* bad : {"", "\n", "secret", ":secret"}) {
    EXPECT_FALSE(parse_credentials(bad).ok());
    EXPECT_THAT(parse_credentials(bad).error().message, Not(HasSubstr("secret")));
  }
}

TEST(RegistryUrls, AreFollowedOnlyWhereNothingIsLost) {
  RegistriesConfig config;
  config.registries = {{"plain.io", {}, Transport::plain, "", ""}};
  const RegistryUrl tls = parse_url("https://R.io:443/v2/").value();
  const RegistryUrl plain = parse_url("http://plain.io/v2/").value();
  const RegistryUrl local = parse_url("http://127.0.0.1:5000/v2/").value();
  EXPECT_EQ(follow_url(tls, "/a?b#c", config).value().text(), "https://r.io:443/a?b");
  EXPECT_EQ(follow_url(tls, "//cdn.io/x", config).value().text(), "https://cdn.io/x");
  EXPECT_EQ(follow_url(tls, "https://cdn.io?sig=1", config).value().text(), "https://cdn.io/?sig=1");
  EXPECT_TRUE(follow_url(plain, "https://cdn.io/", config).ok());
  EXPECT_TRUE(follow_url(local, "http://localhost:9/x", config).ok());
  EXPECT_TRUE(follow_url(local, "http://plain.io/x", config).ok());
  const std::pair<const RegistryUrl*, const char*> refused[] = {
      {&tls, "http://r.io/"},
      {&tls, "http://plain.io/"},
      {&tls, "https://127.0.0.1/"},
      {&tls, "https://localhost:1/"},
      {&plain, "http://cdn.io/"},
      {&plain, "http://127.0.0.1:80/"},
      {&tls, "file:///etc/passwd"},
      {&tls, "ftp://r.io/"},
      {&tls, ""},
      {&tls, "relative"},
      {&tls, "https://u:p@r.io/"},
      {&tls, "https://r.io/a b"},
      {&tls, "https://r.io/\r\nX: 1"},
      {&tls, "https:///x"},
      {&tls, "https://r.io:99999/"},
      {&local, "http://10.0.0.1/"},
      {&tls, "https://[::1]/"},
  };
  for (const auto& [from, location] : refused)
    EXPECT_FALSE(follow_url(*from, location, config).ok()) << location;
  EXPECT_FALSE(follow_url(tls, "https://r.io/" + std::string(9'000, 'a'), config).ok());
  EXPECT_THAT(follow_url(tls, "http://r.io/x?sig=secret", config).error().message, Not(HasSubstr("secret")));
  EXPECT_EQ(percent_encoded("a b/c:~%&"), "a%20b%2Fc%3A~%25%26");
}

TEST(RegistryFailures, SayWhoseFaultItIsAndHowLongToWait) {
  const Instant now{784'111'777'000};  // Sun, 06 Nov 1994 08:49:37 GMT
  const auto failure = [&](int status, std::string after = {}) {
    RegistryAnswer answer;
    answer.status = status;
    answer.retry_after = std::move(after);
    return failure_of_status(answer, "it", now);
  };
  for (const int status : {400, 401, 403, 404, 405, 410, 418, 451})
    EXPECT_EQ(failure(status).fault, Fault::image);
  for (const int status : {0, 204, 304, 408, 416, 425, 429, 500, 502, 503, 504, 599, 600})
    EXPECT_EQ(failure(status).fault, Fault::registry) << status;
  EXPECT_EQ(failure(404).error.code, ErrorCode::not_found);
  EXPECT_EQ(failure(429, "7").wait, std::chrono::seconds(7));
  EXPECT_EQ(failure(503, "Sun, 06 Nov 1994 08:49:47 GMT").wait, std::chrono::seconds(10));
  EXPECT_EQ(failure(503, "Sun, 06 Nov 1993 08:49:47 GMT").wait.count(), 0);
  EXPECT_EQ(failure(503, "99999999999").wait, retry_after_max);
  for (const char* odd : {"", "-1", "soon", "1.5", "999999999999999999999", "Sun, 31 Feb 1994 08:49:47 GMT",
                          "Sun, 06 Nov 1994 08:49:47 CET"})
    EXPECT_EQ(failure(503, odd).wait.count(), 0) << odd;
  EXPECT_EQ(range_begin("bytes 10-20/30"), 10U);
  for (const char* odd : {"", "bytes", "bytes -5/3", "bytes */7", "bytes x-y", "items 1-2/3"})
    EXPECT_EQ(range_begin(odd), std::nullopt) << odd;
}

/// One exchange with https://r.io for repository a/b.
class RegistryExchangeTest : public testing::Test {
 protected:
  RegistryExchange talk(std::string credentials = {}, std::string remembered = {}) const {
    RegistryEndpoint endpoint{"r.io", Transport::tls, "", credentials.empty() ? "" : "/etc/password"};
    return {config_, endpoint, {"a/b", "manifests/v1"}, std::move(credentials), std::move(remembered)};
  }
  static RegistryAnswer status(int number, std::string location = {}) {
    RegistryAnswer answer;
    answer.status = number;
    answer.location = std::move(location);
    return answer;
  }
  static RegistryAnswer bearer(const std::string& realm = "https://auth.io/token",
                               const std::string& scope = {}) {
    RegistryAnswer answer = status(401);
    answer.challenges = {"Bearer realm=\"" + realm + "\",service=\"r io\"" +
                         (scope.empty() ? "" : ",scope=\"" + scope + "\"")};
    return answer;
  }
  static RegistryAnswer basic() {
    RegistryAnswer answer = status(401);
    answer.challenges = {"Basic realm=\"r\""};
    return answer;
  }
  static RegistryAnswer token(const std::string& text) {
    RegistryAnswer answer = status(200);
    answer.body = R"({"token": ")" + text + R"(", "expires_in": 100})";
    return answer;
  }
  static bool again(RegistryExchange& exchange, const RegistryAnswer& answer) {
    return std::holds_alternative<RegistryExchange::Again>(exchange.take(answer, {}));
  }
  static PullFailure failure(RegistryExchange& exchange, const RegistryAnswer& answer) {
    return std::get<PullFailure>(exchange.take(answer, {}));
  }
  RegistriesConfig config_;
};

TEST_F(RegistryExchangeTest, AnOpenRegistryAnswersAtOnce) {
  auto exchange = talk("me:secret");
  EXPECT_EQ(exchange.request().url.text(), "https://r.io/v2/a/b/manifests/v1");
  EXPECT_EQ(exchange.request().authorization, "") << "nobody has asked for it";
  EXPECT_TRUE(std::holds_alternative<RegistryExchange::Ready>(exchange.take(status(200), {})));
}

TEST_F(RegistryExchangeTest, AChallengeLeadsToATokenAndBack) {
  auto exchange = talk("me:secret");
  ASSERT_TRUE(again(exchange, bearer()));
  EXPECT_EQ(exchange.request().kind, RequestKind::token);
  EXPECT_EQ(exchange.request().url.text(),
            "https://auth.io/token?service=r%20io&scope=repository%3Aa%2Fb%3Apull");
  EXPECT_EQ(exchange.request().authorization, basic_authorization("me:secret"));
  ASSERT_TRUE(again(exchange, token("t1")));
  EXPECT_EQ(exchange.request().kind, RequestKind::wish);
  EXPECT_EQ(exchange.request().url.text(), "https://r.io/v2/a/b/manifests/v1");
  EXPECT_EQ(exchange.request().authorization, "Bearer t1");
  EXPECT_TRUE(std::holds_alternative<RegistryExchange::Ready>(exchange.take(status(200), {})));
  EXPECT_EQ(exchange.authorization(), "Bearer t1");
  EXPECT_EQ(exchange.authorization_lives(), std::chrono::seconds(100));
}

TEST_F(RegistryExchangeTest, NoMoreIsAskedForThanToPull) {
  auto exchange = talk();
  ASSERT_TRUE(
      again(exchange, bearer("https://auth.io/token?x=1", "repository:a/b:pull,push registry:catalog:*")));
  EXPECT_EQ(exchange.request().url.target, "/token?x=1&service=r%20io&scope=repository%3Aa%2Fb%3Apull");
  EXPECT_EQ(exchange.request().authorization, "");
}

TEST_F(RegistryExchangeTest, ARememberedTokenThatExpiredIsReplacedOnce) {
  auto exchange = talk({}, "Bearer old");
  EXPECT_EQ(exchange.request().authorization, "Bearer old");
  ASSERT_TRUE(again(exchange, bearer()));
  ASSERT_TRUE(again(exchange, token("t1")));
  ASSERT_TRUE(again(exchange, bearer()));
  ASSERT_TRUE(again(exchange, token("t2")));
  const auto refused = failure(exchange, bearer());
  EXPECT_EQ(refused.fault, Fault::image);
  EXPECT_THAT(refused.error.message, HasSubstr("this host has no credentials for it"));
}

TEST_F(RegistryExchangeTest, BasicCredentialsAreShownOnceAndNeverNamed) {
  auto poor = talk();
  EXPECT_THAT(failure(poor, basic()).error.message, HasSubstr("no credentials"));
  auto exchange = talk("me:secret");
  ASSERT_TRUE(again(exchange, basic()));
  EXPECT_EQ(exchange.request().authorization, basic_authorization("me:secret"));
  const auto refused = failure(exchange, basic());
  EXPECT_EQ(refused.fault, Fault::image);
  EXPECT_THAT(refused.error.message, HasSubstr("/etc/password"));
  EXPECT_THAT(refused.error.message, Not(HasSubstr("secret")));
}

TEST_F(RegistryExchangeTest, CredentialsDoNotFollowARedirectToAnotherServer) {
  auto exchange = talk("me:secret");
  ASSERT_TRUE(again(exchange, basic()));
  ASSERT_TRUE(again(exchange, status(307, "/elsewhere")));
  EXPECT_NE(exchange.request().authorization, "") << "it is still the same server";
  ASSERT_TRUE(again(exchange, status(302, "https://cdn.io/blob?sig=1")));
  EXPECT_EQ(exchange.request().authorization, "");
  EXPECT_FALSE(exchange.is_at_home());
  auto thief = exchange;
  const auto asked = failure(thief, bearer("https://cdn.io/token"));
  EXPECT_EQ(asked.fault, Fault::registry) << "only the registry itself may ask for credentials";
  auto port = exchange;
  ASSERT_TRUE(again(port, status(302, "https://r.io:8443/blob")));
  EXPECT_EQ(port.request().authorization, "") << "another port is another server";
  EXPECT_EQ(failure(exchange, status(403)).fault, Fault::registry) << "the link has expired";
}

TEST_F(RegistryExchangeTest, RedirectsEndAndDoNotLeaveTls) {
  auto circle = talk();
  for (unsigned i = 0; i < redirects_max; ++i) ASSERT_TRUE(again(circle, status(302, "/again")));
  EXPECT_THAT(failure(circle, status(302, "/again")).error.message, HasSubstr("in circles"));
  auto down = talk();
  EXPECT_THAT(failure(down, status(302, "http://cdn.io/x")).error.message, HasSubstr("leaves TLS"));
  auto nowhere = talk();
  EXPECT_EQ(failure(nowhere, status(302)).fault, Fault::image);
  auto realm = talk("me:secret");
  EXPECT_THAT(failure(realm, bearer("http://auth.io/token")).error.message, HasSubstr("leaves TLS"));
}

TEST_F(RegistryExchangeTest, ATokenServiceMayBeBusyRefuseOrTalkNonsense) {
  const auto asked = [this] {
    auto exchange = talk("me:secret");
    EXPECT_TRUE(again(exchange, bearer()));
    return exchange;
  };
  auto busy = asked();
  EXPECT_EQ(failure(busy, status(503)).fault, Fault::registry);
  auto refuses = asked();
  const auto refused = failure(refuses, status(401));
  EXPECT_EQ(refused.fault, Fault::image);
  EXPECT_THAT(refused.error.message, HasSubstr("see /etc/password"));
  auto nonsense = asked();
  EXPECT_EQ(failure(nonsense, status(200)).fault, Fault::registry);
  auto redirects = asked();
  EXPECT_EQ(failure(redirects, status(302, "https://evil.io/")).fault, Fault::registry);
}

}  // namespace
}  // namespace troupe::agent
