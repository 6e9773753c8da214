// The part of HostCore that brings the state and the agent together over the tasks of this host.

#include <algorithm>

#include "actors/cores/container_spec.hpp"
#include "actors/cores/host_state.hpp"

namespace troupe::cores {
namespace {

constexpr milliseconds refused_pause{1'000};

std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

bool was_running(TaskState state) {
  return state == TaskState::start_initiated || state == TaskState::started;
}

ReportTasks::Status status_of(const agent::TaskReport& report) {
  return {report.task, report.state, report.reason, report.exit_code, report.signal, report.message};
}

}  // namespace

milliseconds order_pause(std::uint32_t orders) {
  auto pause = HostCore::repeat_first;
  for (; orders > 0 && pause < HostCore::repeat_max; --orders) pause *= 2;
  return std::min(pause, HostCore::repeat_max);
}

void HostCore::State::consider(HostRound& round, const TaskId& id) {
  std::optional<Instant> next;
  if (const auto task = tasks.find(id); task != tasks.end()) {
    next = care_for(round, task->second);
  } else if (const auto stranger = strangers.find(id); stranger != strangers.end()) {
    bool done = false;
    next = care_for(round, id, stranger->second, done);
    if (done) strangers.erase(stranger);
  }
  if (next) next = std::max(*next, round.now + milliseconds(1));
  agenda.set(id, next);
}

void HostCore::State::consider_all(HostRound& round) {
  std::vector<TaskId> all;
  all.reserve(tasks.size() + strangers.size());
  for (const auto& task : tasks) all.push_back(task.first);
  for (const auto& stranger : strangers) all.push_back(stranger.first);
  agenda.clear();
  for (const TaskId& id : all) consider(round, id);
}

std::optional<Instant> HostCore::State::care_for(HostRound& round, HostTask& task) {
  if (!host.set_aside.empty() || !task.facts.task.set_aside.empty()) return std::nullopt;
  std::optional<Instant> wake;
  if (const auto lost = lost_at()) {
    if (*lost > round.now) return lost;
    const auto silent = (round.now - host.disconnected).count() / 1'000;
    return declare_lost(round, task,
                        "host " + host.name + " was silent for " + std::to_string(silent) + " s");
  }
  const bool is_reported = link == Link::reported;
  if (is_reported && task.is_missing && was_running(task.facts.task.state))
    return declare_lost(round, task, "not on its host: the agent of " + host.name + " does not know it");
  if (is_reported || link == Link::welcomed) wake = pass_on(round, task);
  if (is_reported) wake = earlier(wake, order(round, task));
  return wake;
}

std::optional<Instant> HostCore::State::declare_lost(HostRound& round, HostTask& task, std::string message) {
  if (task.is_settling) return std::nullopt;
  if (task.propose_at > round.now) return task.propose_at;
  task.is_settling = true;
  task.proposed = TaskState::finished;
  round.lost.push_back({task.facts.task.id, host.id, Reason::lost, std::move(message)});
  return std::nullopt;
}

/// The agent's word into the log. In order per task: one proposal of it at a time, and the latest word wins.
std::optional<Instant> HostCore::State::pass_on(HostRound& round, HostTask& task) {
  if (!task.reported || task.is_settling || task.reported->state <= task.facts.task.state)
    return std::nullopt;
  if (task.propose_at > round.now && task.reported->state <= task.proposed) return task.propose_at;
  task.is_settling = true;
  task.proposed = task.reported->state;
  round.statuses.push_back(status_of(*task.reported));
  return std::nullopt;
}

std::optional<Instant> HostCore::State::order(HostRound& round, HostTask& task) {
  const TaskRecord& record = task.facts.task;
  const bool launch = record.state == TaskState::launched && !task.reported;
  const bool has_ended = task.reported && task.reported->state == TaskState::finished;
  const bool kill = record.state == TaskState::kill_initiated && !has_ended;
  if (!launch && !kill) return std::nullopt;
  if (task.order_at > round.now) return task.order_at;
  if (launch) round.launches.push_back(container_spec(record, *task.facts.descriptor));
  if (kill) round.kills.push_back(record.id);
  if (task.orders > 0) ++counts.repeated_orders;
  task.order_at = round.now + order_pause(task.orders++);
  return task.order_at;
}

void HostCore::State::take_report(HostRound& round, const agent::Report& report) {
  if (!report.full) {
    for (const auto& status : report.tasks) take_status(round, status);
    return;
  }
  std::set<TaskId> mentioned;
  for (const auto& status : report.tasks) mentioned.insert(status.task);
  for (auto& [id, task] : tasks) {
    if (mentioned.count(id) != 0) continue;
    task.is_missing = true;
    task.reported.reset();
  }
  std::erase_if(strangers, [&](const auto& stranger) { return mentioned.count(stranger.first) == 0; });
  link = Link::reported;
  for (const auto& status : report.tasks) take_status(round, status);
  consider_all(round);
}

void HostCore::State::take_status(HostRound& round, const agent::TaskReport& report) {
  const auto known = tasks.find(report.task);
  if (known == tasks.end()) return meet(round, report, std::nullopt);
  HostTask& task = known->second;
  task.is_missing = false;
  if (!task.reported || task.reported->state < report.state) task.reported = report;
  consider(round, report.task);
}

void HostCore::State::tasks_settled(HostRound& round, const Outstanding& proposal, const Settled& event) {
  std::set<std::uint32_t> refused;
  for (const ItemRefusal& item : event.refused) refused.insert(item.item);
  for (std::size_t i = 0; i < proposal.tasks.size(); ++i) {
    const auto known = tasks.find(proposal.tasks[i]);
    if (known == tasks.end()) continue;
    HostTask& task = known->second;
    task.is_settling = false;
    const bool is_taken =
        event.how == Settled::How::taken && refused.count(static_cast<std::uint32_t>(i)) == 0;
    // What was taken shows in the record in a moment; what was not is looked at again after a pause.
    task.propose_at = round.now + (is_taken ? repeat_first : refused_pause);
    consider(round, proposal.tasks[i]);
  }
}

}  // namespace troupe::cores
