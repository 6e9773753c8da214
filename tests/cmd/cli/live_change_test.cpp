// What changes on jobs and tasks that live; limits and audit.

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

#include "fake_cell.hpp"
#include "net/api/audit_json.hpp"
#include "storage/model/audit_chain.hpp"
#include "storage/model/audit_sign.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

struct LiveChanges : testing::Test {
  const std::string job = "/api/v3/jobs/" + job_id, task = "/api/v3/tasks/" + task_id;
  FakeCell cell;
  CommandLine line{cell.address()};
};

TEST_F(LiveChanges, AttributesArePutAndTakenAway) {
  cell.on("PUT " + job + "/attributes", "{}");
  cell.on("DELETE " + job + "/attributes", "{}");
  cell.on("PUT " + task + "/attributes", "{}");
  EXPECT_EQ(line.run({"job", "attributes", job_id, "--put", "a=1=2", "--put", "b=", "--remove", "c d",
                      "--remove", "e"}),
            exit_ok)
      << line.err.str();
  EXPECT_EQ(cell.asked("PUT " + job + "/attributes").at(0).body, R"({"attributes":{"a":"1=2","b":""}})");
  EXPECT_EQ(cell.asked("DELETE " + job + "/attributes").at(0).parameter("keys"), "c d,e");
  EXPECT_EQ(line.run({"task", "attributes", task_id, "--put", "a=1"}), exit_ok);
  EXPECT_THAT(cell.asked("PUT " + task + "/attributes"), SizeIs(1));
  EXPECT_EQ(line.run({"job", "attributes", job_id}), exit_usage) << "nothing to do";
  EXPECT_EQ(line.run({"job", "attributes", job_id, "--put", "novalue"}), exit_refused);
}

TEST_F(LiveChanges, SwitchesOfAService) {
  cell.on("POST " + job + "/enable", "{}");
  cell.on("POST " + job + "/disable", "{}");
  cell.on("PUT " + job + "/jobprocesses", "{}");
  EXPECT_EQ(line.run({"job", "enable", job_id}), exit_ok);
  EXPECT_EQ(line.run({"job", "disable", job_id}), exit_ok);
  EXPECT_EQ(line.run({"job", "processes", job_id, "--disable-increase"}), exit_ok);
  EXPECT_EQ(cell.asked("PUT " + job + "/jobprocesses").at(0).body,
            R"({"disableIncreaseDesired":true,"disableDecreaseDesired":false})");
}

TEST_F(LiveChanges, WhatWaitsIsTriedAgain) {
  cell.on("POST " + job + "/retry", "{}");
  cell.on("POST " + task + "/retry", "{}");
  EXPECT_EQ(line.run({"job", "retry", job_id}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "trying again what waits in job " + job_id + "\n");
  EXPECT_EQ(line.run({"task", "retry", task_id}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(), "trying again in the place of task " + task_id + "\n");
  EXPECT_THAT(cell.asked("POST " + task + "/retry"), SizeIs(1));
}

TEST_F(LiveChanges, ABudgetComesFromAFile) {
  cell.on("PUT " + job + "/disruptionBudget", "{}");
  EXPECT_EQ(line.run({"job", "budget", job_id, "-"}, "selfManaged: {relocationTimeMs: 60000}"), exit_ok)
      << line.err.str();
  EXPECT_EQ(cell.asked("PUT " + job + "/disruptionBudget").at(0).body,
            R"({"selfManaged":{"relocationTimeMs":60000}})");
}

TEST_F(LiveChanges, ATaskIsKilledAndItsServiceShrinks) {
  cell.on("DELETE " + task, "{}");
  EXPECT_EQ(line.run({"task", "kill", task_id, "--shrink", "--keep-min"}), exit_ok);
  EXPECT_EQ(cell.asked("DELETE " + task).at(0).parameter("shrink"), "true");
  EXPECT_EQ(cell.asked("DELETE " + task).at(0).parameter("preventMinSizeUpdate"), "true");
  EXPECT_EQ(line.run({"task", "kill", task_id, "--keep-min"}), exit_usage);
}

// ---- without a cell ----
TEST_F(LiveChanges, ATemplateIsAValidJob) {
  for (const std::vector<std::string>& init :
       {std::vector<std::string>{"job", "init"}, std::vector<std::string>{"job", "init", "--service"}}) {
    ASSERT_EQ(line.run(init), exit_ok);
    const std::string text = line.out.str();
    EXPECT_THAT(text, HasSubstr("# "));
    EXPECT_EQ(line.run({"job", "validate", "-"}, text), exit_ok) << line.err.str();
  }
}

TEST_F(LiveChanges, ATemplateDoesNotOverwrite) {
  const TempFolder folder;
  const std::string file = folder.file("job.yaml");
  EXPECT_EQ(line.run({"job", "init", file}), exit_ok) << line.err.str();
  EXPECT_EQ(line.run({"job", "validate", file}), exit_ok) << line.err.str();
  EXPECT_EQ(line.run({"job", "init", file}), exit_refused);
}

TEST_F(LiveChanges, ValidationPointsIntoTheFileAndAsksNobody) {
  EXPECT_EQ(line.run({"job", "validate", "-"},
                     "owner: {teamEmail: a@b}\napplicationName: x\n"
                     "container: {command: [true]}\nbatch: {size: 0}\n"),
            exit_refused);
  EXPECT_THAT(line.err.str(),
              AllOf(HasSubstr("batch.size (line 4, column 15)"), HasSubstr("container.command")));
  EXPECT_EQ(line.run({"job", "validate", "-"}, "{\"owner\": "), exit_refused);
  EXPECT_EQ(line.run({"job", "validate", "/nowhere"}), exit_not_found);
}

// ---- limits ----
TEST_F(LiveChanges, LimitsAreShownWithTheirHeadroom) {
  cell.on(
      "GET /api/v3/limits",
      R"({"jobs":{"used":1,"max":20000,"left":19999},"tasks":{"used":3,"max":9,"left":6},)"
      R"("requests":{"used":1,"max":2,"left":1},"caller":{"name":"tester","jobs":{"used":1},"tasks":{"used":3,)"
      R"("max":5,"left":2}},"capacityGroups":[],"node":1,"rates":[{"name":"r","endpoint":"*","burst":5,)"
      R"("perMinute":60,"shared":false,"left":4,"retryAfterMs":0}]})");
  EXPECT_EQ(line.run({"limits"}), exit_ok);
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr("caller tester jobs   1     -      -"), HasSubstr("19999"),
                                    HasSubstr("r     *         60          5      4     0")));
}

TEST_F(LiveChanges, ThePolicyIsShownAndChangedInPart) {
  cell.on("GET /api/v3/cell", R"({"policy":{"jobsMax":5}})");
  cell.on("PUT /api/v3/cell/policy", R"({"jobsMax":7})");
  EXPECT_EQ(line.run({"cell", "policy"}), exit_ok);
  EXPECT_THAT(line.out.str(), HasSubstr("\"jobsMax\": 5"));
  EXPECT_EQ(line.run({"cell", "set-policy", "-"}, "jobsMax: 7"), exit_ok) << line.err.str();
  EXPECT_EQ(cell.asked("PUT /api/v3/cell/policy").at(0).body, R"({"jobsMax":7})");
}

// ---- audit ----
struct AuditPages : LiveChanges {
  std::vector<AuditRecord> records;
  void SetUp() override {
    for (std::uint64_t n = 1; n <= 4; ++n) {
      AuditRecord record;
      record.ordinal = n;
      record.index = Index{n * 10};
      record.at = Instant{1'000'000};
      record.command = 4;
      record.caller = "ann";
      record.subject = "job/" + job_id;
      record.digest = digest_of("x");
      records.push_back(record);
    }
    chain_anew();
    cell.on("GET /api/v3/audit", [this](const http::Request& request) { return page(request); });
  }
  void chain_anew() {
    std::string chain;
    for (AuditRecord& record : records) chain = record.chain = audit_chain(chain, record);
  }
  /// Two entries each.
  http::Response page(const http::Request& request) {
    const auto cursor = request.parameter("cursor");
    const std::size_t from = cursor.empty() ? 0 : std::stoul(std::string(cursor));
    const std::size_t end = std::min(from + 2, records.size());
    json::Writer writer;
    writer.begin_object();
    writer.key("items");
    writer.begin_array();
    for (std::size_t n = from; n < end; ++n) api::audit_json(writer, records[n]);
    writer.end_array();
    writer.key("hasMore");
    writer.boolean(end < records.size());
    writer.key("cursor");
    writer.text(std::to_string(end));
    writer.key("head");
    writer.begin_object();
    writer.key("last");
    writer.text(std::to_string(records.back().ordinal));
    writer.key("chain");
    writer.text(records.back().chain);
    writer.end_object();
    writer.end_object();
    return {200, {}, writer.take()};
  }
};

TEST_F(AuditPages, AreListed) {
  EXPECT_EQ(line.run({"audit", "ls", "--by", "ann", "--about", "job/x", "--since", "10s"}), exit_ok);
  EXPECT_THAT(line.out.str(), AllOf(HasSubstr("ann     create_job"), HasSubstr("job/" + job_id)));
  EXPECT_THAT(line.err.str(), HasSubstr("there are more"));
  const auto asked = cell.asked("GET /api/v3/audit").at(0);
  EXPECT_EQ(asked.parameter("caller"), "ann");
  EXPECT_EQ(asked.parameter("subject"), "job/x");
  EXPECT_EQ(asked.parameter("since"), std::to_string(1'050'000));
  EXPECT_EQ(line.run({"audit", "ls", "--all-pages"}), exit_ok);
  EXPECT_THAT(cell.asked("GET /api/v3/audit"), SizeIs(3));
}

TEST_F(AuditPages, ASoundChainIsVerified) {
  EXPECT_EQ(line.run({"audit", "verify"}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("4 entries up to 4"));
}

TEST_F(AuditPages, AChangedOrMissingEntryIsFound) {
  records[1].caller = "somebody else";
  EXPECT_EQ(line.run({"audit", "verify"}), exit_internal);
  EXPECT_THAT(line.err.str(), HasSubstr("entry 2"));
  chain_anew();
  records.erase(records.begin() + 2);
  EXPECT_EQ(line.run({"audit", "verify"}), exit_internal);
  EXPECT_THAT(line.err.str(), HasSubstr("something is missing"));
}

TEST_F(AuditPages, AnEntryRewrittenWithAllLaterHashesIsCaughtByASavedHead) {
  const TempFolder folder;
  const std::string heads = folder.file("heads");
  ASSERT_EQ(line.run({"audit", "verify", "--save", heads}), exit_ok);
  EXPECT_EQ(line.run({"audit", "verify", "--against", heads}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("1 saved heads"));
  records[1].caller = "somebody else";
  chain_anew();
  EXPECT_EQ(line.run({"audit", "verify"}), exit_ok) << "by itself it is sound";
  EXPECT_EQ(line.run({"audit", "verify", "--against", heads}), exit_internal);
  EXPECT_THAT(line.err.str(), HasSubstr("rewritten"));
  records.pop_back();
  EXPECT_EQ(line.run({"audit", "verify", "--against", heads}), exit_internal);
  EXPECT_THAT(line.err.str(), HasSubstr("is gone"));
}

std::string written(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

TEST_F(AuditPages, AnEntryRewrittenWithAllLaterHashesIsCaughtByASignedHead) {
  const TempFolder folder;
  const SigningKey key = SigningKey::make().value(), other = SigningKey::make().value();
  const auto head_of = [&](std::size_t n, const SigningKey& signer) {
    return line_of(signer.sign({records[n].ordinal, records[n].chain, Instant{5}, NodeId{1}, "main", {}})) +
           '\n';
  };
  const std::string heads = written(folder.file("heads"), head_of(1, key) + head_of(3, key));
  const std::string keys = written(folder.file("keys"), key.public_key() + '\n');
  const std::vector<std::string> verify{"audit", "verify", "--signed", heads, "--key", keys};
  EXPECT_EQ(line.run(verify), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("2 signed heads"));
  records[1].caller = "somebody else";
  chain_anew();
  EXPECT_EQ(line.run({"audit", "verify"}), exit_ok) << "by itself it is sound";
  EXPECT_EQ(line.run(verify), exit_internal);
  EXPECT_THAT(line.err.str(), HasSubstr("rewritten"));
  // Nor can the heads be made anew without the key.
  written(heads, head_of(1, other) + head_of(3, other));
  EXPECT_EQ(line.run(verify), exit_internal);
  EXPECT_THAT(line.err.str(), HasSubstr("line 1: the head is signed by none of the keys"));
  EXPECT_EQ(line.run({"audit", "verify", "--signed", heads}), exit_usage);
}

TEST_F(AuditPages, WhatIsForgottenAtTheFrontDoesNotBreakTheRest) {
  records.erase(records.begin(), records.begin() + 2);
  EXPECT_EQ(line.run({"audit", "verify"}), exit_ok) << line.err.str();
}

}  // namespace
}  // namespace troupe::cli
