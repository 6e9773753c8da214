// The part of HostCore that deals with reported tasks that do not live on this host by the state.

#include "actors/cores/host_state.hpp"
#include "storage/base/planted_bug.hpp"

namespace troupe::cores {
namespace {
constexpr milliseconds ask_pause{1'000};
constexpr milliseconds minute{60'000};
}  // namespace

void HostCore::State::meet(HostRound& round, const agent::TaskReport& report,
                           std::optional<Looked::Where> where) {
  auto known = strangers.find(report.task);
  if (known == strangers.end()) {
    if (strangers.size() >= strangers_max) {
      ++counts.dropped_reports;
      return;
    }
    known = strangers.emplace(report.task, Stranger{report, round.now, std::nullopt, {}, {}, 0}).first;
  } else if (known->second.reported.state < report.state) {
    known->second.reported = report;
  }
  if (where) known->second.where = where;
  consider(round, report.task);
}

void HostCore::State::handle(HostRound& round, const Looked& event) {
  for (const Looked::Item& item : event.tasks) {
    const auto known = strangers.find(item.task);
    if (known == strangers.end() || item.where == Looked::Where::here) continue;
    const bool is_unknown = item.where != Looked::Where::archived;
    if (!known->second.where && is_unknown) ++counts.unknown_found;
    known->second.where = item.where;
    consider(round, item.task);
  }
}

/// An end is acknowledged whoever's it was: nobody else waits for this agent's word. What still runs is
/// killed: at once if the state has ended it (a lost task that came back), else after the grace.
std::optional<Instant> HostCore::State::care_for(HostRound& round, const TaskId& id, Stranger& stranger,
                                                 bool& done) {
  if (link != Link::reported || !host.set_aside.empty()) return std::nullopt;
  if (planted(Bug::strangers_killed)) return kill_stranger(round, id, stranger);
  if (!stranger.where) {
    if (stranger.ask_at > round.now) return stranger.ask_at;
    round.lookups.push_back(id);
    stranger.ask_at = round.now + ask_pause;
    return stranger.ask_at;
  }
  if (stranger.reported.state == TaskState::finished) {
    round.acknowledged.push_back(id);
    done = true;
    return std::nullopt;
  }
  const bool is_archived = stranger.where == Looked::Where::archived;
  const Instant patience = stranger.since + stranger_grace;
  if (!is_archived && patience > round.now) return patience;
  return kill_stranger(round, id, stranger);
}

std::optional<Instant> HostCore::State::kill_stranger(HostRound& round, const TaskId& id,
                                                      Stranger& stranger) {
  if (stranger.order_at > round.now) return stranger.order_at;
  if (round.now - kills_since >= minute) {
    kills_since = round.now;
    kills_in_minute = 0;
  }
  if (kills_in_minute >= kills_per_minute) return kills_since + minute;
  ++kills_in_minute;
  if (stranger.orders == 0 && stranger.where != Looked::Where::archived) ++counts.unknown_killed;
  round.kills.push_back(id);
  stranger.order_at = round.now + order_pause(stranger.orders++);
  return stranger.order_at;
}

}  // namespace troupe::cores
