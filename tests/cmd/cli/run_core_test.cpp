#include "cmd/troupe/run_core.hpp"

#include <gmock/gmock.h>

namespace troupe::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using State = RunCore::State;

std::vector<ProcedureStep> steps(std::size_t count) {
  return std::vector<ProcedureStep>(count, {ProcedureStep::Kind::await, "connected", milliseconds(1'000)});
}
const Moment start{0};

std::vector<std::pair<std::size_t, std::size_t>> at(RunCore& core, Moment now = start) {
  std::vector<std::pair<std::size_t, std::size_t>> all;
  for (const auto& turn : core.turns(now)) all.emplace_back(turn.entity, turn.step);
  return all;
}

TEST(RunCore, GoesThroughTheStepsOfSoManyAtATime) {
  RunCore core(3, steps(2), 2);
  EXPECT_THAT(at(core), ElementsAre(std::pair(0, 0), std::pair(1, 0)));
  core.step_done(1);
  EXPECT_THAT(at(core), ElementsAre(std::pair(0, 0), std::pair(1, 1)));
  core.step_done(1);
  EXPECT_EQ(core.state(1), State::done);
  EXPECT_THAT(at(core), ElementsAre(std::pair(0, 0), std::pair(2, 0)));
  for (const std::size_t n : {0, 0, 2, 2}) core.step_done(n);
  EXPECT_TRUE(core.is_over());
  EXPECT_FALSE(core.is_stopped());
  EXPECT_EQ(core.count(State::done), 3U);
}

TEST(RunCore, TheFirstFailureEndsItForAll) {
  RunCore core(3, steps(2), 2);
  at(core);
  core.step_done(0);
  core.failed(1);
  EXPECT_TRUE(core.is_over());
  EXPECT_THAT(at(core), IsEmpty());
  EXPECT_EQ(core.state(0), State::under_way);
  EXPECT_EQ(core.step(0), 1U);
  EXPECT_EQ(core.state(1), State::failed);
  EXPECT_EQ(core.state(2), State::waiting);
}

TEST(RunCore, AStepThatIsAwaitedHasATimeOfItsOwn) {
  RunCore core(1, steps(2), 1);
  at(core);
  EXPECT_FALSE(core.not_yet(0, start + milliseconds(999)));
  core.step_done(0);
  at(core, start + milliseconds(5'000));
  EXPECT_FALSE(core.not_yet(0, start + milliseconds(5'999))) << "from when it was tried first";
  EXPECT_TRUE(core.not_yet(0, start + milliseconds(6'000)));
  EXPECT_TRUE(core.is_over());
}

TEST(Procedure, IsReadFromYaml) {
  const auto read = parse_procedure(R"(
procedure: reboot
over: host
steps:
  - do: drain
  - await: taskCount = 0
    within: 2h
  - command: "{command} {name}"
  - check: connected and phase = Draining
)",
                                    {{"command", "ssh"}});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().name, "reboot");
  ASSERT_EQ(read.value().steps.size(), 4U);
  EXPECT_EQ(read.value().steps[1].within, milliseconds(7'200'000));
  EXPECT_EQ(step_text(read.value().steps[2]), "command ssh {name}");
  EXPECT_EQ(step_text(read.value().steps[0]), "drain");
}

TEST(Procedure, SaysWhereItIsWrong) {
  const auto wrong = [](const std::string& steps, const std::string& over = "host") {
    const auto read = parse_procedure("procedure: p\nover: " + over + "\nsteps:\n" + steps);
    EXPECT_FALSE(read.ok()) << steps;
    std::string all;
    if (!read.ok())
      for (const auto& violation : read.error().violations)
        all += violation.path + ": " + violation.message + '\n';
    return all;
  };
  EXPECT_THAT(wrong("  - do: reboot\n"), HasSubstr("steps[0].do: of a host must be one of drain"));
  EXPECT_THAT(wrong("  - do: drain\n", "job"), HasSubstr("kill, enable, disable"));
  EXPECT_THAT(wrong("  - check: taskCuont = 0\n"), HasSubstr("taskCount"));
  EXPECT_THAT(wrong("  - do: drain\n    within: 5m\n"), HasSubstr("belongs to await"));
  EXPECT_THAT(wrong("  - await: connected\n    within: soon\n"), HasSubstr("within"));
  EXPECT_THAT(wrong("  - await: reconnected\n"), HasSubstr("reconnected needs a command before it"));
  EXPECT_THAT(wrong("  - command: a\n  - await: reconnected\n", "job"), HasSubstr("steps[1].await"));
  EXPECT_THAT(wrong("  - command: a\n  - check: reconnected\n"), HasSubstr("steps[1].check"));
  EXPECT_THAT(wrong("  - command: '{command}'\n"), HasSubstr("needs the option --command"));
  EXPECT_THAT(wrong("  - do: drain\n    check: connected\n"), HasSubstr("steps[0]"));
  EXPECT_THAT(wrong("  - do: drain\n", "node"), HasSubstr("over"));
  EXPECT_FALSE(parse_procedure("procedure: p\nover: host\nsteps: []\n").ok());
  EXPECT_FALSE(parse_procedure("procedure: p\nover: host\n").ok());
  EXPECT_FALSE(parse_procedure("procedure: p\nover: host\nsteps: [{do: drain}]\nagain: 1\n").ok());
}

TEST(Procedure, ThoseThatAreBuiltInCanBeRead) {
  for (const auto& one : built_in_procedures()) {
    const auto read = parse_procedure(one.yaml, {{"command", "true {name}"}, {"into", "/tmp"}});
    ASSERT_TRUE(read.ok()) << one.name << ": " << read.error().message;
    EXPECT_EQ(read.value().name, one.name);
    EXPECT_EQ(read.value().about, one.about);
    EXPECT_FALSE(parse_procedure(one.yaml).ok()) << "without " << one.needs;
  }
}

}  // namespace
}  // namespace troupe::cli
