#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"

namespace troupe {
namespace {

class Notes final : public ApplyObserver {
 public:
  void decided(const Command& command, const Outcome& outcome) override {
    decisions.push_back(std::string(command_name(command)) + (outcome.error ? " refused" : " taken"));
  }
  void applied(const Applied& applied) override { last = applied.index; }
  std::vector<std::string> decisions;
  Index last;
};

TEST(ApplyObserver, HearsEachDecisionAndEachReadableBatch) {
  Cell cell;
  Notes notes;
  cell.machine.reset();
  cell.machine = StateMachine::open(*cell.store, {.observer = &notes}).value();
  const JobId job = cell.submit(batch_of(1));
  EXPECT_EQ(notes.last, cell.machine->applied());
  cell.apply(KillJob{job});
  EXPECT_FALSE(cell.apply(KillJob{}).taken());
  EXPECT_EQ(notes.decisions,
            (std::vector<std::string>{"create_job taken", "kill_job taken", "kill_job refused"}));
}

}  // namespace
}  // namespace troupe
