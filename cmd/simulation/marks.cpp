#include "cmd/simulation/marks.hpp"

#include <algorithm>

#include "storage/model/command_table.hpp"

namespace troupe::simulation {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::string task_step_mark(TaskState from, TaskState to) {
  return "task " + lower(state_text(from)) + ">" + lower(state_text(to));
}
std::string job_step_mark(JobState from, JobState to) {
  return "job " + lower(state_text(from)) + ">" + lower(state_text(to));
}
std::string end_mark(Reason reason) { return "ended " + std::string(reason_text(reason)); }
std::string refusal_mark(const Command& command, ErrorCode code) {
  return "refused " + std::string(command_name(command)) + " " + std::string(code_text(code));
}
std::string effect_mark(const Command& command) { return "effect " + std::string(command_name(command)); }

}  // namespace troupe::simulation
