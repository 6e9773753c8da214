#pragma once
// An agent core on a bench: its effects are performed against a journal, a driver and a node made of
// containers.

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "actors/agent/agent_core.hpp"

namespace troupe::agent {

inline TaskId task_id(std::uint8_t number) {
  TaskId id;
  id.bytes[0] = number;
  id.bytes[15] = 7;
  return id;
}

inline SessionId session_id(std::uint8_t number) {
  SessionId id;
  id.bytes[0] = number;
  return id;
}

inline ContainerSpec spec_of(std::uint8_t number) {
  ContainerSpec spec;
  spec.task = task_id(number);
  spec.argv = {"/bin/true"};
  spec.kill_grace = milliseconds(1'500);
  return spec;
}

inline AgentConfig bench_config() {
  AgentConfig config;
  config.host = "host-1";
  config.bootstrap = {"a:1", "b:2", "c:3"};
  config.drivers = {"process"};
  return config;
}

/// What survives an agent's death.
struct Disk {
  std::map<Bytes, Bytes> journal;
  std::vector<std::pair<Bytes, Bytes>> entries() const { return {journal.begin(), journal.end()}; }
};

inline void write(Disk& disk, const JournalChanges& changes) {
  for (const JournalChange& change : changes) {
    if (change.value)
      disk.journal[change.key] = *change.value;
    else
      disk.journal.erase(change.key);
  }
}

class CoreBench {
 public:
  explicit CoreBench(AgentConfig config = bench_config()) : config_(std::move(config)) { restart({}); }

  void restart(const std::vector<TaskId>& adopted) {
    core.emplace(config_, Random(++seed_));
    const auto restored = core->restore(disk.entries());
    TROUPE_CHECK(restored.ok());
    wake.reset();
    on(Adopted{adopted});
  }

  Effects on(const Event& event) {
    Effects effects = core->on(Instant{1'000'000 + now.ns / 1'000'000}, now, event);
    for (const Effect& effect : effects) keep(effect);
    return effects;
  }
  Effects say(ToAgent message) { return on(NodeMessage{dial, std::move(message)}); }

  /// Link up and welcomed in that session.
  Effects welcome(std::uint8_t session, std::uint64_t index = 10, const std::string& cell = "cell-1") {
    on(LinkUp{dial});
    return say(Welcome{cell, session_id(session), Index{index}});
  }
  /// Advances to the wanted wake-up and ticks.
  Effects next_wake() {
    TROUPE_CHECK(wake.has_value());
    now = std::max(now, *wake);
    return on(Tick{});
  }
  Effects after(milliseconds wait) {
    now = now + wait;
    return on(Tick{});
  }
  Effects finished(std::uint8_t number, int exit_code = 0) {
    TaskReport report;
    report.task = task_id(number);
    report.state = TaskState::finished;
    report.reason = exit_code == 0 ? Reason::normal : Reason::failed;
    report.exit_code = exit_code;
    return on(DriverNews{report});
  }
  Effects started(std::uint8_t number) {
    TaskReport report;
    report.task = task_id(number);
    report.state = TaskState::started;
    return on(DriverNews{report});
  }

  std::optional<AgentCore> core;
  Disk disk;
  Moment now{1};
  std::optional<Moment> wake;
  std::uint64_t dial = 0;
  std::string address;

 private:
  void keep(const Effect& effect) {
    if (const auto* changes = std::get_if<WriteJournal>(&effect)) write(disk, changes->changes);
    if (const auto* wish = std::get_if<WakeAt>(&effect)) wake = wish->at;
    if (const auto* next = std::get_if<Dial>(&effect)) dial = next->dial, address = next->address;
  }
  AgentConfig config_;
  std::uint64_t seed_ = 0;
};

template <class Wanted>
std::vector<Wanted> all_of(const Effects& effects) {
  std::vector<Wanted> found;
  for (const Effect& effect : effects)
    if (const auto* wanted = std::get_if<Wanted>(&effect)) found.push_back(*wanted);
  return found;
}

template <class Wanted>
std::vector<Wanted> sent(const Effects& effects) {
  std::vector<Wanted> found;
  for (const SendToNode& send : all_of<SendToNode>(effects))
    if (const auto* wanted = std::get_if<Wanted>(&send.message)) found.push_back(*wanted);
  return found;
}

}  // namespace troupe::agent
