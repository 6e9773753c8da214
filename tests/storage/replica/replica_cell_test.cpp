// Three drivers, by hand: the parts fit together.

#include <map>

#include "machine.hpp"

namespace troupe {
namespace {

class ThreeDrivers : public testing::Test {
 protected:
  ThreeDrivers() {
    for (std::uint32_t n = 1; n <= 3; ++n)
      nodes.emplace(n, std::make_unique<Machine>(n, std::vector<std::uint32_t>{1, 2, 3}));
  }
  /// Delivers until nobody has anything to say.
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& [n, node] : nodes)
        for (const raft::Message& message : node->settle()) {
          nodes.at(message.to.value)->driver_->receive(message);
          busy = true;
        }
    }
  }
  void run(std::uint32_t ticks) {
    for (; ticks > 0; --ticks) {
      for (auto& [n, node] : nodes) node->tick();
      settle();
    }
  }
  std::uint32_t leader() const {
    for (const auto& [n, node] : nodes)
      if (node->driver_->role() == raft::Role::leader) return n;
    return 0;
  }
  std::map<std::uint32_t, std::unique_ptr<Machine>> nodes;
};

TEST_F(ThreeDrivers, elect_commit_and_apply_alike) {
  run(200);
  ASSERT_NE(leader(), 0u);
  Machine& lead = *nodes.at(leader());
  for (int n = 0; n < 50; ++n)
    ASSERT_TRUE(lead.driver_->propose(std::vector<Blob>{Blob("x")}, lead.now_).ok());
  settle();
  run(10);
  for (auto& [n, node] : nodes) {
    EXPECT_EQ(node->driver_->applied(), lead.driver_->last());
    EXPECT_EQ(node->applied(), lead.applied());
    EXPECT_TRUE(node->leased_);
  }
}

TEST_F(ThreeDrivers, a_follower_reads_through_its_leader) {
  run(200);
  const std::uint32_t follower = leader() == 1 ? 2 : 1;
  Machine& node = *nodes.at(follower);
  ASSERT_TRUE(node.driver_->read(5, node.now_.steady + milliseconds(500)).ok());
  settle();
  run(10);
  ASSERT_EQ(node.reads_.size(), 1u);
  EXPECT_TRUE(node.reads_.front().applied.ok());
}

TEST_F(ThreeDrivers, what_one_loses_by_a_crash_it_gets_again) {
  run(200);
  const std::uint32_t follower = leader() == 1 ? 2 : 1;
  Machine& lead = *nodes.at(leader());
  ASSERT_TRUE(lead.driver_->propose(std::vector<Blob>{Blob("x")}, lead.now_).ok());
  settle();
  nodes.at(follower)->crash_and_restart();
  ASSERT_TRUE(lead.driver_->propose(std::vector<Blob>{Blob("y")}, lead.now_).ok());
  run(100);
  EXPECT_EQ(nodes.at(follower)->applied(), nodes.at(leader())->applied());
}

}  // namespace
}  // namespace troupe
