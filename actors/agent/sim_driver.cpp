#include "actors/agent/sim_driver.hpp"

#include <algorithm>
#include <csignal>

#include "storage/model/isolation.hpp"

namespace troupe::agent {

std::vector<TaskId> SimDriver::adopt(Listener listener) {
  listener_ = std::move(listener);
  std::vector<TaskId> ids;
  for (auto& [id, task] : tasks_) {
    task.script.forgets = false;
    ids.push_back(id);
    if (task.state != TaskState::launched) to_report_.insert(id);
  }
  return ids;
}

void SimDriver::launch(const ContainerSpec& spec) {
  const auto [found, fresh] = tasks_.try_emplace(spec.task);
  if (!fresh) return;
  Task& task = found->second;
  auto script = parse_sim_script(find_sim_script(spec.attributes, spec.env),
                                 {spec.slot, spec.resubmits, host_, host_group_});
  if (script.ok())
    task.script = std::move(script).value();
  else
    task.problem = script.error();
  if (registry_ && !is_driver_enough("process", spec.image, spec.attributes)) task.image = spec.image;
  task.launched = now_;
  task.latest.task = spec.task;
  schedule(spec.task, task);
}

void SimDriver::stop(const TaskId& id, milliseconds grace) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end() || found->second.state == TaskState::finished || found->second.killed) return;
  Task& task = found->second;
  unschedule(id, task);
  task.killed = now_ + grace;
  if (!task.script.ignores_term) task.termed = now_ + task.script.stop;
  schedule(id, task);
}

void SimDriver::discard(const TaskId& id) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end() || found->second.state != TaskState::finished) return;
  discarded_.insert_or_assign(id, std::move(found->second));
  tasks_.erase(found);
  to_report_.erase(id);
  discard_order_.push_back(id);
  if (discard_order_.size() <= logs_kept_max) return;
  discarded_.erase(discard_order_.front());
  discard_order_.pop_front();
}

Moment SimDriver::begins(const Task& task) { return task.launched + task.script.prepare + task.script.start; }

std::uint64_t SimDriver::written(const Task& task) const {
  if (task.state < TaskState::started || task.problem || task.script.hangs || task.script.fails) return 0;
  const Moment begun = begins(task);
  const Moment until = task.ended.value_or(now_);
  if (task.script.line.empty() || until < begun) return 0;
  const std::int64_t again = task.script.every ? (until - begun) / *task.script.every : 0;
  return task.script.line.size() * static_cast<std::uint64_t>(1 + again);
}

Result<LogChunk> SimDriver::read_log(const TaskId& id, LogStream stream, std::uint64_t offset,
                                     std::size_t bytes_max) {
  const auto running = tasks_.find(id);
  const auto ended = discarded_.find(id);
  if (running == tasks_.end() && ended == discarded_.end())
    return Error{ErrorCode::not_found, "no log of task " + to_text(id)};
  const Task& task = running != tasks_.end() ? running->second : ended->second;
  const std::uint64_t size = stream == LogStream::standard_output ? written(task) : 0;
  LogChunk chunk;
  // The log is one line over and over: made up when it is read, so that a million tasks cost nothing.
  for (std::uint64_t at = offset; at < size && chunk.data.size() < bytes_max; ++at)
    chunk.data.push_back(task.script.line[static_cast<std::size_t>(at % task.script.line.size())]);
  chunk.next_offset = offset + chunk.data.size();
  chunk.ended = task.state == TaskState::finished && chunk.next_offset >= size;
  return chunk;
}

void SimDriver::advance(Moment now, Instant wall) {
  now_ = std::max(now_, now);
  wall_ = wall;
  if (!listener_) return;
  for (const TaskId& id : std::exchange(to_report_, {})) {
    const auto found = tasks_.find(id);
    if (found != tasks_.end()) listener_({found->second.latest});
  }
  while (listener_ && !schedule_.empty() && schedule_.begin()->first <= now_) {
    const auto [at, id] = *schedule_.begin();
    const auto found = tasks_.find(id);
    TROUPE_CHECK(found != tasks_.end());
    unschedule(id, found->second);
    step(id, found->second, at);
    schedule(id, found->second);
    const TaskReport report = found->second.latest;
    if (!found->second.script.forgets) listener_({report});  // Last: it may give orders.
  }
}

std::optional<Moment> SimDriver::next_due() const {
  if (!listener_) return std::nullopt;
  if (!to_report_.empty()) return now_;
  if (schedule_.empty()) return std::nullopt;
  return schedule_.begin()->first;
}

std::size_t SimDriver::running() const {
  return static_cast<std::size_t>(std::count_if(tasks_.begin(), tasks_.end(), [](const auto& entry) {
    return entry.second.state == TaskState::started;
  }));
}

std::size_t SimDriver::kept() const {
  return static_cast<std::size_t>(std::count_if(
      tasks_.begin(), tasks_.end(), [](const auto& entry) { return !entry.second.script.forgets; }));
}

bool SimDriver::runs(const TaskId& id) const {
  const auto found = tasks_.find(id);
  return found != tasks_.end() && found->second.state == TaskState::started;
}

std::optional<Moment> SimDriver::next_step(const Task& task) const {
  if (task.state == TaskState::finished) return std::nullopt;
  std::optional<Moment> next;
  const auto consider = [&](std::optional<Moment> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  const Moment begun = begins(task);
  if (task.problem || (task.script.fails && task.state != TaskState::launched)) return begun;
  if (task.state == TaskState::launched) consider(task.launched + task.script.prepare);
  if (task.state == TaskState::start_initiated && !task.script.hangs) consider(begun);
  if (task.state == TaskState::started && task.script.run) consider(begun + *task.script.run);
  consider(task.killed);
  consider(task.termed);
  return next;
}

void SimDriver::schedule(const TaskId& id, Task& task) {
  task.due = next_step(task);
  if (task.due) schedule_.emplace(*task.due, id);
}

void SimDriver::unschedule(const TaskId& id, Task& task) {
  if (task.due) schedule_.erase({*task.due, id});
  task.due.reset();
}

void SimDriver::step(const TaskId&, Task& task, Moment at) {
  task.latest.at = wall_ - std::chrono::duration_cast<milliseconds>(now_ - at);
  if (task.state == TaskState::launched && at == task.launched + task.script.prepare && has_image(task)) {
    task.state = TaskState::start_initiated;
  } else if (task.state == TaskState::start_initiated && !task.problem && !task.script.fails &&
             !task.script.hangs && at == begins(task) &&
             !(task.killed && (at >= *task.killed || task.termed))) {
    task.state = TaskState::started;
  } else {
    finish(task, at);
  }
  task.latest.state = task.state;
}

bool SimDriver::has_image(Task& task) {
  if (task.image.empty() || images_.contains(task.image)) return true;
  if (registry_->is_down) return false;
  if (images_.size() >= images_kept_max) images_.clear();
  images_.insert(std::exchange(task.image, {}));
  return true;
}

void SimDriver::finish(Task& task, Moment at) {
  TaskReport& end = task.latest;
  if (task.problem) {
    end.reason = Reason::invalid_request;
    end.message = task.problem->message;
  } else if (task.killed) {
    end.reason = Reason::killed;
    const bool by_term = task.termed && at == *task.termed;
    end.signal = by_term ? SIGTERM : SIGKILL;
    end.message = by_term ? "ended by SIGTERM" : "ended by SIGKILL";
  } else if (task.state == TaskState::launched) {
    end.reason = Reason::local_system_error;
    end.message = "cannot get image " + task.image + ": its registry does not answer";
  } else if (task.script.fails) {
    end.reason = Reason::local_system_error;
    end.message = "could not be started, as its script says";
  } else {
    end.exit_code = task.script.exit_code;
    end.signal = task.script.signal;
    end.reason = end.exit_code == 0 && end.signal == 0 ? Reason::normal : Reason::failed;
    if (end.signal != 0)
      end.message = "ended by signal " + std::to_string(end.signal);
    else if (end.exit_code != 0)
      end.message = "exited with code " + std::to_string(end.exit_code);
  }
  task.state = TaskState::finished;
  task.ended = at;
}

}  // namespace troupe::agent
