// The attention index against the cores that act on it: an entity whose core would ask for anything is in the
// index, and no later than it would act.

#include <gtest/gtest.h>

#include "actors/cores/group_core.hpp"
#include "actors/cores/job_core.hpp"
#include "actors/cores/task_core.hpp"
#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/history.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

/// When the effects want attention: at once for a proposal, at its time for a wake; nothing for a rest.
template <class Effect>
Due wanted(const std::vector<Effect>& effects) {
  Due due;
  for (const Effect& effect : effects) {
    if (std::holds_alternative<cores::Propose>(effect)) return due_now;
    if (const auto* wake = std::get_if<cores::WakeAt>(&effect)) due = wake->at;
  }
  return due;
}

class Duties : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Duties, CoverWhateverACoreWouldDo) {
  const auto store = open_memory(keys::table_names());
  const auto machine = StateMachine::open(*store).value();
  History history(GetParam(), 5);
  int proposals = 0;
  for (int n = 0; n < 1'500; ++n) {
    const raft::Entry entry = history.next(*machine);
    ASSERT_TRUE(machine->apply(std::vector{entry}).ok());
    const Truth truth(*store);
    std::map<EntityRef, Instant> index;
    for (const auto& [shard, record] : truth.shards)
      for (const Duty& duty : machine->reads().all_duties(shard)) index[duty.entity] = duty.due;
    const auto expect_covered = [&](const EntityRef& entity, Due want) {
      if (!want || want->ms == no_duty) return;  // A limit of for ever is no duty.
      proposals += *want == due_now ? 1 : 0;
      const auto found = index.find(entity);
      ASSERT_NE(found, index.end()) << entity.text() << " at entry " << n << ", seed " << GetParam();
      const Instant latest = *want == due_now ? truth.cell.now : *want;
      EXPECT_LE(found->second, latest) << entity.text() << " at entry " << n << ", seed " << GetParam();
    };
    for (const auto& [id, job] : truth.jobs)
      expect_covered(EntityRef::of(id),
                     wanted(cores::JobCore(Random(1)).on(truth.cell.now, job.view(), cores::Look{})));
    for (const auto& [id, task] : truth.tasks) {
      const cores::TaskView view{task, *truth.jobs.at(task.job).record.descriptor, truth.cell.policy};
      expect_covered(EntityRef::of(id), wanted(cores::TaskCore().on(truth.cell.now, view, cores::Look{})));
    }
    for (const auto& [name, group] : truth.groups)
      expect_covered(
          EntityRef::of_group(name),
          wanted(cores::GroupCore().on(truth.cell.now, *machine->reads().group(name), cores::Look{})));
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(proposals, 500);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Duties, testing::Range<std::uint64_t>(101, 104));

}  // namespace
}  // namespace troupe
