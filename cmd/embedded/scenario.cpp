#include <troupe/scenario.hpp>

#include "cmd/embedded/cluster_impl.hpp"
#include "net/json/value.hpp"

namespace troupe::embedded {
namespace {

constexpr std::size_t timeline_lines_max = 80;

std::string place_of(const TaskStory::Where& where) {
  std::string_view file = where.file_name();
  if (const auto slash = file.rfind('/'); slash != std::string_view::npos) file.remove_prefix(slash + 1);
  return std::string(file) + ":" + std::to_string(where.line());
}

std::string with_reason(std::string_view state, Reason reason) {
  const std::string_view why = to_text(reason);
  return std::string(state) + (why.empty() ? "" : " (" + std::string(why) + ")");
}

/// Ends the story: what was expected where, what is so, and how it came to that.
[[noreturn]] void fail(Cluster& cluster, Failure::Kind kind, const TaskStory::Where& where,
                       const std::string& what, std::string_view entity) {
  std::string text = place_of(where) + ": " + what + "\n";
  if (!entity.empty()) text += "timeline of job " + std::string(entity) + " and of the faults:\n";
  text += cluster.timeline(entity, timeline_lines_max);
  text.pop_back();
  StoryTeller::of(cluster).fail(kind, text);
}

template <class Step>
const Step* step_in(const std::vector<Step>& steps, decltype(Step::state) state) {
  for (const Step& step : steps)
    if (step.state == state) return &step;
  return nullptr;
}

TaskState public_state(const TaskTrack::Step& step) { return static_cast<TaskState>(step.state); }
troupe::TaskState inner_state(TaskState state) { return static_cast<troupe::TaskState>(state); }

std::string path_text(const std::optional<TaskTrack>& task) {
  if (!task) return "it was never made";
  std::string text = "it went ";
  for (const TaskTrack::Step& step : task->steps)
    text += (&step == &task->steps.front() ? "" : " -> ") +
            with_reason(to_text(public_state(step)), static_cast<Reason>(step.reason));
  return text;
}

/// Events of a time when every node was down may never be told: the API knows what came of them.
void complete_from_api(Cluster& cluster, const std::string& job) {
  const Response answer = cluster.client().get("/api/v3/tasks?taskStates=any&pageSize=1000&jobIds=" + job);
  if (answer.status != 200) return;
  const auto page = json::parse(answer.body, {.values = 1'000'000});
  const json::Value* items = page.ok() ? page.value().find("items") : nullptr;
  if (items == nullptr || items->array() == nullptr) return;
  for (const json::Value& item : *items->array()) StoryTeller::of(cluster).book.complete(item);
}

/// Waits for `holds`; looks into the API once more before it gives up.
bool await(Cluster& cluster, const std::string& job, const std::function<bool()>& holds,
           std::chrono::milliseconds patience) {
  // Only what the nodes tell can change the answer.
  HistoryBook& book = StoryTeller::of(cluster).book;
  std::uint64_t seen = UINT64_MAX;
  const auto look = [&] {
    const std::uint64_t now = book.changes();
    if (now == seen) return false;
    seen = now;
    return holds();
  };
  if (cluster.run_until(look, patience)) return true;
  complete_from_api(cluster, job);
  return holds();
}

std::string task_name(std::uint32_t index, std::uint32_t resubmit) {
  return "task " + std::to_string(index) + (resubmit == 0 ? "" : "/" + std::to_string(resubmit));
}

}  // namespace

TaskStory::TaskStory(Cluster& cluster, std::chrono::milliseconds patience, std::string job,
                     std::uint32_t index, std::uint32_t resubmit)
    : cluster_(&cluster), patience_(patience), job_(std::move(job)), index_(index), resubmit_(resubmit) {}

TaskStory& TaskStory::expect(TaskState state, Where where) {
  std::optional<TaskTrack> task;
  bool passed = false;
  const bool came = await(
      *cluster_, job_,
      [&] {
        task = StoryTeller::of(*cluster_).book.task(job_, index_, resubmit_);
        passed = task && task->find(inner_state(state)) == nullptr && !task->steps.empty() &&
                 public_state(task->steps.back()) > state;
        return passed || (task && task->find(inner_state(state)) != nullptr);
      },
      patience_);
  const std::string expected = task_name(index_, resubmit_) + " should be " + std::string(to_text(state));
  if (!came) fail(*cluster_, Failure::Kind::timeout, where, expected + "; " + path_text(task), job_);
  if (passed || (reached_ && *reached_ > state))
    fail(*cluster_, Failure::Kind::unexpected, where, expected + "; " + path_text(task), job_);
  reached_ = state;
  return *this;
}

TaskStory& TaskStory::expect(TaskState state, Reason reason, Where where) {
  expect(state, where);
  if (reason_of(state, where) == reason) return *this;
  fail(*cluster_, Failure::Kind::unexpected, where,
       task_name(index_, resubmit_) + " should be " + with_reason(to_text(state), reason) + "; " +
           path_text(StoryTeller::of(*cluster_).book.task(job_, index_, resubmit_)),
       job_);
}

TaskStory& TaskStory::expect_each(std::initializer_list<TaskState> states, Where where) {
  std::optional<TaskState> before = reached_;
  for (const TaskState state : states) {
    expect(state, where);
    const auto task = StoryTeller::of(*cluster_).book.task(job_, index_, resubmit_);
    for (const TaskTrack::Step& step : task->steps)
      if (public_state(step) < state && (!before || public_state(step) > *before))
        fail(*cluster_, Failure::Kind::unexpected, where,
             task_name(index_, resubmit_) + " should not have been " +
                 std::string(to_text(public_state(step))) + " on its way; " + path_text(task),
             job_);
    before = state;
  }
  return *this;
}

TaskStory& TaskStory::expect_no_change(std::chrono::milliseconds span, Where where) {
  const HistoryBook& book = StoryTeller::of(*cluster_).book;
  const auto steps = [&] {
    const auto task = book.task(job_, index_, resubmit_);
    return task ? task->steps.size() : 0;
  };
  const std::size_t before = steps();
  cluster_->run_for(span);
  if (steps() == before) return *this;
  fail(*cluster_, Failure::Kind::unexpected, where,
       task_name(index_, resubmit_) + " should not change; " + path_text(book.task(job_, index_, resubmit_)),
       job_);
}

TaskStory& TaskStory::kill(Where where) {
  cluster_->client().kill_task(id(where));
  return *this;
}

std::string TaskStory::id(Where where) const {
  TaskStory(*cluster_, patience_, job_, index_, resubmit_).expect(TaskState::accepted, where);
  return StoryTeller::of(*cluster_).book.task(job_, index_, resubmit_)->id;
}
std::string TaskStory::host(Where where) const {
  TaskStory(*cluster_, patience_, job_, index_, resubmit_).expect(TaskState::launched, where);
  return StoryTeller::of(*cluster_).book.task(job_, index_, resubmit_)->host;
}
Time TaskStory::entered(TaskState state, Where where) const {
  TaskStory(*cluster_, patience_, job_, index_, resubmit_).expect(state, where);
  const auto task = StoryTeller::of(*cluster_).book.task(job_, index_, resubmit_);
  return Time(std::chrono::milliseconds(task->find(inner_state(state))->at.ms));
}
Reason TaskStory::reason_of(TaskState state, Where where) const {
  TaskStory(*cluster_, patience_, job_, index_, resubmit_).expect(state, where);
  const auto task = StoryTeller::of(*cluster_).book.task(job_, index_, resubmit_);
  return static_cast<Reason>(task->find(inner_state(state))->reason);
}
TaskStory TaskStory::next() const { return {*cluster_, patience_, job_, index_, resubmit_ + 1}; }

JobStory::JobStory(Cluster& cluster, std::chrono::milliseconds patience, std::string id)
    : cluster_(&cluster), patience_(patience), id_(std::move(id)) {}

JobStory& JobStory::expect(JobState state, Where where) {
  const auto inner = static_cast<troupe::JobState>(state);
  std::vector<JobTrack::Step> steps;
  bool passed = false;
  bool came = await(
      *cluster_, id_,
      [&] {
        steps = StoryTeller::of(*cluster_).book.job_steps(id_);
        passed = step_in(steps, inner) == nullptr && !steps.empty() && steps.back().state > inner;
        return passed || step_in(steps, inner) != nullptr;
      },
      patience_);
  if (!came) {
    const auto now = cluster_->client().job(id_);
    came = now && now->state == state;
  }
  const std::string expected = "the job should be " + std::string(to_text(state));
  if (!came) fail(*cluster_, Failure::Kind::timeout, where, expected, id_);
  if (passed || (reached_ && *reached_ > state))
    fail(*cluster_, Failure::Kind::unexpected, where, expected, id_);
  reached_ = state;
  return *this;
}

JobStory& JobStory::expect(JobState state, Reason reason, Where where) {
  expect(state, where);
  const auto steps = StoryTeller::of(*cluster_).book.job_steps(id_);
  const auto* step = step_in(steps, static_cast<troupe::JobState>(state));
  const auto now = step == nullptr ? cluster_->client().job(id_) : std::nullopt;
  const Reason seen = step != nullptr ? static_cast<Reason>(step->reason) : now ? now->reason : Reason::none;
  if (seen == reason) return *this;
  fail(*cluster_, Failure::Kind::unexpected, where,
       "the job should be " + with_reason(to_text(state), reason) +
           ", and is so for another reason: " + std::string(to_text(seen)),
       id_);
}

JobStory& JobStory::expect_running(std::uint32_t count, Where where) {
  JobStanding standing;
  const auto holds = [&] {
    standing = StoryTeller::of(*cluster_).book.standing(id_);
    return standing.started == count && standing.live == count;
  };
  if (await(*cluster_, id_, holds, patience_)) return *this;
  fail(*cluster_, Failure::Kind::timeout, where,
       std::to_string(count) + " tasks should run, and no others live; " + std::to_string(standing.started) +
           " of " + std::to_string(standing.live) + " do",
       id_);
}

JobStory& JobStory::expect_tasks_made(std::uint32_t count, std::chrono::milliseconds span, Where where) {
  const bool came = await(
      *cluster_, id_, [&] { return tasks_made() >= count; }, patience_);
  if (came) cluster_->run_for(span);
  if (tasks_made() == count) return *this;
  fail(*cluster_, came ? Failure::Kind::unexpected : Failure::Kind::timeout, where,
       std::to_string(count) + " tasks should have been made by now, and there were " +
           std::to_string(tasks_made()),
       id_);
}

JobStory& JobStory::kill() {
  cluster_->client().kill_job(id_);
  return *this;
}
JobStory& JobStory::resize(std::uint32_t desired) {
  cluster_->client().resize(id_, desired);
  return *this;
}
TaskStory JobStory::task(std::uint32_t index, std::uint32_t resubmit) const {
  return {*cluster_, patience_, id_, index, resubmit};
}
std::uint32_t JobStory::tasks_made() const { return StoryTeller::of(*cluster_).book.standing(id_).made; }
std::string JobStory::timeline() const { return cluster_->timeline(id_, timeline_lines_max); }

Scenario::Scenario(Cluster& cluster, std::optional<std::chrono::milliseconds> patience)
    : cluster_(&cluster), patience_(patience.value_or(StoryTeller::of(cluster).options.patience)) {}

JobStory Scenario::submit(const JobSpec& spec) { return submit(to_json(spec)); }
JobStory Scenario::submit(std::string_view json) {
  return {*cluster_, patience_, cluster_->client().submit(json)};
}
JobStory Scenario::job(std::string id) const { return {*cluster_, patience_, std::move(id)}; }

Scenario& Scenario::expect(std::string_view what, const std::function<bool()>& holds, Where where) {
  if (cluster_->run_until(holds, patience_)) return *this;
  fail(*cluster_, Failure::Kind::timeout, where, "expected: " + std::string(what), {});
}

Scenario& Scenario::expect_no_violation(Where where) {
  std::string all;
  for (const std::string& violation : cluster_->violations()) all += violation + "\n";
  if (!all.empty()) fail(*cluster_, Failure::Kind::unexpected, where, "promises were broken:\n" + all, {});
  return *this;
}

Scenario& Scenario::run_for(std::chrono::milliseconds span) {
  cluster_->run_for(span);
  return *this;
}

}  // namespace troupe::embedded
