#pragma once
// Coverage by meaning: which refusals, steps of the drawings, ends and effects a set of lives has reached.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "storage/model/outcome.hpp"

namespace troupe::judges {

/// A mark is a text such as "task launched>started", "refused kill_job not_found" or "effect advance_slots".
class Marks {
 public:
  void reach(const std::string& mark) { ++reached_[mark]; }
  void add(const Marks& other) {
    for (const auto& [mark, times] : other.reached_) reached_[mark] += times;
  }
  const std::map<std::string, std::uint64_t>& reached() const { return reached_; }

 private:
  std::map<std::string, std::uint64_t> reached_;
};

std::string task_step_mark(TaskState from, TaskState to);
std::string job_step_mark(JobState from, JobState to);
std::string end_mark(Reason reason);
std::string refusal_mark(const Command& command, ErrorCode code);
std::string effect_mark(const Command& command);

/// All marks that a life can reach: every forward step of the drawings but those declared impossible, every
/// reason with which a task ends, every command that an entity's core proposes, and the declared refusals.
const std::set<std::string>& all_marks();

}  // namespace troupe::judges
