// What a user may rely on while nodes fail: keys, answers, sizes, ends and delays.

#include "storage/snapshot/manifest.hpp"
#include "tests/cmd/embedded/cell.hpp"

namespace troupe::embedded {
namespace {

TEST(SimUsers, TheSameKeyAnswersTheSameJobAfterAFailover) {
  Cell cell;
  const std::uint32_t leader = cell.sim.leader();
  const http::Response first = cell.post(leader, {}, "order-66");
  ASSERT_EQ(first.status, 202) << first.body;
  cell.sim.crash_node(leader);
  const std::uint32_t other = cell.other_than(leader);
  const http::Response second = cell.post(other, {}, "order-66");
  EXPECT_EQ(second.status, 202) << second.body;
  EXPECT_EQ(job_id_of(second), job_id_of(first));
  EXPECT_EQ(cell.post(other, {.size = 4}, "order-66").status, 422);
  cell.sim.restart_node(leader);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_EQ(job_id_of(cell.post(leader, {}, "order-66")), job_id_of(first));
}

TEST(SimUsers, ARequestThatIsUnderWayWhenTheLeaderDiesHappensOnce) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Cell cell(cell_options(seed));
    const std::uint32_t leader = cell.sim.leader();
    const std::uint32_t other = cell.other_than(leader);
    // Answered or not, the leader dies within the request's own time.
    const JobShape shape{.script = "run=100ms exit=0"};
    const http::Response cut_short = cell.post(other, shape, "k", milliseconds(static_cast<int>(seed % 4)));
    cell.sim.crash_node(leader);
    const http::Response again = cell.post(other, shape, "k");
    ASSERT_EQ(again.status, 202) << again.body;
    EXPECT_TRUE(cut_short.status != 202 || job_id_of(cut_short) == job_id_of(again));
    EXPECT_EQ(cell.sim.reads(other)->cell().live_jobs, 1u);
    EXPECT_TRUE(cell.await([&] { return cell.look(job_id_of(again)).is_finished(); }));
  }
}

TEST(SimUsers, AReadAskedAsTheLeaderDiesIsAnsweredByTheNextOne) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Cell cell(cell_options(seed, 1));
    const JobId job = cell.submit({.is_service = true, .size = 1, .script = "run=forever"});
    const std::string path = "/api/v3/jobs/" + to_text(job);
    const std::uint32_t leader = cell.sim.leader();
    cell.sim.crash_node(leader);
    // At once, and in each of the moments in which an election goes on.
    for (std::uint32_t n = 0; n < 4; ++n) {
      for (std::uint32_t node = 1; node <= 3; ++node) {
        if (node == leader) continue;
        const http::Response read = cell.sim.call(node, "GET", path);
        EXPECT_EQ(read.status, 200) << "seed " << seed << " node " << node << ": " << read.body;
      }
      cell.sim.run_for(milliseconds(static_cast<int>(seed % 7)));
    }
  }
}

TEST(SimUsers, AnOperatorFetchesOneSnapshotOfANodeAtATime) {
  Cell cell;
  ASSERT_TRUE(cell.await_finished(cell.submit({}), Reason::normal));
  const std::string path = "/api/v3/cell/snapshots";
  const auto ask = [&](const char* method, const std::string& target, const char* key) {
    return cell.sim.call(2, method, target, {}, {{"idempotency-key", key}});
  };
  for (int round = 0; round < 2; ++round) {
    ASSERT_EQ(ask("POST", path, "a").status, 200);
    EXPECT_EQ(ask("POST", path, "a").status, 200) << "the same, if the answer was lost";
    EXPECT_EQ(ask("POST", path, "b").status, 503);
    const auto manifest = decode_manifest(ask("GET", path + "/a", "").body);
    ASSERT_TRUE(manifest.ok());
    EXPECT_GT(manifest.value().index, Index{});
    for (const SnapshotFile& file : manifest.value().files)
      EXPECT_EQ(ask("GET", path + "/a/files/" + file.name, "").body.size(), file.size);
    if (round == 0) {
      EXPECT_EQ(ask("DELETE", path + "/a", "").status, 200);
      EXPECT_EQ(ask("GET", path + "/a", "").status, 404);
    }
  }
  cell.sim.run_for(milliseconds(70'000));
  EXPECT_EQ(ask("GET", path + "/a", "").status, 404) << "nobody read it for a minute";
  EXPECT_EQ(ask("POST", path, "b").status, 200);
  EXPECT_EQ(cell.violations(), "");
}

TEST(SimUsers, TheAuditHoldsWhatWasAskedForAndNotTheCellsOwnDaily) {
  Cell cell;
  ASSERT_TRUE(cell.await_running(cell.submit({.is_service = true, .size = 5, .script = "run=forever"}), 5));
  cell.sim.run_for(milliseconds(60'000));
  std::vector<std::uint16_t> commands;
  const auto entries = cell.sim.reads(1)->audit(1, 1'000);
  ASSERT_TRUE(entries.ok());
  for (const AuditRecord& entry : entries.value()) commands.push_back(entry.command);
  const auto count = [&](CommandBody body) {
    Command command;
    command.body = std::move(body);
    return std::ranges::count(commands, command.number());
  };
  EXPECT_EQ(count(CreateJob{}), 1);
  EXPECT_EQ(count(PlaceTasks{}), 0);
  EXPECT_EQ(count(CheckState{}), 0);
}

TEST(SimUsers, WithoutALeaderNothingIsSaidToBeMissing) {
  Cell cell;
  const JobId job = cell.submit({.is_service = true, .script = "run=forever"});
  ASSERT_TRUE(cell.await_running(job, 3));
  cell.sim.crash_node(2);
  cell.sim.crash_node(3);
  const std::string path = "/api/v3/jobs/" + to_text(job);
  for (int i = 0; i < 3; ++i) {
    const int read = cell.sim.call(1, "GET", path).status;
    EXPECT_TRUE(read == 503 || read == 504 || (i == 0 && read == 200)) << read;
    const int made = cell.post(1, {}).status;
    EXPECT_TRUE(made == 503 || made == 504) << made;
    const int killed = cell.sim.call(1, "DELETE", path).status;
    EXPECT_TRUE(killed == 503 || killed == 504) << killed;
  }
  EXPECT_EQ(cell.sim.call(1, "GET", path + "?consistency=stale").status, 200);
  EXPECT_EQ(cell.sim.call(1, "GET", "/health").status, 503);
  cell.sim.restart_node(2);
  cell.sim.restart_node(3);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_EQ(cell.sim.call(1, "GET", path).status, 200);
}

TEST(SimUsers, WhatOneNodeAcknowledgedAnotherShowsAtOnce) {
  Cell cell;
  for (std::uint32_t round = 0; round < 60; ++round) {
    const std::uint32_t writer = round % 3 + 1;
    const std::uint32_t reader = cell.other_than(writer);
    const JobId job = cell.submit({.size = 1}, writer);
    const std::string path = "/api/v3/jobs/" + to_text(job);
    EXPECT_EQ(cell.sim.call(reader, "GET", path).status, 200);
    EXPECT_EQ(cell.sim.call(writer, "DELETE", path).status, 200);
    const std::string after = cell.sim.call(reader, "GET", path).body;
    EXPECT_TRUE(after.find("KillInitiated") != std::string::npos ||
                after.find("Finished") != std::string::npos)
        << after;
  }
}

TEST(SimUsers, AKillEndsTasksInEveryState) {
  // Slots: one running, one that takes its time to start, one that ignores SIGTERM, one that has ended, one
  // that waits for its retry, and many that find no room.
  Cell cell;
  const JobId job = cell.submit({.size = 200,
                                 .script = "run=forever; slot 1: start=30s; slot 2: ignore_term run=forever; "
                                           "slot 3: run=10ms exit=0; slot 4: run=10ms exit=1",
                                 .retry = R"({"delayed": {"delayMs": "60000", "retries": 3}})"});
  ASSERT_TRUE(cell.await([&] { return cell.look(job).started >= 100; }));
  cell.sim.run_for(milliseconds(1'000));
  ASSERT_EQ(cell.kill(job), 200);
  EXPECT_TRUE(cell.await_finished(job, Reason::killed));
  EXPECT_TRUE(cell.await([&] { return cell.duties().empty(); })) << cell.duties();
  EXPECT_EQ(cell.violations(), "");
}

TEST(SimUsers, DelaysGoOnGrowingAcrossAFailover) {
  Cell cell;
  const JobId job = cell.submit(
      {.size = 1,
       .script = "run=50ms exit=1",
       .retry =
           R"({"exponentialBackOff": {"initialDelayMs": "1000", "maxDelayIntervalMs": "60000", "retries": 5}})"});
  const auto delay = [&] {
    const JobLook look = cell.look(job);
    return look.slots.empty() ? milliseconds(0) : look.slots[0].delay;
  };
  ASSERT_TRUE(cell.await([&] { return delay() == milliseconds(4'000); }));
  cell.sim.crash_node(cell.sim.leader());
  ASSERT_TRUE(cell.await([&] { return delay() == milliseconds(8'000); }));
  EXPECT_EQ(cell.look(job).slots[0].resubmits, 3u);
  EXPECT_TRUE(cell.await_finished(job, Reason::failed, milliseconds(120'000)));
  EXPECT_EQ(cell.sim.tasks_launched(), 6u);
}

TEST(SimUsers, ARuntimeLimitEndsATaskEvenAcrossAFailover) {
  Cell cell;
  const JobId job = cell.submit({.size = 2,
                                 .script = "run=forever; slot 0: run=1s exit=0",
                                 .retry = R"({"immediate": {"retries": 0}})",
                                 .limit_s = 8});
  ASSERT_TRUE(cell.await_running(job, 2))
      << cell.look(job).live << " live, " << cell.look(job).started << " started "
      << cell.sim.call(1, "GET", "/api/v3/tasks?taskStates=Accepted,Started,Finished&jobIds=" + to_text(job))
             .body;
  cell.sim.run_for(milliseconds(3'000));
  cell.sim.crash_node(cell.sim.leader());
  EXPECT_TRUE(cell.await_finished(job, Reason::failed, milliseconds(20'000)));
}

}  // namespace
}  // namespace troupe::embedded
