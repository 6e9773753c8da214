#include "cmd/judges/marks.hpp"

#include <algorithm>

#include "storage/model/command_table.hpp"

namespace troupe::judges {
namespace {

/// Only a placement leads out of Accepted, or an end.
bool is_possible_step(TaskState from, TaskState to) {
  return from != TaskState::accepted || to == TaskState::launched || to == TaskState::finished;
}

constexpr Reason ends[] = {Reason::normal,         Reason::failed,
                           Reason::killed,         Reason::lost,
                           Reason::scaled_down,    Reason::local_system_error,
                           Reason::stuck_in_state, Reason::stuck_in_killing_state};
constexpr std::string_view proposed_by_entities[] = {"advance_slots", "finish_jobs",  "kill_tasks",
                                                     "end_tasks",     "open_session", "close_sessions"};
/// That lives of small cells meet often enough to be asked for.
constexpr std::string_view refusals[] = {"advance_slots fenced",
                                         "advance_slots job_terminating",
                                         "advance_slots precondition_failed",
                                         "close_sessions precondition_failed",
                                         "create_job limit_exceeded",
                                         "end_tasks not_found",
                                         "finish_jobs not_found",
                                         "kill_job not_found",
                                         "kill_tasks not_found",
                                         "kill_tasks task_terminating",
                                         "place_tasks precondition_failed",
                                         "report_tasks fenced"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

const std::set<std::string>& all_marks() {
  static const std::set<std::string> all = [] {
    std::set<std::string> marks{"driver launch", "driver stop"};
    for (std::size_t from = 0; from < task_state_count; ++from)
      for (std::size_t to = from + 1; to < task_state_count; ++to)
        if (is_possible_step(static_cast<TaskState>(from), static_cast<TaskState>(to)))
          marks.insert(task_step_mark(static_cast<TaskState>(from), static_cast<TaskState>(to)));
    for (const auto& [from, to] : {std::pair{JobState::accepted, JobState::kill_initiated},
                                   std::pair{JobState::accepted, JobState::finished},
                                   std::pair{JobState::kill_initiated, JobState::finished}})
      marks.insert(job_step_mark(from, to));
    for (const Reason reason : ends) marks.insert(end_mark(reason));
    for (const std::string_view command : proposed_by_entities)
      marks.insert("effect " + std::string(command));
    for (const std::string_view refusal : refusals) marks.insert("refused " + std::string(refusal));
    return marks;
  }();
  return all;
}

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

}  // namespace troupe::judges
