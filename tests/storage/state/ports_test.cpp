// Ports: counted like other resources, and each task is given its own.

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

constexpr Resources large{100'000, 100'000, 1'000'000, 10'000, 0};

DescriptorPtr with_ports(const DescriptorPtr& from, std::int64_t ports) {
  JobDescriptor d = *from;
  d.resources.ports = ports;
  return std::make_shared<const JobDescriptor>(std::move(d));
}

struct Harbour {
  Cell cell;
  explicit Harbour(std::uint32_t level = level_of_ports) {
    for (std::uint32_t n = 1; n <= level; ++n) raise(n);
  }
  void raise(std::uint32_t level) { cell.apply(RaiseLevel{level}, cell.term_fence()); }
  HostId host(const std::string& name, const std::string& ports) {
    const HostId id = cell.host(name, large);
    declare(name, ports);
    return id;
  }
  void declare(const std::string& name, const std::string& ports) {
    ASSERT_TRUE(cell.apply(RegisterHost{name, "big", large, {{"ports", ports}}, {"sim"}}).taken());
  }
  std::int64_t ports_of(HostId host) const { return cell.reads().host(host)->record.resources.ports; }
  std::set<std::uint16_t> held(std::initializer_list<TaskId> tasks) const {
    std::set<std::uint16_t> all;
    for (const TaskId& task : tasks) {
      const auto ports = cell.task(task).ports.values();
      all.insert(ports.begin(), ports.end());
    }
    return all;
  }
};

TEST(Ports, OfAHostAreCountedFromItsAttribute) {
  Harbour s;
  const HostId host = s.host("h1", "20000-20009");
  EXPECT_EQ(s.ports_of(host), 10);
  const Index before = s.cell.reads().host(host)->record.eligibility;
  s.declare("h1", "20000-20009");
  EXPECT_EQ(s.cell.reads().host(host)->record.eligibility, before) << "nothing is new";
  s.declare("h1", "20000-20004");
  EXPECT_EQ(s.ports_of(host), 5);
  EXPECT_GT(s.cell.reads().host(host)->record.eligibility, before);
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(Ports, AreCountedFromTheirLevelOn) {
  Harbour s(level_of_ports - 1);
  const HostId host = s.host("h1", "20000-20009");
  EXPECT_EQ(s.ports_of(host), 0);
  s.raise(level_of_ports);
  EXPECT_EQ(s.ports_of(host), 10) << "no agent need say so anew";
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(Ports, AreGivenToOneTaskEachAndAreFreeAgainWhenItHasEnded) {
  Harbour s;
  const HostId host = s.host("h1", "20000-20005");
  const JobId job = s.cell.submit(with_ports(service_of(0, 3, 5), 3));
  const TaskId one = s.cell.start(job, 0), two = s.cell.start(job, 1), three = s.cell.start(job, 2);
  PlaceTasks plan{{s.cell.placement(one, host), s.cell.placement(two, host), s.cell.placement(three, host)}};
  const Done done = s.cell.apply(plan, s.cell.term_fence());
  ASSERT_EQ(done.outcome.refused.size(), 1U) << "nine are not there";
  EXPECT_EQ(done.outcome.refused[0].code, ErrorCode::limit_exceeded);
  EXPECT_EQ(s.held({one}).size(), 3U);
  EXPECT_EQ(s.held({one, two}).size(), 6U) << "none is given twice, not even by one command";
  EXPECT_EQ(s.cell.place(three, host).refusal(), ErrorCode::limit_exceeded);
  ASSERT_TRUE(s.cell.user_kill(one).taken());
  EXPECT_EQ(s.cell.place(three, host).refusal(), ErrorCode::limit_exceeded) << "it may listen still";
  const auto freed = s.held({one});
  ASSERT_TRUE(s.cell.ended(host, one, Reason::killed).taken());
  EXPECT_EQ(s.cell.archived(one)->ports.values().size(), 3U) << "what it had is kept";
  ASSERT_TRUE(s.cell.place(three, host).taken());
  EXPECT_EQ(s.held({three}), freed);
  s.cell.restart();
  EXPECT_EQ(s.held({two, three}).size(), 6U);
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(Ports, OfTasksThatStartTogetherDiffer) {
  Harbour s;
  const HostId host = s.host("h1", "20000-20003");
  const JobId job = s.cell.submit(with_ports(batch_of(2), 2));
  const TaskId one = s.cell.start(job, 0), two = s.cell.start(job, 1);
  PlaceTasks plan{{s.cell.placement(one, host), s.cell.placement(two, host)}, {2}};
  ASSERT_TRUE(s.cell.apply(plan, s.cell.term_fence()).taken());
  EXPECT_EQ(s.held({one, two}).size(), 4U);
}

TEST(Ports, ThatHaveBecomeFewerThanAreHeldHoldUpNobodyWhoAsksForNone) {
  Harbour s;
  const HostId host = s.host("h1", "20000-20005");
  s.cell.running(s.cell.submit(with_ports(batch_of(1), 5)), 0, host);
  s.declare("h1", "20000-20002");
  const JobId portless = s.cell.submit(batch_of(1)), asking = s.cell.submit(with_ports(batch_of(1), 1));
  const TaskId none = s.cell.start(portless, 0), one = s.cell.start(asking, 0);
  EXPECT_EQ(s.cell.place(none, host).refusal(), ErrorCode::limit_exceeded)
      << "as builds of that level have it";
  s.raise(level_of_fewer_ports);
  ASSERT_TRUE(s.cell.place(none, host).taken());
  EXPECT_EQ(s.cell.place(one, host).refusal(), ErrorCode::limit_exceeded);
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(Ports, OfAHostThatDeclaresOthersAreNotGivenTwice) {
  Harbour s;
  const HostId host = s.host("h1", "20000-20003");
  const JobId job = s.cell.submit(with_ports(service_of(0, 3, 5), 2));
  const TaskId old = s.cell.running(job, 0, host);
  s.declare("h1", "20002-20005");
  const TaskId next = s.cell.start(job, 1), last = s.cell.start(job, 2);
  ASSERT_TRUE(s.cell.place(next, host).taken());
  EXPECT_EQ(s.held({old, next}).size(), 4U);
  EXPECT_EQ(s.cell.place(last, host).refusal(), ErrorCode::limit_exceeded)
      << "those that the old one holds are counted, wherever they are";
}

TEST(Ports, NeedTheirLevelToBeAskedFor) {
  EXPECT_EQ(level_needed(CreateJob{{}, with_ports(batch_of(1), 1)}), level_of_ports);
  EXPECT_EQ(level_needed(CreateJob{{}, batch_of(1)}), 0U);
  EXPECT_EQ(level_needed(PutGroup{{"g", Tier::flex, {.ports = 5}, 1, 0, {}}}), level_of_ports);
}

}  // namespace
}  // namespace troupe
