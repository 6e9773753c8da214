#include "actors/agent/agent_core.hpp"

#include "storage/base/planted_bug.hpp"
#include "storage/model/isolation.hpp"

namespace troupe::agent {
namespace {

constexpr std::string_view meta_key = "meta";

struct Meta {
  std::string cell;
  SessionId session;
  Index highest;
  static constexpr auto fields() {
    return field_list(field("cell", &Meta::cell), field("session", &Meta::session),
                      field("highest", &Meta::highest));
  }
};

TaskReport unrun(const TaskId& task, Reason reason, std::string message, Instant wall) {
  return {.task = task,
          .state = TaskState::finished,
          .reason = reason,
          .message = std::move(message),
          .at = wall};
}

void keep_earlier(std::optional<Moment>& first, const std::optional<Moment>& other) {
  if (other && (!first || *other < *first)) first = other;
}

}  // namespace

struct AgentCore::Now {
  Instant wall;
  Moment moment;
  Effects effects;
};

AgentCore::AgentCore(AgentConfig config, Random random)
    : config_(std::move(config)),
      random_(random),
      link_(config_.bootstrap, config_.link),
      book_(config_.settled_max) {}

Result<void> AgentCore::restore(const std::vector<std::pair<Bytes, Bytes>>& entries) {
  for (const auto& [key, value] : entries) {
    if (TaskBook::is_task_key(key)) {
      if (auto restored = book_.restore(key, value); !restored.ok()) return restored;
      continue;
    }
    if (key != meta_key) return Error{ErrorCode::corrupt, "the agent's journal has an unknown key"};
    auto found = unpacked<Meta>(value);
    if (!found.ok()) return found.error();
    cell_ = found.value().cell;
    last_session_ = found.value().session;
    highest_ = found.value().highest;
  }
  return {};
}

Effects AgentCore::on(Instant wall, Moment now, const Event& event) {
  Now step{wall, now, {}};
  std::visit([&](const auto& alternative) { handle(step, alternative); }, event);
  arm(step);
  return std::move(step.effects);
}

AgentStatus AgentCore::status() const {
  AgentStatus status = counts_;
  status.link = link_.phase();
  status.address = link_.address();
  status.cell = cell_;
  status.session = session_;
  status.highest_index = highest_;
  status.live = book_.count(TaskPhase::live);
  status.ended = book_.count(TaskPhase::ended);
  status.settled = book_.count(TaskPhase::settled);
  status.log_reads = calls_.size();
  return status;
}

// ---- link ----
void AgentCore::handle(Now& now, const LinkUp& event) {
  if (!link_.is_current(event.dial) || link_.phase() != LinkPlan::Phase::dialling) return;
  link_.up(now.moment);
  send(now, hello());
}

Hello AgentCore::hello() const {
  Hello hello{config_.host,      config_.host_group, cell_,          highest_,
              config_.resources, config_.attributes, config_.drivers};
  if (problems_.empty()) return hello;
  hello.drivers.clear();
  std::string& why = hello.attributes[std::string(health_attribute)];
  why.clear();
  for (const std::string& problem : problems_) why.append(why.empty() ? "" : "; ").append(problem);
  why.resize(std::min(why.size(), health_bytes_max));
  return hello;
}

void AgentCore::handle(Now& now, const LinkDown& event) {
  if (!link_.is_current(event.dial)) return;
  lose_session();
  link_.down(now.moment, random_);
}

void AgentCore::handle(Now& now, const NodeMessage& event) {
  if (!link_.is_current(event.dial)) return;
  std::visit([&](const auto& order) { obey(now, order); }, event.message);
}

void AgentCore::lose_session() {
  session_ = {};
  calls_.clear();
  changed_.clear();  // The next session begins with a full report.
  report_at_.reset();
  repeat_at_.reset();
  full_at_.reset();
}

void AgentCore::obey(Now& now, const Redirect& order) {
  lose_session();
  const std::uint64_t old = link_.dial();
  if (const auto next = link_.redirected(now.moment, order.address, random_))
    now.effects.push_back(Dial{next->dial, next->address});
  else
    now.effects.push_back(HangUp{old});
}

void AgentCore::obey(Now& now, const Refused& order) {
  ++counts_.refused_by_node;
  counts_.last_refusal = "the node at " + link_.address() + " refused this host: " + order.reason;
  lose_session();
  link_.refused(now.moment, random_);
  now.effects.push_back(HangUp{link_.dial()});
}

void AgentCore::obey(Now& now, const Welcome& order) {
  if (order.session.is_nil() || order.cell.empty() || (!cell_.empty() && order.cell != cell_)) {
    ++counts_.refused_other_cell;
    counts_.last_refusal =
        "this host belongs to cell '" + cell_ + "', but " + link_.address() + " is of '" + order.cell + "'";
    lose_session();
    link_.refused(now.moment, random_);
    now.effects.push_back(HangUp{link_.dial()});
    return;
  }
  lose_session();
  link_.welcomed();
  cell_ = order.cell;
  session_ = last_session_ = order.session;
  // The session itself is in the log there, so that no honest order of it comes from an older state.
  highest_ = std::max(highest_, order.index);
  write(now, {meta()});
  report_full(now);
}

// ---- orders ----
bool AgentCore::is_of_session(const SessionId& session) {
  if (!session_.is_nil() && session == session_) return true;
  ++counts_.refused_session;
  counts_.last_refusal = "an order of session " + to_text(session) + " came in session " + to_text(session_);
  return false;
}

void AgentCore::raise_index(Index index, JournalChanges& journal) {
  if (index <= highest_) return;
  highest_ = index;
  journal.push_back(meta());
}

void AgentCore::obey(Now& now, const Launch& order) {
  if (!is_of_session(order.session)) return;
  JournalChanges journal;
  Effects launches;
  raise_index(order.index, journal);
  for (const ContainerSpec& spec : order.tasks) take_launch(now, spec, journal, launches);
  // Durable before it runs: whatever happens next, nobody launches it again.
  write(now, std::move(journal));
  for (Effect& launch : launches) now.effects.push_back(std::move(launch));
}

bool AgentCore::isolates_enough(const ContainerSpec& spec) const {
  for (const std::string& driver : config_.drivers)
    if (is_driver_enough(driver, spec.image, spec.attributes)) return true;
  return false;
}

void AgentCore::take_launch(Now& now, const ContainerSpec& spec, JournalChanges& journal, Effects& launches) {
  if (book_.find(spec.task)) {
    if (planted(Bug::launched_again)) launches.push_back(LaunchTask{spec});
    ++counts_.repeated_launches;
  } else if (book_.count(TaskPhase::live) + book_.count(TaskPhase::ended) >= config_.tasks_max) {
    ++counts_.refused_limit;
    const auto refusal =
        unrun(spec.task, Reason::local_system_error,
              "the host knows " + std::to_string(config_.tasks_max) + " tasks already", now.wall);
    book_.settle(book_.end_unrun(spec, refusal, journal), journal);
  } else if (!isolates_enough(spec)) {
    ++counts_.refused_isolation;
    book_.end_unrun(spec,
                    unrun(spec.task, Reason::local_system_error,
                          "this host has no driver that isolates as much as the job asks for", now.wall),
                    journal);
  } else if (spec.argv.empty()) {
    book_.end_unrun(spec, unrun(spec.task, Reason::invalid_request, "there is no command to run", now.wall),
                    journal);
  } else {
    ++counts_.launches;
    launches.push_back(LaunchTask{book_.accept(spec, now.wall, journal).record.spec});
  }
  changed(now, spec.task);
}

void AgentCore::obey(Now& now, const Kill& order) {
  if (!is_of_session(order.session)) return;
  if (order.index < highest_) {
    ++counts_.refused_index;
    counts_.last_refusal =
        "a kill order of log index " + to_text(order.index) + " came after index " + to_text(highest_);
    return;
  }
  JournalChanges journal;
  Effects stops;
  raise_index(order.index, journal);
  for (const TaskId& task : order.tasks) take_kill(now, task, journal, stops);
  write(now, std::move(journal));
  for (Effect& stop : stops) now.effects.push_back(std::move(stop));
}

void AgentCore::take_kill(Now& now, const TaskId& task, JournalChanges& journal, Effects& stops) {
  ++counts_.kills;
  KnownTask* known = book_.find(task);
  if (known && known->record.phase == TaskPhase::live) {
    stops.push_back(StopTask{task, known->record.spec.kill_grace});
    return;
  }
  if (!known) {
    ++counts_.unknown_kills;
    ContainerSpec spec;
    spec.task = task;
    // Remembered as settled: the node repeats its order until it has heard, and a late launch must not start
    // it.
    const auto lost = unrun(task, Reason::lost, "this host does not know the task", now.wall);
    book_.settle(book_.end_unrun(spec, lost, journal), journal);
  }
  changed(now, task);
}

void AgentCore::obey(Now& now, const Acknowledge& order) {
  if (!is_of_session(order.session)) return;
  JournalChanges journal;
  for (const TaskId& task : order.tasks) {
    KnownTask* known = book_.find(task);
    if (!known || known->record.phase != TaskPhase::ended) continue;
    // The driver forgets first: the other way round, a crash in between would bring the task back as unknown.
    now.effects.push_back(DiscardTask{task});
    changed_.erase(task);
    book_.settle(*known, journal);
  }
  write(now, std::move(journal));
}

void AgentCore::obey(Now& now, const Call& order) {
  // A call may overtake the welcome of the session that the cell has opened; silence would cost its asker the
  // whole patience.
  if (session_.is_nil())
    return send(now, LogCalls::refusal(order, {ErrorCode::unavailable, "this host has no session yet"}));
  auto next = calls_.begin(now.moment, order);
  if (const auto* read = std::get_if<LogCalls::Read>(&next))
    now.effects.push_back(ReadLog{*read});
  else
    send(now, std::get<CallAnswer>(std::move(next)));
}

// ---- driver ----
void AgentCore::handle(Now& now, const DriverNews& event) {
  const TaskReport& report = event.report;
  JournalChanges journal;
  KnownTask* known = book_.find(report.task);
  if (known && known->record.phase == TaskPhase::settled) {
    // Its acknowledgement was journaled, but the driver heard nothing of it before the agent died.
    if (report.state == TaskState::finished) now.effects.push_back(DiscardTask{report.task});
    return;
  }
  if (!known) known = &book_.found(report.task, now.wall, journal);
  const bool unheard = planted(Bug::end_unheard) && session_.is_nil();
  if (unheard || !may_move(known->latest.state, report.state)) return write(now, std::move(journal));
  known->latest = report;
  if (report.state == TaskState::finished) {
    book_.end(*known, report, journal);
    calls_.wake(now.moment, report.task);
  }
  write(now, std::move(journal));
  changed(now, report.task);
}

void AgentCore::handle(Now& now, const Adopted& event) {
  if (is_adopted_) return;
  is_adopted_ = true;
  JournalChanges journal;
  for (const TaskId& task : event.tasks) {
    KnownTask* known = book_.find(task);
    if (!known) known = &book_.found(task, now.wall, journal);
    known->is_with_driver = true;
    // A settled one left behind: its driver was to forget it when the agent died.
    if (known->record.phase == TaskPhase::settled) now.effects.push_back(DiscardTask{task});
  }
  for (auto& [task, known] : book_.all()) {
    if (known.record.phase != TaskPhase::live || known.is_with_driver) continue;
    // Whether it ever ran is unknown (the agent, or the whole host, died in between): never launch it again.
    book_.end(
        known,
        unrun(task, Reason::lost, "the agent restarted and its driver does not know the task", now.wall),
        journal);
  }
  write(now, std::move(journal));
  const auto next = link_.dial_next(now.moment);
  now.effects.push_back(Dial{next.dial, next.address});
}

void AgentCore::handle(Now& now, const HostProbed& event) {
  const bool is_news = problems_.empty() != event.problems.empty();
  problems_ = event.problems;
  if (!is_news || !is_adopted_) return;
  const bool is_up = link_.phase() == LinkPlan::Phase::greeting || link_.phase() == LinkPlan::Phase::welcomed;
  if (!is_up) return;
  // What a host offers it says once, at the begin of a link.
  lose_session();
  now.effects.push_back(HangUp{link_.dial()});
  link_.down(now.moment, random_);
}

void AgentCore::handle(Now& now, const LogRead& event) {
  if (auto answer = calls_.finish(now.moment, event.call, event.outcome)) send(now, std::move(*answer));
}

// ---- time ----
void AgentCore::handle(Now& now, const Tick&) {
  armed_.reset();
  if (!is_adopted_) return;
  follow_link_deadline(now);
  follow_report_deadlines(now);
  for (const LogCalls::Read& read : calls_.due(now.moment)) now.effects.push_back(ReadLog{read});
}

void AgentCore::follow_link_deadline(Now& now) {
  if (!link_.is_due(now.moment)) return;
  if (link_.phase() == LinkPlan::Phase::waiting) {
    const auto next = link_.dial_next(now.moment);
    now.effects.push_back(Dial{next.dial, next.address});
    return;
  }
  now.effects.push_back(HangUp{link_.dial()});
  link_.down(now.moment, random_);
}

void AgentCore::follow_report_deadlines(Now& now) {
  if (session_.is_nil()) return;
  if (full_at_ && *full_at_ <= now.moment) return report_full(now);
  if (repeat_at_ && *repeat_at_ <= now.moment) {
    repeat_at_.reset();
    for (const auto& [task, known] : book_.all())
      if (known.record.phase == TaskPhase::ended) changed(now, task);
  }
  if (report_at_ && *report_at_ <= now.moment) report_changes(now);
}

void AgentCore::changed(Now& now, const TaskId& task) {
  if (session_.is_nil()) return;
  changed_.insert(task);
  if (!report_at_) report_at_ = now.moment + config_.report_delay;
}

void AgentCore::report_full(Now& now) {
  Report report{session_, true, {}};
  for (const auto& [task, known] : book_.all())
    if (known.record.phase != TaskPhase::settled || changed_.contains(task))
      report.tasks.push_back(known.latest);
  changed_.clear();
  report_at_.reset();
  full_at_ = now.moment + config_.full_every;
  repeat_at_ = now.moment + config_.repeat_every;
  ++counts_.reports;
  send(now, std::move(report));
}

void AgentCore::report_changes(Now& now) {
  report_at_.reset();
  Report report{session_, false, {}};
  const auto ship = [&] {
    ++counts_.reports;
    send(now, std::move(report));
    report = {session_, false, {}};
  };
  for (const TaskId& task : changed_) {
    const KnownTask* known = book_.find(task);
    if (!known) continue;  // settled and forgotten since
    report.tasks.push_back(known->latest);
    if (report.tasks.size() >= config_.report_tasks_max) ship();
  }
  changed_.clear();
  if (!report.tasks.empty()) ship();
  if (!repeat_at_) repeat_at_ = now.moment + config_.repeat_every;
}

void AgentCore::arm(Now& now) {
  std::optional<Moment> first = is_adopted_ ? link_.deadline() : std::nullopt;
  keep_earlier(first, report_at_);
  if (book_.count(TaskPhase::ended) > 0) keep_earlier(first, repeat_at_);
  keep_earlier(first, full_at_);
  keep_earlier(first, calls_.deadline());
  if (!first || first == armed_) return;
  armed_ = first;
  now.effects.push_back(WakeAt{*first});
}

// ---- effects ----
void AgentCore::write(Now& now, JournalChanges journal) {
  if (!journal.empty()) now.effects.push_back(WriteJournal{std::move(journal)});
}

void AgentCore::send(Now& now, FromAgent message) {
  now.effects.push_back(SendToNode{link_.dial(), std::move(message)});
}

JournalChange AgentCore::meta() const {
  return {Bytes(meta_key), packed(Meta{cell_, last_session_, highest_})};
}

}  // namespace troupe::agent
