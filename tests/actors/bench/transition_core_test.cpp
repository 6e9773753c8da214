#include "actors/bench/transition_core.hpp"

#include <gtest/gtest.h>

#include "storage/kv/memory_store.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe::bench {
namespace {

constexpr Term term{1};

class Transitions : public testing::Test {
 protected:
  std::vector<Outcome> apply(const std::vector<Command>& commands) {
    std::vector<raft::Entry> entries;
    for (const Command& command : commands)
      entries.push_back({term, Index{machine_->applied().value + 1 + entries.size()},
                         raft::EntryKind::command, Instant{1'000}, Blob(encode(command))});
    return machine_->apply(entries).value().outcomes;
  }

  void set_up(TransitionCore& core) {
    for (auto commands = core.setup(term); !commands.empty(); commands = core.setup(term))
      ASSERT_TRUE(core.set_up(apply(commands)).ok());
  }

  std::uint64_t live(TaskState state) const {
    return machine_->reads().cell().live_tasks[static_cast<std::size_t>(state)];
  }

  std::unique_ptr<KvStore> store_ = open_memory(keys::table_names());
  std::unique_ptr<StateMachine> machine_ = StateMachine::open(*store_).value();
};

TEST_F(Transitions, LeadEveryTaskThroughItsWholeLifeAgainAndAgain) {
  TransitionCore core({.tasks = 32, .width = 4, .slots_per_job = 8, .hosts = 3});
  set_up(core);
  ASSERT_EQ(core.units(), 8u);
  constexpr std::array after{TaskState::accepted, TaskState::launched, TaskState::start_initiated,
                             TaskState::started};
  for (int round = 0; round < 3; ++round)
    for (std::uint32_t phase = 0; phase < TransitionCore::phases; ++phase) {
      for (std::size_t unit = 0; unit < core.units(); ++unit) {
        ASSERT_EQ(core.phase(unit), phase);
        const auto moved = core.moved(unit, apply({core.next(unit, term)}).front());
        ASSERT_TRUE(moved.ok()) << moved.error().message;
      }
      if (phase < after.size())
        EXPECT_EQ(live(after[phase]), 32u) << "phase " << phase;
      else
        EXPECT_EQ(machine_->reads().archived_task(core.task(0)).value()->state, TaskState::finished);
    }
}

TEST_F(Transitions, SayWhichCommandWasRefused) {
  TransitionCore core({.tasks = 1, .width = 1, .slots_per_job = 1, .hosts = 1});
  set_up(core);
  ASSERT_TRUE(core.moved(0, apply({core.next(0, term)}).front()).ok());
  const Command placement = core.next(0, Term{7});
  const auto moved = core.moved(0, apply({placement}).front());
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code, ErrorCode::fenced);
  EXPECT_EQ(core.phase(0), 1u) << "it stays where it was";
}

TEST_F(Transitions, SetUpACellWithoutTasks) {
  TransitionCore core({.tasks = 0, .width = 1, .slots_per_job = 1, .hosts = 2});
  set_up(core);
  EXPECT_EQ(core.units(), 0u);
  EXPECT_EQ(machine_->reads().cell().hosts_connected, 2u);
}

}  // namespace
}  // namespace troupe::bench
