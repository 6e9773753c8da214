// Three drivers, by hand: the parts fit together.

#include "drivers.hpp"

namespace troupe {
namespace {

class ThreeDrivers : public testing::Test, protected Drivers {
 protected:
  ThreeDrivers() {
    MachineOptions options;
    options.retention.entries_max = 20;
    options.retention.flush_every = milliseconds(500);
    const std::vector<std::uint32_t> all{1, 2, 3};
    for (const std::uint32_t n : all) nodes.emplace(n, std::make_unique<Machine>(n, all, options));
  }
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

TEST_F(ThreeDrivers, know_what_the_others_builds_know_once_they_are_heard) {
  for (auto& [n, node] : nodes) {
    node->options_.level_known = n;
    node->crash_and_restart();
  }
  using Levels = std::map<NodeId, std::uint32_t>;
  EXPECT_EQ(nodes.at(1)->driver_->levels(), (Levels{{NodeId{1}, 1}}));
  run(200);
  ASSERT_NE(leader(), 0u);
  const Levels all{{NodeId{1}, 1}, {NodeId{2}, 2}, {NodeId{3}, 3}};
  EXPECT_EQ(nodes.at(leader())->driver_->levels(), all);
  const std::uint32_t other = leader() == 1 ? 2 : 1;
  nodes.at(other)->options_.level_known = 7;
  nodes.at(other)->crash_and_restart();
  run(200);
  EXPECT_EQ(nodes.at(leader())->driver_->levels().at(NodeId{other}), 7u);
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
  EXPECT_EQ(nodes.at(follower)->state_, nodes.at(leader())->state_);
  EXPECT_EQ(nodes.at(follower)->state_.index, Index{3});
}

// The link to a peer of which a new leader knows nothing yet breaks: it asks on where it was, not from the
// beginning, which is cut off and would take a snapshot.
TEST_F(ThreeDrivers, a_broken_link_to_a_peer_that_is_not_known_yet_costs_no_snapshot) {
  run(200);
  for (int n = 0; n < 60; ++n) ASSERT_TRUE(nodes.at(leader())->propose("x").ok());
  run(300);
  const std::uint32_t old_leader = leader();
  Machine& next = *nodes.at(old_leader == 1 ? 2 : 1);
  ASSERT_GT(next.driver_->first(), Index{20});
  ASSERT_TRUE(nodes.at(old_leader)->driver_->transfer(next.self_).ok());
  settle();
  while (next.driver_->role() != raft::Role::leader) run(1);
  ASSERT_TRUE(nodes.at(old_leader)->crash_and_restart());
  next.driver_->link_down(NodeId{old_leader});
  next.driver_->link_up(NodeId{old_leader});
  run(100);
  EXPECT_TRUE(next.needs_.empty());
  EXPECT_EQ(nodes.at(old_leader)->state_, next.state_);
}

TEST_F(ThreeDrivers, what_was_on_its_way_while_all_stood_still_makes_no_clock_leap) {
  run(300);
  Machine& lead = *nodes.at(leader());
  std::vector<ReplicaMessage> answers;
  lead.tick(5);
  for (const ReplicaMessage& message : lead.settle()) {
    Machine& peer = *nodes.at(message.message.to.value);
    peer.hear(message);
    for (ReplicaMessage& answer : peer.settle()) answers.push_back(std::move(answer));
  }
  ASSERT_GE(answers.size(), 2u);
  lead.now_.steady = lead.now_.steady + std::chrono::seconds(13);
  lead.now_.wall = lead.now_.wall + std::chrono::seconds(13);
  ASSERT_EQ(lead.driver_->tick(lead.now_), ReplicaDriver::Tick::again);
  for (const ReplicaMessage& answer : answers) lead.hear(answer);
  ASSERT_EQ(lead.driver_->tick(lead.now_), ReplicaDriver::Tick::counted);
  EXPECT_TRUE(lead.propose("x").ok());
  EXPECT_EQ(lead.driver_->counters().leaps_refused, 0u);
}

TEST_F(ThreeDrivers, a_proposal_that_is_refused_leaves_no_stamp_behind) {
  run(300);
  const std::uint32_t old_leader = leader();
  Machine& next = *nodes.at(old_leader == 1 ? 2 : 1);
  const auto decade = std::chrono::hours(24 * 3'650);
  next.now_.wall = next.now_.wall + decade;
  EXPECT_FALSE(next.propose("not the leader").ok());
  EXPECT_FALSE(next.driver_->change({raft::MemberChangeKind::remove, NodeId{3}, "", {}}, next.now_).ok());
  next.now_.wall = next.now_.wall - decade;  // Somebody has set the machine's clock.
  run(300);
  ASSERT_TRUE(nodes.at(old_leader)->driver_->transfer(next.self_).ok());
  while (next.driver_->role() != raft::Role::leader) run(1);
  ASSERT_TRUE(next.propose("right").ok());
  run(50);
  EXPECT_LE(next.applied_.back().stamp, next.now_.wall);
}

class LeapingClocks : public ThreeDrivers, public testing::WithParamInterface<milliseconds> {};

TEST_P(LeapingClocks, a_leader_whose_clock_leaps_stamps_nothing_and_hands_over) {
  run(300);
  const std::uint32_t leapt = leader();
  Machine& wild = *nodes.at(leapt);
  wild.now_.wall = wild.now_.wall + GetParam();
  EXPECT_EQ(wild.propose("late").error().code, ErrorCode::unavailable);
  run(50);
  ASSERT_NE(leader(), 0u);
  EXPECT_NE(leader(), leapt);
  EXPECT_EQ(wild.driver_->counters().leaps_refused, 1u);
  Machine& next = *nodes.at(leader());
  ASSERT_TRUE(next.propose("right").ok());
  run(50);
  for (const auto& [n, node] : nodes) {
    const milliseconds off = node->applied_.back().stamp - next.now_.wall;
    EXPECT_LE(std::abs(off.count()), 5'000);
    const auto time = node->driver_->cell_time(node->now_);
    ASSERT_TRUE(time);
    EXPECT_LE(std::abs((*time - ClockGuard::offset(next.now_.wall, next.now_.steady)).count()), 5'000);
  }
}

TEST_P(LeapingClocks, who_has_just_started_takes_no_time_from_a_wild_leader) {
  run(300);
  const std::uint32_t leapt = leader();
  Machine& fresh = *nodes.at(leapt == 1 ? 2 : 1);
  Machine& wild = *nodes.at(leapt);
  wild.now_.wall = wild.now_.wall + GetParam();
  ASSERT_TRUE(fresh.crash_and_restart());
  bool knows = false;
  for (int n = 0; n < 200; ++n) {
    run(1);
    const auto time = fresh.driver_->cell_time(fresh.now_);
    if (!time) continue;
    knows = true;
    ASSERT_LE((*time - ClockGuard::offset(fresh.now_.wall, fresh.now_.steady)).count(), 5'000);
  }
  EXPECT_TRUE(knows);
}

TEST_P(LeapingClocks, a_wild_leader_is_believed_no_sooner_for_having_led_before) {
  run(300);
  const std::uint32_t first = leader();
  Machine& wild = *nodes.at(first == 1 ? 2 : 1);
  wild.now_.wall = wild.now_.wall + GetParam();
  const Machine& sound = *nodes.at(first);
  int led = 0;
  for (int n = 0; n < 2'000; ++n) {
    const bool leads = leader() == wild.self_.value;
    if (n % 500 == 0 && leader() != 0 && !leads) {
      ASSERT_TRUE(nodes.at(leader())->driver_->transfer(wild.self_).ok());
    }
    run(1);
    led += !leads && leader() == wild.self_.value ? 1 : 0;
    for (const auto& [id, node] : nodes) {
      const auto time = node->driver_->cell_time(node->now_);
      ASSERT_TRUE(time);
      const milliseconds right = ClockGuard::offset(sound.now_.wall, sound.now_.steady);
      ASSERT_LE(std::abs((*time - right).count()), 5'000) << "node " << id << ", turn " << n;
    }
  }
  EXPECT_GE(led, 2);
}

// Found by the simulation: it counted its owner's care from an hour ahead, and nothing was overdue any more.
TEST_P(LeapingClocks, who_joins_with_a_wild_clock_goes_by_the_leaders) {
  run(300);
  nodes.emplace(4, std::make_unique<Machine>(NodeId{4}, raft::Membership{}, MachineOptions{}));
  Machine& joins = *nodes.at(4);
  joins.now_.wall = joins.now_.wall + GetParam();
  Machine& lead = *nodes.at(leader());
  const raft::MemberChange change{raft::MemberChangeKind::add_learner, NodeId{4}, "host:4", {}};
  ASSERT_TRUE(lead.driver_->change(change, lead.now_).ok());
  bool knows = false;
  for (int n = 0; n < 500; ++n) {
    run(1);
    const auto time = joins.driver_->cell_time(joins.now_);
    knows = knows || time;
    const milliseconds right = ClockGuard::offset(lead.now_.wall, lead.now_.steady);
    ASSERT_LE(std::abs((time.value_or(right) - right).count()), 5'000) << "turn " << n;
  }
  EXPECT_TRUE(knows);
}

// Found by the simulation: its own wild clock was the only one that it knew of a voter, and its actors waited
// for moments ten years ahead.
TEST_P(LeapingClocks, who_has_just_started_counts_the_clock_of_a_leader_that_was_promoted_meanwhile) {
  run(300);
  const std::uint32_t first = leader();
  Machine& fresh = *nodes.at(first == 1 ? 2 : 1);
  for (const auto& [n, node] : nodes)
    if (node.get() != &fresh) cut.insert({n, fresh.self_.value});
  nodes.emplace(4, std::make_unique<Machine>(NodeId{4}, raft::Membership{}, MachineOptions{}));
  Machine& lead = *nodes.at(first);
  const auto change = [&](raft::MemberChangeKind kind) {
    ASSERT_TRUE(lead.driver_->change({kind, NodeId{4}, "host:4", {}}, lead.now_).ok());
    run(300);
  };
  cut.insert({4, fresh.self_.value});
  change(raft::MemberChangeKind::add_learner);
  change(raft::MemberChangeKind::promote);
  ASSERT_TRUE(lead.driver_->transfer(NodeId{4}).ok());
  for (int n = 0; n < 300 && nodes.at(4)->driver_->role() != raft::Role::leader; ++n) run(1);
  ASSERT_EQ(leader(), 4U);
  fresh.now_.wall = fresh.now_.wall + GetParam();
  ASSERT_TRUE(fresh.crash_and_restart());
  cut.erase({4, fresh.self_.value});
  const Machine& next = *nodes.at(4);
  bool knows = false;
  for (int n = 0; n < 200; ++n) {
    run(1);
    const auto time = fresh.driver_->cell_time(fresh.now_);
    knows = knows || time;
    const milliseconds right = ClockGuard::offset(next.now_.wall, next.now_.steady);
    ASSERT_LE((time.value_or(right) - right).count(), 5'000) << "turn " << n;
  }
  EXPECT_TRUE(knows);
}

INSTANTIATE_TEST_SUITE_P(Leaps, LeapingClocks,
                         testing::Values(milliseconds(3'600'000), milliseconds(-3'600'000),
                                         milliseconds(315'360'000'000)));

}  // namespace
}  // namespace troupe
