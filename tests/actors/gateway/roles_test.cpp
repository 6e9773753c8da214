// Who may call what: every route of the table, for every role.

#include <gmock/gmock.h>

#include <set>

#include "actors/gateway/router.hpp"
#include "storage/model/audit_chain.hpp"
#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

// What only operators may do, and what everybody may ask. All else is for submitters and operators: a new
// route that belongs here makes the test fail until somebody has thought about it.
const std::set<std::string> for_operators{
    "PUT /api/v3/hosts/{name}/phase",
    "PUT /api/v3/hosts/{name}/scheduling",
    "PUT /api/v3/groups/{name}/scheduling",
    "PUT /api/v3/cell/scheduling",
    "POST /api/v2/management/applications",
    "PUT /api/v2/management/applications/{name}",
    "DELETE /api/v2/management/applications/{name}",
    "PUT /api/v3/cell/policy",
    "POST /api/v3/cell/members",
    "POST /api/v3/cell/members/{node}/promote",
    "DELETE /api/v3/cell/members/{node}",
    "POST /api/v3/cell/members/{node}/handOver",
    "POST /api/v3/cell/members/{node}/takeBack",
    "PUT /api/v3/cell/leader",
    "PUT /api/v3/cell/shards/{shard}/owner",
    "POST /api/v3/jobs/{id}/retry",
    "POST /api/v3/tasks/{id}/retry",
    "POST /api/v3/actors/{kind}/{id}/restart",
    "POST /api/v3/cell/snapshots",
    "GET /api/v3/cell/snapshots/{id}",
    "GET /api/v3/cell/snapshots/{id}/files/{file}",
    "DELETE /api/v3/cell/snapshots/{id}",
    "POST /api/v3/entities/{kind}/{id}/release",
    "GET /api/v3/console",
    "GET /api/v3/debug",
    "GET /api/v3/actors",
    "POST /api/v3/traces",
    "GET /api/v3/traces/{id}",
    "DELETE /api/v3/traces/{id}",
};
const std::set<std::string> for_everybody{"GET /api/v3/openapi.json", "GET /api/v3/status", "GET /health",
                                          "GET /metrics"};
constexpr std::size_t for_submitters = 36;

std::string identities_text() {
  std::string text;
  for (const auto* role : {"submitter", "operator", "agent"})
    text += std::string(text.empty() ? "[" : ",") + R"({"tokenSha256":")" +
            digest_of(std::string(role) + "-token") + R"(","caller":")" + role +
            R"(@example.com","roles":[")" + role + R"("]})";
  return text + ']';
}

Scene with_identities() {
  return Scene([](NodeContext& context) {
    context.identities =
        std::make_shared<const api::Identities>(api::Identities::parse(identities_text()).value());
  });
}

http::Headers token_of(const std::string& role) {
  if (role.empty()) return {};
  return {{"authorization", "Bearer " + role + "-token"}, {"x-titus-callerid", "somebody else"}};
}

std::string name_of(const gateway::Route& route) {
  return std::string(route.method) + ' ' + std::string(route.pattern);
}

std::string some_target(std::string_view pattern) {
  std::string target;
  while (!pattern.empty()) {
    const auto open = pattern.find('{');
    target += pattern.substr(0, open);
    if (open == std::string_view::npos) break;
    target += "0000";
    pattern.remove_prefix(pattern.find('}') + 1);
  }
  return target;
}

bool is_allowed(const std::string& name, const std::string& role) {
  if (for_everybody.contains(name)) return true;
  if (for_operators.contains(name)) return role == "operator";
  return role == "submitter" || role == "operator";
}

TEST(Roles, EveryRouteLetsInThoseWhomTheTableNamesAndNobodyElse) {
  Scene scene = with_identities();
  std::set<std::string> seen;
  std::size_t others = 0;
  for (const gateway::Route& route : gateway::routes()) {
    const std::string name = name_of(route);
    seen.insert(name);
    others += for_operators.contains(name) || for_everybody.contains(name) ? 0 : 1;
    for (const std::string role : {"", "submitter", "operator", "agent", "unknown"}) {
      const auto answer = scene.call(route.method, some_target(route.pattern), {}, token_of(role));
      const int status = answer->response.status;
      if (is_allowed(name, role)) {
        EXPECT_TRUE(!answer->answered || (status != 401 && status != 403)) << name << " as " << role;
        continue;
      }
      const bool is_known = role == "submitter" || role == "operator" || role == "agent";
      ASSERT_TRUE(answer->answered) << name << " as " << role;
      EXPECT_EQ(status, is_known ? 403 : 401) << name << " as " << role;
      EXPECT_EQ(answer->code(), is_known ? "permission_denied" : "unauthenticated");
      const auto error = answer->json();
      for (const auto* member : {"statusCode", "code", "message", "retry"})
        EXPECT_NE(error.find(member), nullptr) << name << ": errors have one shape";
      EXPECT_EQ(answer->header("www-authenticate"), is_known ? "" : "Bearer");
    }
  }
  for (const auto* names : {&for_operators, &for_everybody})
    for (const std::string& name : *names) EXPECT_TRUE(seen.contains(name)) << name << " is no route";
  EXPECT_EQ(others, for_submitters) << "a new route: whom is it for?";
}

TEST(Roles, TheCallerIsWhoTheTokenSaysWhateverTheHeaderClaims) {
  Scene scene = with_identities();
  auto headers = token_of("submitter");
  headers["content-type"] = "application/json";
  ASSERT_EQ(scene.call("POST", "/api/v3/jobs", job_body(), headers)->response.status, 202);
  const auto audit = scene.get("/api/v3/audit", token_of("operator"));
  EXPECT_THAT(audit->response.body, HasSubstr("\"caller\":\"submitter@example.com\""));
  const auto limits = scene.get("/api/v3/limits", token_of("submitter"));
  EXPECT_THAT(limits->response.body,
              HasSubstr(R"("caller":{"name":"submitter@example.com","verified":true,"roles":["submitter"])"));
}

TEST(Roles, OfANodeWithoutIdentitiesCallersAreTheirOwnWordAndMarkedSo) {
  Scene scene;
  const auto limits = scene.get("/api/v3/limits", {{"x-titus-callerid", "ann"}});
  EXPECT_THAT(limits->response.body,
              HasSubstr(R"("caller":{"name":"ann","verified":false,"roles":["submitter","operator"])"));
}

TEST(Roles, AreInTheContract) {
  Scene scene;
  const auto contract = scene.get("/api/v3/openapi.json")->json();
  const auto& policy =
      *contract.find("paths")->find("/api/v3/cell/policy")->find("put")->find("x-troupe-roles");
  ASSERT_EQ(policy.array()->size(), 1U);
  EXPECT_EQ(*policy.array()->front().text(), "operator");
}

TEST(Roles, ACertificateNamesTheCaller) {
  Scene scene([](NodeContext& context) {
    context.identities = std::make_shared<const api::Identities>(
        api::Identities::parse(R"([{"certificate":"CN=ci","roles":["submitter"]}])").value());
  });
  const auto status = [&](std::string_view method, const std::string& target,
                          std::optional<std::string> certificate) {
    scene.certificate = std::move(certificate);
    return scene.call(method, target)->response.status;
  };
  EXPECT_EQ(status("GET", "/api/v3/jobs", "CN=ci"), 200);
  EXPECT_EQ(status("PUT", "/api/v3/cell/policy", "CN=ci"), 403);
  EXPECT_EQ(status("GET", "/api/v3/jobs", "CN=somebody"), 401);
  EXPECT_EQ(status("GET", "/api/v3/jobs", {}), 401);
  EXPECT_EQ(status("GET", "/api/v3/jobs", ""), 401);
}

TEST(Roles, ACertificateWithoutASubjectIsNobodysAndNotTheWantOfOne) {
  Scene scene;
  scene.asks_for_certificate = true;
  scene.certificate = "";
  const auto refused = scene.get("/api/v3/limits", {{"x-titus-callerid", "another"}});
  EXPECT_EQ(refused->response.status, 401);
  EXPECT_NE(refused->response.body.find("no subject"), std::string::npos) << refused->response.body;
}

TEST(Roles, WhereCertificatesCountNobodyGoesByTheNameOfOneWithoutIt) {
  Scene scene;
  const auto status = [&](std::string name) {
    return scene.get("/api/v3/limits", {{"x-titus-callerid", std::move(name)}})->response.status;
  };
  EXPECT_EQ(status("CN=ci,O=Example"), 200) << "no certificate can be shown here";
  scene.asks_for_certificate = true;
  for (const char* name : {"CN=ci,O=Example", "cn=ci", "CN = ci", "2.5.4.3=#0403", "OU=a+CN=ci"})
    EXPECT_EQ(status(name), 401) << name;
  for (const char* name : {"ann@example.com", "ci", "=", "http://ci/?a=b", ""})
    EXPECT_EQ(status(name), 200) << name;
}

TEST(Roles, WithoutAListAVerifiedSubjectCannotBeOverruledByAHeader) {
  Scene scene;
  scene.certificate = "CN=ci";
  const auto limits = scene.get("/api/v3/limits", {{"x-titus-callerid", "another"}})->json();
  EXPECT_EQ(*limits.find("caller")->find("name")->text(), "CN=ci");
}

}  // namespace
}  // namespace troupe
