// Who changed what, when and why, asked for over HTTP.

#include <gmock/gmock.h>

#include "net/api/audit_json.hpp"
#include "storage/model/audit_chain.hpp"
#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

struct GatewayAudit : testing::Test {
  Scene scene;
  std::string submit(const std::string& caller, const std::string& reason = "", const std::string& key = "") {
    http::Headers headers{{"x-titus-callerid", caller}, {"x-titus-callreason", reason}};
    if (!key.empty()) headers["idempotency-key"] = key;
    return *scene.call("POST", "/api/v3/jobs", job_body(), headers)->json().find("id")->text();
  }
  json::Value audit(const std::string& query = "") {
    const auto seen = scene.get("/api/v3/audit" + query);
    EXPECT_EQ(seen->response.status, 200) << seen->response.body;
    return seen->json();
  }
  std::vector<std::string> of(const json::Value& page, std::string_view name) {
    std::vector<std::string> out;
    for (const auto& item : *page.find("items")->array()) out.push_back(*item.find(name)->text());
    return out;
  }
  std::vector<std::string> callers(const std::string& query = "") { return of(audit(query), "caller"); }
};

TEST_F(GatewayAudit, EveryMutationSaysWhoWhatAndWhy) {
  const std::string job = submit("ann", "release 7", "key-1");
  scene.call("DELETE", "/api/v3/jobs/" + job, {}, {{"x-titus-callerid", "bob"}});
  scene.call("DELETE", "/api/v3/jobs/" + job, {}, {{"x-titus-callerid", "cid"}});
  const auto page = audit();
  EXPECT_THAT(of(page, "caller"), ElementsAre("cid", "bob", "ann"));
  EXPECT_THAT(of(page, "command"), ElementsAre("kill_job", "kill_job", "create_job"));
  EXPECT_THAT(of(page, "subject"), testing::Each("job/" + job));
  EXPECT_THAT(of(page, "outcome"), ElementsAre("refused", "done", "done"));
  EXPECT_THAT(of(page, "callReason"), ElementsAre("", "", "release 7"));
  EXPECT_EQ(of(page, "requestId")[2], "key-1");
  const auto& refused = (*page.find("items")->array())[0];
  EXPECT_EQ(*refused.find("code")->text(), "job_terminating");
  EXPECT_GT(std::stoll(*refused.find("timestamp")->text()), 0);
}

TEST_F(GatewayAudit, IsFoundByWhatItIsAbout) {
  const std::string first = submit("ann"), second = submit("bob", "", "key-2");
  scene.call("PUT", "/api/v3/jobs/" + second + "/attributes", R"({"attributes":{"a":"1"}})",
             {{"x-titus-callerid", "ann"}});
  scene.call("DELETE", "/api/v3/jobs/" + to_text(scene.cell.random.uuid<JobId>()), {},
             {{"x-titus-callerid", "bob"}});
  EXPECT_THAT(callers("?caller=ann"), SizeIs(2));
  EXPECT_THAT(callers("?subject=job/" + second), ElementsAre("ann", "bob"));
  EXPECT_THAT(callers("?subject=" + first), ElementsAre("ann"));
  EXPECT_THAT(callers("?command=change_job"), ElementsAre("ann"));
  EXPECT_THAT(callers("?requestId=key-2"), ElementsAre("bob"));
  EXPECT_THAT(callers("?outcome=refused"), ElementsAre("bob"));
  EXPECT_THAT(callers("?outcome=done&caller=bob"), ElementsAre("bob"));
  EXPECT_THAT(callers("?since=" + std::to_string(scene.cell.now.ms + 1)), ElementsAre());
  EXPECT_THAT(callers("?until=" + std::to_string(scene.cell.now.ms + 1)), SizeIs(4));
}

TEST_F(GatewayAudit, PagesFollowOneAnotherInBothOrders) {
  for (int n = 0; n < 7; ++n) submit("c" + std::to_string(n));
  for (const std::string order : {"newest", "oldest"}) {
    std::vector<std::string> seen;
    std::string cursor;
    for (bool more = true; more;) {
      const auto page = audit("?order=" + order + "&pageSize=3&cursor=" + cursor);
      for (auto& caller : of(page, "caller")) seen.push_back(std::move(caller));
      cursor = *page.find("cursor")->text();
      more = *page.find("hasMore")->boolean();
      // What is new meanwhile changes nothing of the pages that lead back in time.
      if (order == "newest") submit("late");
    }
    if (order == "newest")
      EXPECT_THAT(seen, ElementsAre("c6", "c5", "c4", "c3", "c2", "c1", "c0"));
    else
      EXPECT_THAT(seen, testing::Contains("c0"));
  }
}

TEST_F(GatewayAudit, IsPagedOverManyEntries) {
  for (int n = 0; n < 1'203; ++n)
    scene.cell.request("r" + std::to_string(n), KillJob{scene.cell.random.uuid<JobId>()},
                       n % 400 == 0 ? "rare" : "often");
  EXPECT_THAT(callers("?caller=rare"), SizeIs(4));
  EXPECT_THAT(callers("?caller=rare&order=oldest&pageSize=2"), SizeIs(2));
  EXPECT_THAT(callers("?pageSize=5000"), SizeIs(1'203));
}

TEST_F(GatewayAudit, WhoeverHasTheEntriesCanCheckTheChain) {
  for (int n = 0; n < 5; ++n) submit("ann");
  const auto page = audit("?order=oldest");
  std::string chain;
  for (const auto& item : *page.find("items")->array()) {
    const auto record = api::read_audit(item);
    ASSERT_TRUE(record.ok()) << record.error().message;
    chain = audit_chain(chain, record.value());
    EXPECT_EQ(chain, record.value().chain);
  }
  EXPECT_EQ(chain, *page.find("head")->find("chain")->text());
}

TEST_F(GatewayAudit, RefusesWhatItDoesNotKnow) {
  for (const std::string query : {"?who=ann", "?command=nonsense", "?outcome=perhaps", "?since=yesterday",
                                  "?pageSize=0", "?pageSize=5001", "?cursor=x", "?order=random"})
    EXPECT_EQ(scene.get("/api/v3/audit" + query)->code(), "invalid_argument") << query;
}

}  // namespace
}  // namespace troupe
