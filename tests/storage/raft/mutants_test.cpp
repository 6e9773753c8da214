// Every deliberate bug must make some scenario or the simulation fail. Built with TROUPE_RAFT_MUTANTS,
// together with all of them; each mutant runs them in a process of its own, since some end in a failed check.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "storage/raft/mutant.hpp"

namespace troupe::raft::test {
namespace {

struct Named {
  Mutant mutant;
  const char* name;
  const char* what;
};
const std::vector<Named> mutants = {
#define X(name, what) {Mutant::name, #name, what},
    TROUPE_RAFT_MUTANT_LIST(X)
#undef X
};

// The child's part: the mutant is chosen before any test runs.
const bool chosen = [] {
  const char* name = std::getenv("RAFT_MUTANT");
  for (const Named& each : mutants) {
    if (name && std::string(name) == each.name) active_mutant = each.mutant;
  }
  return true;
}();

/// What the tests say about a mutant, and how they ended.
struct Verdict {
  std::string output;
  int status = 0;
  bool killed() const { return !WIFEXITED(status) || WEXITSTATUS(status) != 0; }
  std::string killer() const {
    const auto at = output.find("[  FAILED  ] ");
    if (at != std::string::npos)
      return output.substr(at + 13, output.find_first_of(" \n", at + 13) - at - 13);
    const auto check = output.find("check_failed");
    return check == std::string::npos ? "?" : output.substr(check, output.find('\n', check) - check);
  }
};

Verdict run_against(const std::string& mutant) {
  const std::string command = "RAFT_MUTANT=" + mutant + " RAFT_SIM_SEEDS=6000 exec '" +
                              std::filesystem::read_symlink("/proc/self/exe").string() +
                              "' --gtest_filter='Raft*' --gtest_fail_fast --gtest_color=no 2>&1";
  Verdict verdict;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return verdict;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    verdict.output.append(buffer.data(), size);
  }
  verdict.status = ::pclose(pipe);
  return verdict;
}

class Mutants : public testing::TestWithParam<Named> {};

TEST_P(Mutants, AreKilled) {
  ASSERT_TRUE(chosen);
  const Verdict verdict = run_against(GetParam().name);
  EXPECT_TRUE(verdict.killed()) << GetParam().name << " (" << GetParam().what << ") survives every test";
  std::cout << "mutant=" << GetParam().name << " killed_by=" << verdict.killer() << "\n";
}

INSTANTIATE_TEST_SUITE_P(All, Mutants, testing::ValuesIn(mutants),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace troupe::raft::test
