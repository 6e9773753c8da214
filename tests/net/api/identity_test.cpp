#include "net/api/identity.hpp"

#include <gmock/gmock.h>

#include "storage/model/audit_chain.hpp"

namespace troupe::api {
namespace {

std::string entry(std::string_view token, std::string_view caller, std::string_view roles) {
  return R"({"tokenSha256":")" + digest_of(token) + R"(","caller":")" + std::string(caller) +
         R"(","roles":)" + std::string(roles) + '}';
}

TEST(Identities, KnowACallerByTheDigestOfItsToken) {
  const auto known = Identities::parse('[' + entry("s3cret", "ci@example.com", R"(["submitter"])") + ',' +
                                       entry("other", "ops", R"(["operator","submitter"])") + ']');
  ASSERT_TRUE(known.ok()) << known.error().message;
  const auto ci = known.value().of({"Bearer s3cret", {}});
  ASSERT_TRUE(ci.ok());
  EXPECT_EQ(ci.value().caller, "ci@example.com");
  EXPECT_TRUE(ci.value().is_verified);
  EXPECT_TRUE(ci.value().may(Access::submitters));
  EXPECT_FALSE(ci.value().may(Access::operators));
  EXPECT_TRUE(known.value().of({"Bearer other", {}}).value().may(Access::operators));
  for (const auto* wrong : {"", "Bearer ", "Bearer wrong", "s3cret", "Basic s3cret", "bearer s3cret"})
    EXPECT_EQ(known.value().of({wrong, {}}).error().code, ErrorCode::unauthenticated) << wrong;
}

TEST(Identities, KnowACallerByTheSubjectOfItsCertificate) {
  const auto known = Identities::parse('[' + entry("s3cret", "ann", R"(["operator"])") +
                                       R"(,{"certificate":"CN=ci,O=Example","roles":["submitter"]},)"
                                       R"({"certificate":"CN=b","caller":"bob","roles":["operator"]}])");
  ASSERT_TRUE(known.ok()) << known.error().message;
  EXPECT_EQ(known.value().size(), 3U);
  const auto ci = known.value().of({{}, "CN=ci,O=Example"});
  ASSERT_TRUE(ci.ok());
  EXPECT_EQ(ci.value().caller, "CN=ci,O=Example");
  EXPECT_TRUE(ci.value().is_verified);
  EXPECT_TRUE(ci.value().may(Access::submitters));
  EXPECT_FALSE(ci.value().may(Access::operators));
  EXPECT_EQ(known.value().of({{}, "CN=b"}).value().caller, "bob");
  EXPECT_EQ(known.value().of({"Bearer s3cret", "CN=b"}).value().caller, "ann") << "a token counts first";
  EXPECT_EQ(known.value().of({"Bearer wrong", "CN=b"}).error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(known.value().of({{}, "CN=someone"}).error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(known.value().of({{}, "CN=ci"}).error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(known.value().of({{}, ""}).error().code, ErrorCode::unauthenticated);
}

TEST(Identities, ACertificateWithoutASubjectNamesNobody) {
  const auto known = Identities::parse("[]");
  EXPECT_THAT(known.value().of({{}, ""}).error().message, testing::HasSubstr("no subject"));
  EXPECT_EQ(certified("").error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(certified("CN=ci").value().caller, "CN=ci");
}

TEST(Identities, AnAgentMayOnlyAskWhetherANodeServes) {
  const Identity agent{"host-1", {Role::agent}, true};
  EXPECT_TRUE(agent.may(Access::everybody));
  EXPECT_FALSE(agent.may(Access::submitters));
  EXPECT_FALSE(agent.may(Access::operators));
}

TEST(Identities, WithoutAListCallersNameThemselvesAndMayDoAllAPersonMay) {
  const Identity someone = unverified("ann");
  EXPECT_FALSE(someone.is_verified);
  EXPECT_TRUE(someone.may(Access::operators));
}

TEST(Identities, OfABadFileAreComplainedAboutEachAtItsPlace) {
  const std::string good = entry("a", "ann", R"(["submitter"])");
  const std::pair<std::string, std::string> wrong[] = {
      {"{}", "must be a list"},
      {"[1]", "[0]"},
      {R"([{"tokenSha256":"abc","caller":"ann","roles":["submitter"]}])", "[0].tokenSha256"},
      {'[' + entry("a", "", R"(["submitter"])") + ']', "[0].caller"},
      {'[' + entry("a", "ann", R"([])") + ']', "[0].roles"},
      {'[' + entry("a", "ann", R"(["root"])") + ']', "[0].roles"},
      {'[' + good + ',' + good + ']', "[1].tokenSha256"},
      {R"([{"certificate":"","roles":["submitter"]}])", "[0].certificate"},
      {R"([{"certificate":"CN=a","roles":["submitter"]},{"certificate":"CN=a","roles":["operator"]}])",
       "[1].certificate"},
      {R"([{"certificate":"CN=a","tokenSha256":"abc","caller":"a","roles":["operator"]}])",
       "[0].certificate"},
      {'[' + good.substr(0, good.size() - 1) + R"(,"token":"a"}])", "[0].token"}};
  for (const auto& [text, where] : wrong) {
    const auto parsed = Identities::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    std::string all = parsed.error().message;
    for (const Violation& one : parsed.error().violations) all += one.path + ": " + one.message + '\n';
    EXPECT_THAT(all, testing::HasSubstr(where)) << text;
  }
}

}  // namespace
}  // namespace troupe::api
