// The ledger must see what is wrong: each broken promise here is told to it as events.

#include "cmd/judges/ledger.hpp"

#include <gtest/gtest.h>

namespace troupe::judges {
namespace {

JobId job_of(std::uint8_t n) {
  JobId id;
  id.bytes[0] = n;
  return id;
}
TaskId task_of(std::uint8_t n) {
  TaskId id;
  id.bytes[0] = n;
  return id;
}

class LedgerTest : public ::testing::Test {
 protected:
  Ledger ledger{[this](const std::string& what) { complaints.push_back(what); }};
  std::vector<std::string> complaints;
  ApplyObserver* first = ledger.node_starts(1);
  ApplyObserver* second = ledger.node_starts(2);
  std::uint64_t index = 0;

  Event job(EventKind kind, JobState state) {
    Event event;
    event.kind = kind;
    event.job = job_of(1);
    event.job_state = state;
    return event;
  }
  Event task(EventKind kind, TaskState before, TaskState state) {
    Event event;
    event.kind = kind;
    event.job = job_of(1);
    event.task = task_of(2);
    event.task_before = before;
    event.task_state = state;
    event.host = HostId{3};
    auto descriptor = std::make_shared<JobDescriptor>();
    descriptor->resources.cpu_milli = 100;
    event.descriptor = descriptor;
    return event;
  }
  Applied one(Event event) {
    Applied applied;
    applied.index = Index{++index};
    event.id = {applied.index, 0};
    applied.events.push_back(event);
    return applied;
  }
  void tell(const Event& event) { first->applied(one(event)); }
  void register_host(std::int64_t cpu_milli) {
    Command command;
    RegisterHost host;
    host.name = "host-3";
    host.resources.cpu_milli = cpu_milli;
    command.body = host;
    Outcome outcome;
    outcome.index = Index{++index};
    outcome.entity = "3";
    first->decided(command, outcome);
  }
  void launch(const std::string& host) {
    agent::ContainerSpec spec;
    spec.task = task_of(2);
    ledger.host_launches(host, spec);
  }
  void begin(std::int64_t cpu_milli = 1'000) {
    register_host(cpu_milli);
    tell(job(EventKind::job_created, JobState::accepted));
    tell(task(EventKind::task_created, TaskState::accepted, TaskState::accepted));
  }
  bool complained(std::string_view what) const {
    return complaints.size() == 1 && complaints[0].find(what) != std::string::npos;
  }
};

TEST_F(LedgerTest, FollowsATaskAndBooksItsHost) {
  begin();
  tell(task(EventKind::task_changed, TaskState::accepted, TaskState::launched));
  launch("host-3");
  EXPECT_EQ(ledger.booked().at(HostId{3}).cpu_milli, 100);
  tell(task(EventKind::task_changed, TaskState::launched, TaskState::started));
  tell(task(EventKind::task_changed, TaskState::started, TaskState::finished));
  EXPECT_EQ(ledger.booked().at(HostId{3}).cpu_milli, 0);
  EXPECT_EQ(ledger.transitions(), 3u);
  EXPECT_TRUE(complaints.empty()) << complaints[0];
}

TEST_F(LedgerTest, SeesAHostThatIsGivenMoreThanItHas) {
  begin(99);
  tell(task(EventKind::task_changed, TaskState::accepted, TaskState::launched));
  EXPECT_TRUE(complained("more than it has"));
}

TEST_F(LedgerTest, LetsAHostKeepWhatItHasWhenItBecomesSmaller) {
  begin();
  const Event placed = task(EventKind::task_changed, TaskState::accepted, TaskState::launched);
  const Applied late = one(placed);  // The host's change is decided before this is told, and comes after it.
  register_host(50);
  first->applied(late);
  EXPECT_TRUE(complaints.empty()) << complaints[0];
}

TEST_F(LedgerTest, SeesATaskThatIsStartedWhereNobodyLaunchedIt) {
  begin();
  tell(task(EventKind::task_changed, TaskState::accepted, TaskState::launched));
  launch("host-4");
  tell(task(EventKind::task_changed, TaskState::launched, TaskState::started));
  EXPECT_TRUE(complained("never launched on its host"));
}

TEST_F(LedgerTest, FollowsATaskToAnotherJobAndSeesWhatDoesNotFit) {
  begin();
  Event other = job(EventKind::job_created, JobState::accepted);
  other.job = job_of(7);
  tell(other);
  tell(task(EventKind::task_changed, TaskState::accepted, TaskState::launched));
  launch("host-3");
  tell(task(EventKind::task_changed, TaskState::launched, TaskState::started));
  Event moved = task(EventKind::task_moved, TaskState::started, TaskState::started);
  moved.job = job_of(7);
  moved.moved_from = job_of(1);
  tell(moved);
  EXPECT_TRUE(complaints.empty()) << complaints[0];
  EXPECT_EQ(ledger.booked().at(HostId{3}).cpu_milli, 100);
  tell(moved);
  EXPECT_TRUE(complained("leaves a job that it is not of"));
  complaints.clear();
  std::swap(moved.job, moved.moved_from);
  moved.host = HostId{4};
  tell(moved);
  EXPECT_TRUE(complained("does not run on"));
}

TEST_F(LedgerTest, SeesATaskThatMovesBackwards) {
  begin();
  tell(task(EventKind::task_changed, TaskState::accepted, TaskState::launched));
  launch("host-3");
  tell(task(EventKind::task_changed, TaskState::launched, TaskState::started));
  tell(task(EventKind::task_changed, TaskState::started, TaskState::launched));
  EXPECT_TRUE(complained("backwards"));
}

TEST_F(LedgerTest, SeesAStateThatWasNotTold) {
  begin();
  tell(task(EventKind::task_changed, TaskState::accepted, TaskState::launched));
  launch("host-3");
  tell(task(EventKind::task_changed, TaskState::start_initiated, TaskState::started));
  EXPECT_TRUE(complained("from where it was not"));
}

TEST_F(LedgerTest, SeesANodeThatTellsOtherEvents) {
  const Applied told = one(job(EventKind::job_created, JobState::accepted));
  first->applied(told);
  second->applied(told);
  EXPECT_TRUE(complaints.empty());
  Applied other = told;
  other.events[0].job = job_of(9);
  ledger.node_starts(2)->applied(other);
  EXPECT_TRUE(complained("node 2 tells another event"));
}

TEST_F(LedgerTest, SeesAJobCreatedTwice) {
  tell(job(EventKind::job_created, JobState::accepted));
  tell(job(EventKind::job_created, JobState::accepted));
  EXPECT_TRUE(complained("created twice"));
}

TEST_F(LedgerTest, SeesLifeBehindTheArchive) {
  tell(job(EventKind::job_created, JobState::accepted));
  tell(job(EventKind::job_archived, JobState::finished));
  tell(job(EventKind::job_changed, JobState::finished));
  EXPECT_TRUE(complained("an archived job moves"));
}

TEST_F(LedgerTest, SeesAStopThatNobodyAskedFor) {
  begin();
  tell(task(EventKind::task_changed, TaskState::accepted, TaskState::launched));
  launch("host-3");
  tell(task(EventKind::task_changed, TaskState::launched, TaskState::started));
  ledger.host_stops("host-1", task_of(2));
  EXPECT_TRUE(complained("nobody ended"));
  complaints.clear();
  tell(task(EventKind::task_changed, TaskState::started, TaskState::kill_initiated));
  ledger.host_stops("host-1", task_of(2));
  EXPECT_TRUE(complaints.empty());
}

TEST_F(LedgerTest, SeesAStartOfWhatWasNeverPlaced) {
  begin();
  agent::ContainerSpec spec;
  spec.task = task_of(2);
  ledger.host_launches("host-1", spec);
  EXPECT_TRUE(complained("nobody placed"));
}

}  // namespace
}  // namespace troupe::judges
