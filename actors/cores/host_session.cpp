// The session part of HostCore: from a link to a session in the log, and back.

#include <algorithm>

#include "actors/cores/host_state.hpp"

namespace troupe::cores {
namespace {
constexpr milliseconds retry_pause{500};
}  // namespace

void HostCore::State::handle(HostRound& round, const AgentUp&) {
  drop_link(round);
  link = Link::opening;
  session = random.uuid<SessionId>();
  link_since = round.now;
  is_open_taken = false;
  session_settling = false;
  session_at = round.now;
}

void HostCore::State::handle(HostRound& round, const AgentDown&) {
  if (link == Link::down) return;
  drop_link(round);
  consider_all(round);
}

/// Forgets what the agent said: the next session begins with a full report.
void HostCore::State::drop_link(HostRound& round) {
  if (!session.is_nil()) last_session = session;
  session = SessionId{};
  link = Link::down;
  dead_since = round.now;
  session_settling = false;
  session_at = round.now;
  for (const auto& stranger : strangers) agenda.set(stranger.first, std::nullopt);
  strangers.clear();
  for (auto& [id, task] : tasks) {
    task.reported.reset();
    task.is_missing = false;
    task.orders = 0;
    task.order_at = round.now;
  }
}

void HostCore::State::close_link(HostRound& round, std::string why) {
  round.effects.emplace_back(CloseLink{std::move(why)});
  drop_link(round);
  consider_all(round);
}

void HostCore::State::follow_record(HostRound& round) {
  const bool is_mine = !session.is_nil() && host.session == session;
  if (link == Link::opening && is_mine) {
    link = Link::welcomed;
    link_since = round.now;
    send(round, agent::Welcome{cell, session, index});
  } else if ((link == Link::welcomed || link == Link::reported) && !is_mine) {
    close_link(round, "the session was closed in the log");
  }
}

void HostCore::State::care_for_session(HostRound& round) {
  if (!host.set_aside.empty()) return;
  if (link == Link::opening || link == Link::welcomed) {
    if (link_since + full_report_max <= round.now)
      close_link(round, link == Link::opening ? "the session did not get into the log" : "no full report");
  }
  if (session_settling || session_at > round.now) return;
  if (link == Link::opening && !is_open_taken) {
    session_settling = true;
    propose(round, OpenSession{host.id, session, self}, {Outstanding::Kind::open, session, {}});
  } else if (link == Link::down && host.is_connected() && close_due() <= round.now) {
    session_settling = true;
    propose(round, CloseSessions{{{host.id, host.session}}}, {Outstanding::Kind::close, host.session, {}});
  }
}

/// Our own dead session at once; another node's, or an earlier life's, when its agent had time to dial us.
Instant HostCore::State::close_due() const {
  return host.session == last_session ? dead_since : dead_since + link_grace;
}

void HostCore::State::session_settled(HostRound& round, const Outstanding& proposal, const Settled& event) {
  const bool is_open = proposal.kind == Outstanding::Kind::open;
  if (is_open ? proposal.session != session : link != Link::down) return;  // of an earlier link
  session_settling = false;
  const bool is_refused = event.how == Settled::How::refused || !event.refused.empty();
  if (is_open && event.how == Settled::How::taken && !is_refused) {
    is_open_taken = true;  // the welcome follows the record
    return;
  }
  if (is_open && is_refused) return close_link(round, "the session was refused");
  // After a close that was taken the record's change is on its way.
  session_at = round.now + (event.how == Settled::How::taken ? repeat_first : retry_pause);
}

std::optional<Instant> HostCore::State::session_wake() const {
  if (!host.set_aside.empty()) return std::nullopt;
  std::optional<Instant> wake;
  if (link == Link::opening || link == Link::welcomed) wake = link_since + full_report_max;
  if (session_settling) return wake;
  if (link == Link::opening && !is_open_taken) wake = std::min(*wake, session_at);
  if (link == Link::down && host.is_connected()) wake = std::max(session_at, close_due());
  return wake;
}

std::optional<Instant> HostCore::State::lost_at() const {
  if (link != Link::down || host.is_connected() || !host.disconnected.is_set()) return std::nullopt;
  return host.disconnected + policy.host_lost_after;
}

}  // namespace troupe::cores
