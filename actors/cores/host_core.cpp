#include "actors/cores/host_core.hpp"

#include <algorithm>

#include "actors/cores/host_state.hpp"

namespace troupe::cores {

HostCore::HostCore(NodeId self, std::string cell, Random random)
    : state_(std::make_unique<State>(self, std::move(cell), random)) {}
HostCore::~HostCore() = default;
HostCore::HostCore(HostCore&&) noexcept = default;
HostCore& HostCore::operator=(HostCore&&) noexcept = default;

HostEffects HostCore::on(Instant now, Index index, const HostEvent& event) {
  HostRound round;
  round.now = now;
  state_->index = std::max(state_->index, index);
  std::visit([&](const auto& e) { state_->handle(round, e); }, event);
  if (!state_->is_activated) return {};
  while (const auto due = state_->agenda.take(now)) state_->consider(round, *due);
  state_->care_for_session(round);
  state_->flush(round);
  state_->arm(round);
  return std::move(round.effects);
}

HostStatus HostCore::status() const {
  HostStatus status = state_->counts;
  status.link = state_->link;
  status.tasks = state_->tasks.size();
  status.strangers = state_->strangers.size();
  return status;
}

void HostCore::State::handle(HostRound& round, const Activated& event) {
  host = event.host;
  policy = event.policy;
  if (!is_activated) dead_since = round.now;
  is_activated = true;
  std::map<TaskId, HostTask> before;
  before.swap(tasks);
  for (const TaskFacts& facts : event.tasks) {
    auto known = before.extract(facts.task.id);
    HostTask& task = tasks[facts.task.id];
    if (!known.empty()) task = std::move(known.mapped());
    task.facts = facts;
    strangers.erase(facts.task.id);
  }
  // What went unseen meanwhile, an ended container among it, is asked for like any other stranger.
  for (const auto& [id, task] : before)
    if (task.reported) meet(round, *task.reported, std::nullopt);
  follow_record(round);
  consider_all(round);
}

void HostCore::State::handle(HostRound& round, const TaskMoved& event) {
  const TaskId& id = event.facts.task.id;
  auto [at, is_new] = tasks.try_emplace(id);
  HostTask& task = at->second;
  if (!is_new && event.facts.task.version < task.facts.task.version) return;
  if (is_new || task.facts.task.state != event.facts.task.state) {
    task.orders = 0;
    task.order_at = round.now;
  }
  task.facts = event.facts;
  if (const auto stranger = strangers.find(id); stranger != strangers.end()) {
    task.reported = stranger->second.reported;
    strangers.erase(stranger);
  }
  consider(round, id);
}

void HostCore::State::handle(HostRound& round, const TaskGone& event) {
  const auto known = tasks.find(event.task);
  if (known == tasks.end()) return;
  const auto reported = known->second.reported;
  tasks.erase(known);
  agenda.set(event.task, std::nullopt);
  if (!reported) return;
  // Ended by the state: the agent must hear of it, or stop what it still runs.
  meet(round, *reported, Looked::Where::archived);
}

void HostCore::State::handle(HostRound& round, const HostMoved& event) {
  if (event.host.version < host.version) return;
  const bool was_connected = host.is_connected();
  host = event.host;
  follow_record(round);
  if (was_connected != host.is_connected()) consider_all(round);
}

void HostCore::State::handle(HostRound& round, const PolicyMoved& event) {
  policy = event.policy;
  consider_all(round);
}

void HostCore::State::handle(HostRound& round, const AgentSaid& event) {
  const bool is_welcomed = link == Link::welcomed || link == Link::reported;
  if (!is_welcomed || event.report.session != session) {
    ++counts.dropped_reports;
    return;
  }
  ++counts.reports;
  take_report(round, event.report);
}

void HostCore::State::handle(HostRound& round, const Settled& event) {
  const auto at = outstanding.find(event.number);
  if (at == outstanding.end()) return;
  const Outstanding proposal = std::move(at->second);
  outstanding.erase(at);
  switch (proposal.kind) {
    case Outstanding::Kind::open:
    case Outstanding::Kind::close:
      return session_settled(round, proposal, event);
    case Outstanding::Kind::report:
    case Outstanding::Kind::end:
      return tasks_settled(round, proposal, event);
  }
}

void HostCore::State::handle(HostRound&, const Wake&) { armed.reset(); }

namespace {

/// Calls with consecutive pieces of at most HostCore::batch_max items.
template <class T, class Call>
void in_batches(std::vector<T>& all, Call call) {
  for (std::size_t from = 0; from < all.size(); from += HostCore::batch_max) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last =
        all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), from + HostCore::batch_max));
    call(std::vector<T>(std::make_move_iterator(first), std::make_move_iterator(last)));
  }
}

template <class Items>
std::vector<TaskId> tasks_of(const Items& items) {
  std::vector<TaskId> tasks;
  tasks.reserve(items.size());
  for (const auto& item : items) tasks.push_back(item.task);
  return tasks;
}

}  // namespace

void HostCore::State::flush(HostRound& round) {
  in_batches(round.statuses, [&](std::vector<ReportTasks::Status> piece) {
    Outstanding what{Outstanding::Kind::report, session, tasks_of(piece)};
    propose(round, ReportTasks{{{host.id, session, std::move(piece)}}}, std::move(what));
  });
  in_batches(round.lost, [&](std::vector<EndTasks::Item> piece) {
    counts.declared_lost += piece.size();
    Outstanding what{Outstanding::Kind::end, {}, tasks_of(piece)};
    propose(round, EndTasks{std::move(piece)}, std::move(what));
  });
  in_batches(round.lookups,
             [&](std::vector<TaskId> piece) { round.effects.emplace_back(Lookup{std::move(piece)}); });
  if (link != Link::reported) return;
  in_batches(round.acknowledged, [&](std::vector<TaskId> piece) {
    counts.acknowledged += piece.size();
    send(round, agent::Acknowledge{session, std::move(piece)});
  });
  in_batches(round.kills, [&](std::vector<TaskId> piece) {
    counts.kills += piece.size();
    send(round, agent::Kill{session, index, std::move(piece)});
  });
  in_batches(round.launches, [&](std::vector<agent::ContainerSpec> piece) {
    counts.launches += piece.size();
    send(round, agent::Launch{session, index, std::move(piece)});
  });
}

void HostCore::State::send(HostRound& round, agent::ToAgent message) {
  round.effects.emplace_back(SendToAgent{std::move(message)});
}

void HostCore::State::propose(HostRound& round, CommandBody body, Outstanding what) {
  outstanding.emplace(++count, std::move(what));
  round.effects.emplace_back(Propose{count, std::move(body)});
}

bool HostCore::State::is_idle() const {
  return link == Link::down && outstanding.empty() && strangers.empty() && tasks.empty() &&
         !host.is_connected();
}

void HostCore::State::arm(HostRound& round) {
  if (is_idle()) {
    round.effects.emplace_back(Rest{});
    return;
  }
  std::optional<Instant> wake = agenda.first();
  if (const auto other = session_wake(); other && (!wake || *other < *wake)) wake = other;
  if (!wake || wake == armed) return;
  armed = wake;
  round.effects.emplace_back(WakeAt{*wake});
}

}  // namespace troupe::cores
