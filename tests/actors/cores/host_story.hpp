#pragma once

#include "actors/cores/host_core.hpp"

namespace troupe::test {

using namespace troupe::cores;

/// A host's core between a toy log and a toy agent. Effects of the last event are kept until the next one.
struct HostStory {
  HostStory() : core(NodeId{9}, "cell", Random(5)) {
    host.id = HostId{7};
    host.name = "web-7";
    host.disconnected = now;
    host.version = Index{1};
    JobDescriptor d;
    d.entry_point = {"/bin/run"};
    d.command = {"--fast"};
    d.image = {"app", "v1", ""};
    d.kill_grace = milliseconds(3'000);
    d.env["A"] = "1";
    descriptor = std::make_shared<const JobDescriptor>(d);
  }

  void tell(const HostEvent& event) { effects = core.on(now, index, event); }
  template <class E>
  std::vector<E> all() const {
    std::vector<E> found;
    for (const auto& effect : effects)
      if (const auto* e = std::get_if<E>(&effect)) found.push_back(*e);
    return found;
  }
  /// Orders of one kind that were sent.
  template <class Order>
  std::vector<Order> sent() const {
    std::vector<Order> found;
    for (const auto& e : all<SendToAgent>())
      if (const auto* order = std::get_if<Order>(&e.message)) found.push_back(*order);
    return found;
  }
  /// The only proposal of that body; remembered as the last one.
  template <class Body>
  Body proposed() {
    std::vector<Body> found;
    for (const auto& e : all<Propose>()) {
      if (const auto* body = std::get_if<Body>(&e.body)) {
        found.push_back(*body);
        number = e.number;
      }
    }
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? Body{} : found.front();
  }
  template <class Body>
  bool proposes() const {
    for (const auto& e : all<Propose>())
      if (std::holds_alternative<Body>(e.body)) return true;
    return false;
  }
  Instant wake() const { return all<WakeAt>().empty() ? Instant{} : all<WakeAt>().back().at; }
  void pass(milliseconds time) {
    now = now + time;
    tell(Wake{});
  }
  void settle(Settled::How how = Settled::How::taken, std::vector<ItemRefusal> refused = {}) {
    tell(Settled{number, how, ErrorCode::fenced, std::move(refused)});
  }

  TaskFacts task(std::uint8_t n, TaskState state) {
    TaskRecord t;
    t.id.bytes[0] = n;
    t.host = host.id;
    t.state = state;
    t.version = Index{++index.value};
    t.enter(state, {now, t.step(state).reason});
    return {t, descriptor};
  }
  static TaskId id(std::uint8_t n) {
    TaskId id;
    id.bytes[0] = n;
    return id;
  }
  agent::TaskReport said(std::uint8_t n, TaskState state) const {
    agent::TaskReport r;
    r.task = id(n);
    r.state = state;
    r.reason = state == TaskState::finished ? Reason::normal : Reason::none;
    return r;
  }
  void report(std::vector<agent::TaskReport> tasks, bool full = false) {
    tell(AgentSaid{agent::Report{session, full, std::move(tasks)}});
  }
  void move_host() {
    host.version = Index{++index.value};
    tell(HostMoved{host});
  }
  /// Activated with these tasks, linked and welcomed.
  void welcome(std::vector<TaskFacts> tasks = {}) {
    tell(Activated{host, policy, std::move(tasks)});
    link();
  }
  void link() {
    tell(AgentUp{});
    session = proposed<OpenSession>().session;
    host.session = session;
    host.session_node = NodeId{9};
    host.connected = now;
    host.disconnected = Instant{};
    move_host();
    EXPECT_EQ(sent<agent::Welcome>().size(), 1U);
    settle();
  }
  void disconnect() {
    host.session = SessionId{};
    host.disconnected = now;
    move_host();
  }

  Instant now{10'000'000};
  Index index{100};
  HostRecord host;
  CellPolicy policy;
  DescriptorPtr descriptor;
  SessionId session;
  HostCore core;
  HostEffects effects;
  std::uint64_t number = 0;
};

}  // namespace troupe::test
