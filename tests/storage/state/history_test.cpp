// Long random histories on three replicas that batch differently, one of which dies and comes back.

#include "tests/storage/state/history.hpp"

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

std::string text_of(const Event& e) {
  Bytes text;
  PackWriter w(text);
  pack(w, e.id.index), pack(w, e.id.ordinal), pack(w, e.kind);
  pack(w, e.at), pack(w, e.job), pack(w, e.task), pack(w, e.host), pack(w, e.shard), pack(w, e.node),
      pack(w, e.epoch);
  pack(w, e.job_state), pack(w, e.task_state), pack(w, e.task_before), pack(w, e.slot), pack(w, e.reason);
  return text;
}

std::string text_of(const Outcome& o) {
  std::string text = to_text(o.index) + " " + o.entity + (o.repeated ? " repeated" : "");
  if (o.error) text += " " + std::string(code_text(o.error->code)) + ": " + o.error->message;
  for (const ItemRefusal& r : o.refused)
    text += " [" + std::to_string(r.item) + " " + std::string(code_text(r.code)) + " " + r.message + "]";
  return text;
}

/// What applying made true, by log index.
struct Told {
  std::map<Index, std::vector<std::string>> events;
  std::map<Index, std::string> outcomes;
};

/// One node, in whatever batches, on a disk that forgets what was not flushed.
class Replica {
 public:
  Replica()
      : store_(disk_.open("state", keys::table_names()).value()),
        machine_(StateMachine::open(*store_).value()) {}

  Told apply(std::span<const raft::Entry> entries) {
    Told told;
    Applied applied = machine_->apply(entries).value();
    for (const Event& event : applied.events) {
      auto& at = told.events[event.id.index];
      EXPECT_EQ(event.id.ordinal, at.size()) << "ordinals are dense";
      at.push_back(text_of(event));
    }
    auto outcome = applied.outcomes.begin();
    for (const raft::Entry& entry : entries)
      if (entry.kind == raft::EntryKind::command) told.outcomes[entry.index] = text_of(*outcome++);
    EXPECT_EQ(outcome, applied.outcomes.end());
    return told;
  }
  void crash(Random& random) {
    machine_.reset();
    disk_.crash("state", random);
    store_.reset();
    store_ = disk_.open("state", keys::table_names()).value();
    machine_ = StateMachine::open(*store_).value();
  }
  KvStore& store() { return *store_; }
  const StateMachine& machine() const { return *machine_; }

 private:
  SimDisk disk_;
  std::unique_ptr<KvStore> store_;
  std::unique_ptr<StateMachine> machine_;
};

class HistoryReplicas {
 public:
  explicit HistoryReplicas(std::uint64_t seed) : history_(seed, 5), random_(seed + 1'000) {}

  void step() {
    log_.push_back(history_.next(steady_.machine()));
    const Told told = steady_.apply(std::span(log_).last(1));
    for (const auto& [index, events] : told.events) events_[index] = events;
    for (const auto& [index, outcome] : told.outcomes) outcomes_[index] = outcome;
    expect_derived(steady_.machine(), steady_.store());
    if (random_.chance(10)) catch_up(batching_, 1 + random_.below(60));
    if (random_.chance(10)) catch_up(mortal_, 1 + random_.below(30));
    if (random_.chance(3)) TROUPE_CHECK(mortal_.store().flush().ok());
    if (random_.chance(2)) mortal_.crash(random_), ++crashes;
  }

  void compare() {
    for (Replica* replica : {&batching_, &mortal_}) {
      while (replica->machine().applied() < steady_.machine().applied())
        catch_up(*replica, 1 + random_.below(200));
      EXPECT_EQ(shard_hashes(replica->machine().reads()), shard_hashes(steady_.machine().reads()));
      EXPECT_EQ(dump(replica->store()), dump(steady_.store()));
      expect_derived(replica->machine(), replica->store());
    }
  }
  const Reads& reads() const { return steady_.machine().reads(); }
  std::size_t archived() {
    return static_cast<std::size_t>(std::ranges::count_if(
        dump(steady_.store()), [](const auto& kv) { return kv.first.first == keys::archived; }));
  }
  std::map<std::string, int> tally() const {
    std::map<std::string, int> counts;
    for (const auto& [index, outcome] : outcomes_)
      ++counts[outcome.find(':') == std::string::npos ? "taken" : "refused"];
    return counts;
  }
  int crashes = 0;

 private:
  void catch_up(Replica& replica, std::size_t batch) {
    const std::size_t from = replica.machine().applied().value;
    batch = std::min(batch, log_.size() - from);
    if (batch == 0) return;
    const Told told = replica.apply(std::span(log_).subspan(from, batch));
    for (const auto& [index, events] : told.events)
      EXPECT_EQ(events, events_[index]) << "at " << to_text(index);
    for (const auto& [index, outcome] : told.outcomes) EXPECT_EQ(outcome, outcomes_[index]);
    for (std::size_t n = from; n < from + batch; ++n) {
      EXPECT_EQ(told.events.contains(log_[n].index), events_.contains(log_[n].index))
          << "at " << to_text(log_[n].index);
    }
  }

  History history_;
  Random random_;
  std::vector<raft::Entry> log_;
  Replica steady_, batching_, mortal_;
  std::map<Index, std::vector<std::string>> events_;
  std::map<Index, std::string> outcomes_;
};

class Histories : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Histories, LeadEveryReplicaToTheSameState) {
  HistoryReplicas replicas(GetParam());
  for (int round = 0; round < 10; ++round) {
    for (int n = 0; n < 200; ++n) {
      replicas.step();
      ASSERT_FALSE(HasFailure()) << "seed " << GetParam() << ", entry " << round * 200 + n + 1;
    }
    replicas.compare();
    ASSERT_FALSE(HasFailure()) << "seed " << GetParam() << ", round " << round;
  }
  const CellFigures cell = replicas.reads().cell();
  EXPECT_LE(cell.live_jobs, cell.record.policy.jobs_max);
  EXPECT_LE(cell.requests, cell.record.policy.requests_max);
  EXPECT_GT(replicas.crashes, 10);
  EXPECT_GT(replicas.archived(), 50U) << "a history in which nothing ends proves little";
  const auto tally = replicas.tally();
  EXPECT_GT(tally.at("taken"), 500);
  EXPECT_GT(tally.at("refused"), 100);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Histories, testing::Range<std::uint64_t>(1, 7));

}  // namespace
}  // namespace troupe
