#include "cmd/judges/ledger.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "storage/model/preemption.hpp"

namespace troupe::judges {
namespace {

bool same(const Event& a, const Event& b) {
  return a.id == b.id && a.kind == b.kind && a.at == b.at && a.job == b.job && a.task == b.task &&
         a.host == b.host && a.shard == b.shard && a.node == b.node && a.epoch == b.epoch &&
         a.job_state == b.job_state && a.task_state == b.task_state && a.task_before == b.task_before &&
         a.slot == b.slot && a.reason == b.reason && a.moved_from == b.moved_from;
}

std::string text_of(const Event& event) {
  return std::string(kind_text(event.kind)) + " at " + to_text(event.id.index) + "." +
         std::to_string(event.id.ordinal);
}

bool is_refused(const Outcome& outcome, std::size_t item) {
  return std::any_of(outcome.refused.begin(), outcome.refused.end(),
                     [&](const ItemRefusal& refusal) { return refusal.item == item; });
}

bool is_from_entity(const Command& command) { return std::holds_alternative<EpochFence>(command.fence); }

}  // namespace

class Ledger::Ear final : public ApplyObserver {
 public:
  Ear(Ledger& ledger, std::uint32_t node) : ledger_(ledger), node_("node " + std::to_string(node)) {}
  void decided(const Command& command, const Outcome& outcome) override { ledger_.decided(command, outcome); }
  void applied(const Applied& applied) override { ledger_.applied(node_, applied, next_); }

 private:
  Ledger& ledger_;
  std::string node_;
  std::size_t next_ = 0;  ///< of the ledger's events: the one that it will most likely tell next
};

Ledger::Ledger(Complain complain, std::function<void(const Event&)> told)
    : complain_(std::move(complain)), told_(std::move(told)) {}
Ledger::~Ledger() = default;

ApplyObserver* Ledger::node_starts(std::uint32_t node) {
  ears_.push_back(std::make_unique<Ear>(*this, node));
  return ears_.back().get();
}

void Ledger::decided(const Command& command, const Outcome& outcome) {
  if (outcome.index <= decided_) return;
  decided_ = outcome.index;
  if (outcome.error) marks_.reach(refusal_mark(command, outcome.error->code));
  for (const ItemRefusal& item : outcome.refused) marks_.reach(refusal_mark(command, item.code));
  if (!outcome.error && is_from_entity(command)) marks_.reach(effect_mark(command));
  if (const auto* host = std::get_if<RegisterHost>(&command.body); host != nullptr && !outcome.error)
    note_host(*host, outcome);
  if (outcome.error || outcome.repeated) return;
  check_fences(command, outcome);
  check_preemption(command, outcome);
  follow_fences(command, outcome);
}

void Ledger::note_host(const RegisterHost& host, const Outcome& outcome) {
  HostId id;
  std::from_chars(outcome.entity.data(), outcome.entity.data() + outcome.entity.size(), id.value);
  names_[id] = host.name;
  sizes_[id][outcome.index] = host.resources;
}

const std::string& Ledger::host_name(HostId host) const {
  static const std::string nobody;
  const auto found = names_.find(host);
  return found == names_.end() ? nobody : found->second;
}

void Ledger::check_fences(const Command& command, const Outcome& outcome) {
  if (const auto* fence = std::get_if<EpochFence>(&command.fence)) {
    const auto owned = epochs_.find(fence->shard);
    if (owned != epochs_.end() && owned->second != fence->epoch)
      complain_("a former owner's command was taken: " + std::string(command_name(command)) + " at " +
                to_text(outcome.index));
  }
  const auto* report = std::get_if<ReportTasks>(&command.body);
  for (std::size_t n = 0; report != nullptr && n < report->parts.size(); ++n) {
    const auto open = sessions_.find(report->parts[n].host);
    if (!is_refused(outcome, n) && open != sessions_.end() && open->second != report->parts[n].session)
      complain_("a former session's report was taken at " + to_text(outcome.index));
  }
}

/// Within a group only a higher priority ends another's task, and only where the room is needed.
void Ledger::check_preemption(const Command& command, const Outcome& outcome) {
  const auto* body = std::get_if<PreemptTasks>(&command.body);
  for (std::size_t n = 0; body != nullptr && n < body->items.size(); ++n) {
    const auto waiting = tasks_.find(body->items[n].task);
    if (is_refused(outcome, n) || waiting == tasks_.end()) continue;
    const JobDescriptor& theirs = *waiting->second.descriptor;
    for (const Victim& victim : body->items[n].victims) {
      const auto found = tasks_.find(victim.task);
      if (found == tasks_.end()) continue;
      const JobDescriptor& its = *found->second.descriptor;
      if (found->second.host != HostId{} && found->second.host != body->items[n].host)
        complain_("a task was ended for another on a host where it is not, at " + to_text(outcome.index));
      if (its.capacity_group == theirs.capacity_group && priority_of(its) >= priority_of(theirs))
        complain_("a task was ended for another of no higher priority, at " + to_text(outcome.index));
    }
  }
}

void Ledger::follow_fences(const Command& command, const Outcome& outcome) {
  if (const auto* open = std::get_if<OpenSession>(&command.body)) sessions_[open->host] = open->session;
  if (const auto* close = std::get_if<CloseSessions>(&command.body)) {
    for (std::size_t n = 0; n < close->items.size(); ++n)
      if (!is_refused(outcome, n)) sessions_[close->items[n].host] = SessionId{};
  }
  if (const auto* assign = std::get_if<AssignShards>(&command.body)) {
    for (std::size_t n = 0; n < assign->moves.size(); ++n)
      if (!is_refused(outcome, n))
        epochs_[assign->moves[n].shard] = Epoch{assign->moves[n].expected.value + 1};
  }
}

const Event* Ledger::event_after(EventId id, std::size_t& hint) const {
  if (hint == 0 || hint > events_.size() || events_[hint - 1].id != id) {
    const auto next = std::upper_bound(events_.begin(), events_.end(), id,
                                       [](EventId at, const Event& event) { return at < event.id; });
    hint = static_cast<std::size_t>(next - events_.begin());
  }
  return hint == events_.size() ? nullptr : &events_[hint++];
}

const Event* Ledger::find_event(EventId id, std::size_t& hint) const {
  if (hint >= events_.size() || events_[hint].id != id) {
    const auto found = std::lower_bound(events_.begin(), events_.end(), id,
                                        [](const Event& event, EventId at) { return event.id < at; });
    hint = static_cast<std::size_t>(found - events_.begin());
  }
  return hint == events_.size() || events_[hint].id != id ? nullptr : &events_[hint++];
}

void Ledger::applied(const std::string& node, const Applied& applied, std::size_t& hint) {
  const Index before = last_;
  for (const Event& event : applied.events) {
    if (event.id.index <= before) {
      const Event* known = find_event(event.id, hint);
      if (known == nullptr || !same(*known, event))
        complain_(node + " tells another event than the first node did: " + text_of(event));
      continue;
    }
    if (!events_.empty() && event.id <= events_.back().id)
      complain_(node + " tells events out of order: " + text_of(event));
    else
      events_.push_back(event);
    hear(event);
  }
  if (last_ < applied.index) hint = events_.size();
  last_ = std::max(last_, applied.index);
}

void Ledger::hear(const Event& event) {
  if (told_) told_(event);
  switch (event.kind) {
    case EventKind::job_created:
    case EventKind::job_changed:
    case EventKind::job_archived:
      return hear_job(event);
    case EventKind::task_created:
    case EventKind::task_changed:
    case EventKind::task_archived:
      return hear_task(event);
    case EventKind::task_moved:
      return hear_move(event);
    default:
      return;
  }
}

void Ledger::hear_job(const Event& event) {
  if (event.kind == EventKind::job_created) {
    if (!jobs_.emplace(event.job, JobStory{}).second)
      return complain_("a job was created twice: " + text_of(event));
    ++live_jobs_;
    return;
  }
  const auto found = jobs_.find(event.job);
  if (found == jobs_.end()) return complain_("a job moves that was never created: " + text_of(event));
  JobStory& story = found->second;
  if (story.archived) complain_("an archived job moves: " + text_of(event));
  if (event.job_state != story.state) {
    if (!may_move(story.state, event.job_state)) complain_("a job moves backwards: " + text_of(event));
    marks_.reach(job_step_mark(story.state, event.job_state));
    story.state = event.job_state;
  }
  if (event.kind != EventKind::job_archived) return;
  if (event.job_state != JobState::finished) complain_("a job is archived alive: " + text_of(event));
  if (!std::exchange(story.archived, true)) --live_jobs_;
}

void Ledger::hear_task(const Event& event) {
  if (event.kind == EventKind::task_created) {
    if (!tasks_
             .emplace(event.task,
                      TaskStory{event.job, TaskState::accepted, {}, false, false, event.descriptor})
             .second)
      complain_("a task was created twice: " + text_of(event));
    else
      ++waiting_;
    const auto job = jobs_.find(event.job);
    if (job == jobs_.end() || job->second.archived)
      complain_("a task was created for a job that is not there: " + text_of(event));
    return;
  }
  const auto found = tasks_.find(event.task);
  if (found == tasks_.end()) return complain_("a task moves that was never created: " + text_of(event));
  if (found->second.archived) complain_("an archived task moves: " + text_of(event));
  if (event.task_state != found->second.state) move_task(found->second, event);
  if (event.kind != EventKind::task_archived) return;
  if (event.task_state != TaskState::finished) complain_("a task is archived alive: " + text_of(event));
  found->second.archived = true;
}

/// To another job: nothing else of it changes.
void Ledger::hear_move(const Event& event) {
  const auto found = tasks_.find(event.task);
  if (found == tasks_.end()) return complain_("a task moves that was never created: " + text_of(event));
  TaskStory& story = found->second;
  if (story.archived) complain_("an archived task moves: " + text_of(event));
  if (story.job != event.moved_from) complain_("a task leaves a job that it is not of: " + text_of(event));
  if (event.task_state != story.state || event.host != story.host)
    complain_("a task does not run on as it moves to another job: " + text_of(event));
  const auto job = jobs_.find(event.job);
  if (job == jobs_.end() || job->second.archived)
    complain_("a task moves to a job that is not there: " + text_of(event));
  if (!(event.descriptor->resources == story.descriptor->resources))
    complain_("a task moves to a job that asks for other resources: " + text_of(event));
  story.job = event.job;
  story.descriptor = event.descriptor;
}

void Ledger::move_task(TaskStory& story, const Event& event) {
  ++transitions_;
  if (!may_move(story.state, event.task_state)) complain_("a task moves backwards: " + text_of(event));
  if (event.task_before != story.state) complain_("a task moves from where it was not: " + text_of(event));
  marks_.reach(task_step_mark(story.state, event.task_state));
  const bool was_placed = story.host != HostId{};
  if (story.state == TaskState::accepted) --waiting_;
  if (was_placed) count_placed(story, -1);
  story.state = event.task_state;
  if (event.task_state == TaskState::kill_initiated) story.kill_asked = true;
  if (!was_placed && event.task_state == TaskState::launched) {
    story.host = event.host;
    take(story, event);
  }
  if (event.task_state == TaskState::started && !launched_.contains({event.task, host_name(event.host)}))
    complain_("a task is Started that was never launched on its host: " + text_of(event));
  if (story.host != HostId{}) count_placed(story, 1);
  if (event.task_state != TaskState::finished) return;
  marks_.reach(end_mark(event.reason));
  if (was_placed) booked_[story.host] -= story.descriptor->resources;
}

void Ledger::count_placed(const TaskStory& story, int by) {
  if (story.state == TaskState::finished) return;
  const bool is_order = story.state == TaskState::launched || story.state == TaskState::kill_initiated;
  Placed& placed = placed_[story.host];
  placed.tasks += static_cast<std::size_t>(by);
  placed.orders += is_order ? static_cast<std::size_t>(by) : 0;
}

Placed Ledger::placed(HostId host) const {
  const auto found = placed_.find(host);
  return found == placed_.end() ? Placed{} : found->second;
}

/// A host may say later that it has less than it was given: then it keeps what it has.
void Ledger::take(const TaskStory& story, const Event& event) {
  Resources& booked = booked_[story.host];
  booked += story.descriptor->resources;
  const auto& sizes = sizes_[story.host];
  const auto size = sizes.upper_bound(event.id.index);
  if (size == sizes.begin() || !booked.fits_into(std::prev(size)->second))
    complain_("host " + host_name(story.host) + " is given more than it has: " + text_of(event));
}

void Ledger::host_launches(const std::string& host, const agent::ContainerSpec& spec) {
  marks_.reach("driver launch");
  launched_.emplace(spec.task, host);
  const auto found = tasks_.find(spec.task);
  if (found == tasks_.end())
    return complain_(host + " starts a task that nobody created: " + to_text(spec.task));
  if (found->second.host == HostId{})
    complain_(host + " starts a task that nobody placed: " + to_text(spec.task));
}

void Ledger::host_stops(const std::string& host, const TaskId& task) {
  marks_.reach("driver stop");
  const auto found = tasks_.find(task);
  if (found == tasks_.end()) return complain_(host + " stops a task that nobody created: " + to_text(task));
  const TaskStory& story = found->second;
  if (story.state != TaskState::finished && !story.kill_asked)
    complain_(host + " was told to stop a task that nobody ended: " + to_text(task) + ", which is " +
              std::string(state_text(story.state)));
}

}  // namespace troupe::judges
