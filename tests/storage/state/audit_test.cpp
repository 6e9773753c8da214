// The audit: what somebody asked for, in order, chained.

#include <gtest/gtest.h>

#include "storage/model/audit_chain.hpp"
#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

std::vector<AuditRecord> all(const Cell& cell) { return cell.reads().audit(1, 1'000).value(); }

/// The chain anew, from what is kept; empty: it is broken somewhere.
std::string chain_of(const std::vector<AuditRecord>& records) {
  std::string chain = records.empty() || records.front().ordinal == 1 ? std::string() : records.front().chain;
  for (const AuditRecord& record : records) {
    if (record.ordinal == 1 || record.ordinal != records.front().ordinal) chain = audit_chain(chain, record);
    if (chain != record.chain) return {};
  }
  return chain;
}

TEST(Audit, SaysWhoWhatWhyWhenAndWhere) {
  Cell cell;
  Command command;
  const JobId job = cell.random.uuid<JobId>();
  command.caller = "ann";
  command.reason = "release 7";
  command.request = "r1";
  command.body = CreateJob{job, batch_of(1)};
  ASSERT_TRUE(cell.apply(command).taken());
  ASSERT_EQ(all(cell).size(), 1U);
  const AuditRecord record = all(cell)[0];
  EXPECT_EQ(record.ordinal, 1U);
  EXPECT_EQ(record.index, cell.last);
  EXPECT_EQ(record.at, cell.now);
  EXPECT_EQ(record.command, 4);
  EXPECT_EQ(record.caller, "ann");
  EXPECT_EQ(record.reason, "release 7");
  EXPECT_EQ(record.request, "r1");
  EXPECT_EQ(record.subject, "job/" + to_text(job));
  EXPECT_FALSE(record.refused);
  EXPECT_EQ(record.digest, digest_of(encode(command)));
}

TEST(Audit, HasRefusalsButNeitherRepeatsNorTheCellsOwn) {
  Cell cell;
  const JobId job = cell.submit(batch_of(1));
  EXPECT_TRUE(all(cell).empty()) << "nobody asked for that";
  cell.request("r1", KillJob{job});
  cell.request("r1", KillJob{job});
  cell.request("r2", KillJob{job});
  const TaskId nobody = cell.random.uuid<TaskId>();
  cell.request("r3", KillTasks{{{nobody, Reason::killed, ""}}});
  const auto records = all(cell);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_FALSE(records[0].refused);
  EXPECT_EQ(records[1].error, ErrorCode::job_terminating);
  EXPECT_TRUE(records[2].refused);
  EXPECT_EQ(records[2].subject, "task/" + to_text(nobody));
}

TEST(Audit, EachEntryIsChainedToTheOneBefore) {
  Cell cell;
  for (int n = 0; n < 5; ++n)
    cell.request("r" + std::to_string(n), CreateJob{cell.random.uuid<JobId>(), batch_of(1)});
  auto records = all(cell);
  EXPECT_EQ(cell.reads().audit_head().last, 5U);
  EXPECT_EQ(chain_of(records), cell.reads().audit_head().chain);
  const std::string true_chain = chain_of(records);
  // Rewritten, with all later hashes: whoever kept a head sees it.
  records[1].caller = "somebody else";
  std::string chain = records[0].chain;
  for (std::size_t n = 1; n < records.size(); ++n) chain = records[n].chain = audit_chain(chain, records[n]);
  EXPECT_EQ(chain_of(records), chain);
  EXPECT_NE(chain, true_chain);
}

TEST(Audit, SurvivesARestartAndIsPartOfTheHash) {
  Cell cell;
  cell.request("r1", CreateJob{cell.random.uuid<JobId>(), batch_of(1)});
  const AuditHead head = cell.reads().audit_head();
  cell.restart();
  EXPECT_EQ(cell.reads().audit_head(), head);
  cell.request("r2", CreateJob{cell.random.uuid<JobId>(), batch_of(1)});
  EXPECT_EQ(chain_of(all(cell)), cell.reads().audit_head().chain);
  EXPECT_EQ(recompute_hash(*cell.store).value().hash, cell.machine->hash());
  // A head that says another chain does not open.
  AuditHead forged = cell.reads().audit_head();
  forged.chain[0] = forged.chain[0] == '0' ? '1' : '0';
  KvBatch batch;
  batch.put(keys::meta, keys::audit_head(), packed(forged));
  ASSERT_TRUE(cell.store->write(batch, Durability::buffered).ok());
  EXPECT_EQ(StateMachine::open(*cell.store).error().code, ErrorCode::corrupt);
}

TEST(Audit, KeepsItsNewestEntries) {
  CellPolicy policy;
  policy.audit_max = 3;
  Cell cell(policy);
  for (int n = 0; n < 8; ++n)
    cell.request("r" + std::to_string(n), CreateJob{cell.random.uuid<JobId>(), batch_of(1)});
  const auto records = all(cell);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].ordinal, 6U);
  EXPECT_EQ(cell.reads().audit_head().first, 6U);
  EXPECT_EQ(chain_of(records), cell.reads().audit_head().chain);
  policy.audit_max = 1;
  cell.request("policy", SetPolicy{policy});
  EXPECT_EQ(all(cell).size(), 1U) << "a lower limit takes effect";
  expect_derived(*cell.machine, *cell.store);
}

TEST(Audit, ALongWordOfACallerIsCut) {
  Cell cell;
  cell.request("r", CreateJob{cell.random.uuid<JobId>(), batch_of(1)}, std::string(100'000, 'x'));
  EXPECT_LE(all(cell)[0].caller.size(), 1'024U);
}

}  // namespace
}  // namespace troupe
