#include "cmd/embedded/history_book.hpp"

#include <algorithm>
#include <charconv>

#include "cmd/embedded/json_members.hpp"
#include "net/api/event_json.hpp"

namespace troupe::embedded {
namespace {

constexpr std::size_t frame_bytes_max = std::size_t{4} << 20;  ///< beyond: no event of ours; dropped

Reason reason_of(const json::Value* object, std::string_view name) {
  return reason_from_text(text_member(object, name)).value_or(Reason::none);
}

std::string in_brackets(const std::string& reason) { return reason.empty() ? "" : " (" + reason + ")"; }
std::string short_id(const std::string& id) { return id.substr(0, 8); }

std::string task_line(const json::Value& data, const TaskTrack& task) {
  std::string line = "task " + std::to_string(task.index);
  if (task.resubmit > 0) line += "/" + std::to_string(task.resubmit);
  line += " " + short_id(task.id) + " ";
  const std::string before = text_member(&data, "taskStateBefore");
  const std::string state = text_member(&data, "taskState");
  line += before.empty() || before == state ? state : before + " -> " + state;
  // That nothing went wrong is worth a word at the end only.
  const std::string reason = text_member(&data, "reasonCode");
  if (reason != "normal" || state == "Finished") line += in_brackets(reason);
  if (state == "Launched" && !task.host.empty()) line += " on " + task.host;
  return line;
}

/// A task's steps among themselves: the order of the states is the order in which they can be entered.
template <class Track, class Step>
void add_step(Track& track, const Step& step) {
  const auto at = std::lower_bound(track.steps.begin(), track.steps.end(), step,
                                   [](const auto& a, const auto& b) { return a.state < b.state; });
  if (at == track.steps.end() || at->state != step.state) track.steps.insert(at, step);
}

}  // namespace

const TaskTrack::Step* TaskTrack::find(TaskState state) const {
  for (const Step& step : steps)
    if (step.state == state) return &step;
  return nullptr;
}

std::string HistoryBook::begin_stream(std::uint32_t node) {
  const std::lock_guard lock(mutex_);
  Stream& stream = streams_[node];
  stream.partial.clear();
  return stream.last_id;
}

void HistoryBook::hear(std::uint32_t node, std::string_view chunk) {
  const std::lock_guard lock(mutex_);
  std::string& partial = streams_[node].partial;
  partial.append(chunk);
  std::size_t from = 0;
  for (std::size_t end = 0; (end = partial.find("\n\n", from)) != std::string::npos; from = end + 2)
    frame(node, std::string_view(partial).substr(from, end - from));
  partial.erase(0, from);
  if (partial.size() > frame_bytes_max) partial.clear();
}

void HistoryBook::frame(std::uint32_t node, std::string_view text) {
  std::optional<EventId> id;
  std::string_view name, data;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with("id: ")) {
      const auto parsed = api::parse_event_id(line.substr(4));
      if (parsed.ok()) id = parsed.value();
      streams_[node].last_id = line.substr(4);
    }
    if (line.starts_with("event: ")) name = line.substr(7);
    if (line.starts_with("data: ")) data = line.substr(6);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const bool snapshot = name == api::task_snapshot_name;
  if (name == api::snapshot_end_name || name == api::job_snapshot_name || (!snapshot && !id)) return;
  if (!snapshot) {
    const auto known = entries_.find({*id, 0});
    if (known != entries_.end()) {
      known->second.told_by |= std::uint64_t{1} << (node % 64);
      return;
    }
  }
  const auto parsed = json::parse(data);
  if (!parsed.ok()) return;
  if (!snapshot) return event(node, *id, parsed.value());
  if (const json::Value* task = parsed.value().find("task")) fill_in(*task);
}

TaskTrack& HistoryBook::track_of(const std::string& id) {
  const auto [at, fresh] = tasks_.try_emplace(id);
  if (!fresh) return at->second;
  at->second.id = id;
  task_order_.push_back(id);
  if (task_order_.size() > entries_max_) {
    tasks_.erase(task_order_.front());
    task_order_.pop_front();
  }
  return at->second;
}

void HistoryBook::event(std::uint32_t node, EventId id, const json::Value& data) {
  BookEntry entry;
  entry.id = id;
  entry.at = Instant{number_member(&data, "timestamp")};
  entry.told_by = std::uint64_t{1} << (node % 64);
  entry.kind = text_member(&data, "kind");
  entry.job = text_member(&data, "jobId");
  entry.task = text_member(&data, "taskId");
  if (!entry.task.empty()) {
    TaskTrack& task = track_of(entry.task);
    track(entry, data);
    entry.text = task_line(data, task);
    if (entry.kind == "taskArchived") entry.text += ", archived";
    if (entry.kind == "taskMoved")
      entry.text += ", from job " + short_id(text_member(&data, "movedFromJobId"));
  } else if (!entry.job.empty()) {
    track(entry, data);
    entry.text = entry.kind == "slotChanged"
                     ? "slot " + std::to_string(number_member(&data, "slot")) + " decided"
                     : "job " + short_id(entry.job) + " " + text_member(&data, "jobState") +
                           in_brackets(text_member(&data, "reasonCode")) +
                           (entry.kind == "jobArchived" ? ", archived" : "");
  } else {
    entry.text = entry.kind;
    if (const auto host = number_member(&data, "hostId"); host != 0)
      entry.text = "host number " + std::to_string(host) + " changed";
    if (entry.kind == "shardAssigned")
      entry.text = "shard " + std::to_string(number_member(&data, "shard")) + " -> node " +
                   std::to_string(number_member(&data, "nodeId"));
  }
  insert(id, std::move(entry));
}

void HistoryBook::track(const BookEntry& entry, const json::Value& data) {
  JobTrack& job = jobs_[entry.job];
  if (entry.task.empty()) {
    if (const auto state = job_state_from_text(text_member(&data, "jobState")))
      add_step(job, JobTrack::Step{*state, reason_of(&data, "reasonCode"), entry.at});
    return;
  }
  TaskTrack& task = track_of(entry.task);
  const json::Value* whole = data.find("task");
  const json::Value* context = whole == nullptr ? nullptr : whole->find("taskContext");
  if (task.job.empty()) {
    task.job = entry.job;
    task.index = static_cast<std::uint32_t>(number_member(&data, "slot"));
    task.resubmit = static_cast<std::uint32_t>(number_member(context, "task.resubmitNumber"));
    job.tasks.insert_or_assign({task.index, task.resubmit}, task.id);
  }
  if (entry.kind == "taskMoved" && task.job != entry.job) {
    std::erase_if(jobs_[task.job].tasks, [&](const auto& place) { return place.second == task.id; });
    task.job = entry.job;
    task.index = static_cast<std::uint32_t>(number_member(&data, "slot"));
    jobs_[task.job].tasks.insert_or_assign({task.index, task.resubmit}, task.id);
  }
  if (task.host.empty()) task.host = text_member(context, "agent.host");
  if (const auto state = task_state_from_text(text_member(&data, "taskState")))
    add_step(task, TaskTrack::Step{*state, reason_of(&data, "reasonCode"), entry.at});
}

void HistoryBook::complete(const json::Value& task) {
  const std::lock_guard lock(mutex_);
  fill_in(task);
}

void HistoryBook::fill_in(const json::Value& whole) {
  TaskTrack& task = track_of(text_member(&whole, "id"));
  const json::Value* context = whole.find("taskContext");
  if (task.job.empty()) {
    task.job = text_member(&whole, "jobId");
    task.index = static_cast<std::uint32_t>(number_member(context, "task.index"));
    task.resubmit = static_cast<std::uint32_t>(number_member(context, "task.resubmitNumber"));
    jobs_[task.job].tasks.insert_or_assign({task.index, task.resubmit}, task.id);
  }
  if (task.host.empty()) task.host = text_member(context, "agent.host");
  std::vector<const json::Value*> statuses{whole.find("status")};
  if (const json::Value* past = whole.find("statusHistory"); past != nullptr && past->array() != nullptr)
    for (const json::Value& status : *past->array()) statuses.push_back(&status);
  for (const json::Value* status : statuses)
    if (const auto state = task_state_from_text(text_member(status, "state")))
      add_step(task, TaskTrack::Step{*state, reason_of(status, "reasonCode"),
                                     Instant{number_member(status, "timestamp")}});
}

void HistoryBook::insert(EventId order, BookEntry entry) {
  const bool is_line = entry.id == EventId{};
  entries_.emplace(std::pair(order, is_line ? ++lines_ : 0), std::move(entry));
  if (entries_.size() > entries_max_) entries_.erase(entries_.begin());
  ++changes_;
  changed_.notify_all();
}

void HistoryBook::add_line(std::string kind, Instant at, std::string text) {
  const std::lock_guard lock(mutex_);
  BookEntry entry;
  entry.at = at;
  entry.kind = std::move(kind);
  entry.text = std::move(text);
  insert(entries_.empty() ? EventId{} : entries_.rbegin()->first.first, std::move(entry));
}

void HistoryBook::await_change(milliseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this, seen = changes_] { return changes_ != seen; });
}

std::vector<BookEntry> HistoryBook::entries(std::string_view entity) const {
  const std::lock_guard lock(mutex_);
  std::vector<BookEntry> found;
  for (const auto& [order, entry] : entries_)
    if (entity.empty() || entry.job == entity || entry.task == entity || entry.id == EventId{})
      found.push_back(entry);
  return found;
}

std::optional<TaskTrack> HistoryBook::task(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = tasks_.find(id);
  return found == tasks_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<TaskTrack> HistoryBook::task(std::string_view job, std::uint32_t index,
                                           std::uint32_t resubmit) const {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return std::nullopt;
  const auto task = found->second.tasks.find({index, resubmit});
  if (task == found->second.tasks.end()) return std::nullopt;
  const auto known = tasks_.find(task->second);
  return known == tasks_.end() ? std::nullopt : std::optional(known->second);
}

std::vector<JobTrack::Step> HistoryBook::job_steps(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? std::vector<JobTrack::Step>{} : found->second.steps;
}

JobStanding HistoryBook::standing(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  JobStanding standing;
  const auto job = jobs_.find(id);
  if (job == jobs_.end()) return standing;
  for (const auto& [place, task_id] : job->second.tasks) {
    const auto task = tasks_.find(task_id);
    ++standing.made;
    if (task == tasks_.end() || task->second.steps.empty()) continue;
    standing.live += task->second.steps.back().state != TaskState::finished ? 1 : 0;
    standing.started += task->second.steps.back().state == TaskState::started ? 1 : 0;
  }
  return standing;
}

std::uint64_t HistoryBook::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

}  // namespace troupe::embedded
