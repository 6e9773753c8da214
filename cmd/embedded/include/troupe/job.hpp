#pragma once
// Jobs and tasks, as a test submits and sees them.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::embedded {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

//   accepted ──> kill_initiated ──> finished      A batch job with nothing left to do skips the middle.
enum class JobState : std::uint8_t { accepted, kill_initiated, finished };

//   accepted ─> launched ─> start_initiated ─> started ─> kill_initiated ─> finished
// Only forward; any state may be skipped.
enum class TaskState : std::uint8_t {
  accepted,         ///< waits for a host
  launched,         ///< has one
  start_initiated,  ///< its agent makes the container
  started,          ///< runs
  kill_initiated,   ///< is being ended
  finished
};

/// Why a state was entered; reason codes of Titus.
enum class Reason : std::uint8_t {
  none,
  normal,
  failed,  ///< a non-zero exit code or a signal
  killed,
  evicted,
  scaled_down,
  stuck_in_state,
  stuck_in_killing_state,
  runtime_limit_exceeded,
  lost,  ///< its host was gone for too long
  invalid_request,
  crashed,
  transient_system_error,
  local_system_error,
  unknown_system_error,
  filled_in,
  job_submitted,
  unknown,
};

std::string_view to_text(JobState state);   ///< "Accepted", as the API says it
std::string_view to_text(TaskState state);  ///< "StartInitiated"
std::string_view to_text(Reason reason);    ///< "runtimeLimitExceeded"

/// When a task that failed is followed by another. A service's tasks are replaced whatever `retries` says.
struct RetryPolicy {
  enum class Kind : std::uint8_t { immediate, delayed, exponential };
  Kind kind = Kind::immediate;
  std::uint32_t retries = 0;
  std::chrono::milliseconds delay{0};      ///< delayed; the first one of exponential
  std::chrono::milliseconds delay_max{0};  ///< of exponential
};

/// What to run: enough for most tests. For the rest, submit JSON of your own; to_json() is a beginning.
struct JobSpec {
  enum class Kind : std::uint8_t { batch, service };
  Kind kind = Kind::batch;
  std::string application = "test";
  std::string owner = "test@example.com";
  std::string capacity_group{};    ///< empty: the default one
  std::uint32_t size = 1;          ///< of a service: its desired size
  std::uint32_t size_min = 0;      ///< of a service
  std::uint32_t size_max = 1'000;  ///< of a service
  double cpus = 0.1;
  std::int64_t memory_mb = 64;
  std::int64_t disk_mb = 100;
  std::string image{};  ///< its name, without a tag; empty: none. Not with Driver::process
  /// With Driver::process, the program and its arguments.
  std::vector<std::string> command = {"/bin/true"};
  /// With Driver::sim, what each container does: "start=20ms run=1s exit=0". Also signal=, crash, hang, fail,
  /// forget, prepare=, stop=, ignore_term, output=, every=; and clauses of their own for some tasks: "run=1s;
  /// slot 2-5: exit=1; attempt 1-: run=forever; host host-2: hang; group large: start=5s". The grammar is in
  /// actors/agent/sim_script.hpp; what cannot be read is refused. Empty: runs for ever.
  std::string script{};
  RetryPolicy retry{};
  std::chrono::seconds runtime_limit{3'600};  ///< of a batch job's tasks
  std::map<std::string, std::string> attributes{};
  std::map<std::string, std::string> environment{};
};
std::string to_json(const JobSpec& spec);

/// A job as a node said it was.
struct Job {
  std::string id;
  JobState state = JobState::accepted;
  Reason reason = Reason::none;
  std::string message;
  std::map<TaskState, std::uint32_t> tasks;  ///< how many live ones are in which state; 0 left out
  std::uint32_t live() const {
    std::uint32_t sum = 0;
    for (const auto& [task_state, count] : tasks) sum += count;
    return sum;
  }
};

/// A task as a node said it was.
struct Task {
  std::string id;
  std::string job;
  std::uint32_t index = 0;     ///< its place in the job
  std::uint32_t resubmit = 0;  ///< how many tasks had that place before
  TaskState state = TaskState::accepted;
  Reason reason = Reason::none;
  std::string message;
  std::string host;  ///< empty until it is launched
  int exit_code = 0;
  int signal = 0;
  std::map<TaskState, Time> entered;
};

}  // namespace troupe::embedded
