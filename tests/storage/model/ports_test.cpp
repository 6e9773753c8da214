// Which ports of its host a task is given.

#include "storage/model/ports.hpp"

#include <gtest/gtest.h>

#include "storage/base/random.hpp"

namespace troupe {
namespace {

TEST(Ports, AreRangesInRisingOrder) {
  EXPECT_EQ(parse_ports("8080").value(), (PortRanges{{8080, 8080}}));
  EXPECT_EQ(parse_ports("80,443,20000-29999").value(), (PortRanges{{80, 80}, {443, 443}, {20000, 29999}}));
  EXPECT_EQ(port_count(parse_ports("80,1-65535").ok() ? PortRanges{} : PortRanges{{1, 65535}}), 65535);
  for (const char* wrong : {"", "0", "70000", "20-10", "10-20,15-30", "10,10", "10-", "-10", "1,", "x",
                            "1 - 2", "20000-29999,80"})
    EXPECT_FALSE(parse_ports(wrong).ok()) << wrong;
}

TEST(Ports, OfAHostWithoutAReadableAttributeAreNone) {
  EXPECT_EQ(port_count(ports_of({{"ports", "20000-20009"}})), 10);
  EXPECT_EQ(port_count(ports_of({{"zone", "a"}})), 0);
  EXPECT_EQ(port_count(ports_of({{"ports", "many"}})), 0);
}

TEST(Ports, AreChosenFromThoseThatNobodyHas) {
  Random random{3};
  const PortRanges ranges = parse_ports("100-103,200-203").value();
  const TaskId task = random.task_of(random.uuid<JobId>());
  std::set<std::uint16_t> taken{101, 202};
  const auto chosen = choose_ports(ranges, taken, 6, task);
  EXPECT_EQ(std::set<std::uint16_t>(chosen.begin(), chosen.end()),
            (std::set<std::uint16_t>{100, 102, 103, 200, 201, 203}));
  EXPECT_EQ(choose_ports(ranges, taken, 7, task).size(), 6U) << "there are no more";
  EXPECT_EQ(choose_ports(ranges, taken, 2, task), choose_ports(ranges, taken, 2, task));
  EXPECT_TRUE(choose_ports({}, {}, 1, task).empty());
}

TEST(Ports, ThatJustBecameFreeAreSeldomTheNextTasks) {
  Random random{4};
  const JobId job = random.uuid<JobId>();
  const PortRanges ranges = parse_ports("20000-29999").value();
  std::map<std::uint16_t, int> times;
  for (int n = 0; n < 1'000; ++n) ++times[choose_ports(ranges, {}, 1, random.task_of(job)).at(0)];
  EXPECT_GT(times.size(), 900U) << "the search does not begin at the same place each time";
}

}  // namespace
}  // namespace troupe
