// Who asks something of the cell: clients, and its operator.

#include <algorithm>

#include "storage/base/msgpack.hpp"
#include "tests/storage/replica/life/life.hpp"

namespace troupe {
namespace {

constexpr std::int64_t operate_us = 150'000;
constexpr milliseconds read_patience_max{400};

}  // namespace

void Life::clients_act() {
  if (healed_) return;
  Host* host = random_.chance(60) ? leader() : &any(random_);
  if (host != nullptr && host->acts()) {
    guarded(*host, [this](Host& at) {
      const auto roll = random_.below(100);
      if (roll < 55)
        clients_.act(random_, door_of(at));
      else if (roll < 80)
        propose_filler(at);
      else
        (void)read(at, next_token_++);
    });
    if (host->up()) flush_soon(*host);
  }
  later(random_.between(1, 2 * tunables_.client_us), [this] { clients_act(); });
}

void Life::propose_filler(Host& host) {
  std::vector<Blob> batch(1 + random_.below(tunables_.batch_max));
  for (Blob& command : batch) command = Blob("filler " + std::to_string(next_filler_++));
  (void)host.driver().propose(batch, now_of(host)).ok();
}

bool Life::read(Host& host, raft::ReadToken token) {
  const Now now = now_of(host);
  const milliseconds patience(random_.between(1, read_patience_max.count()));
  if (!host.driver().read(token, now.steady + patience).ok()) return false;
  host.reads.insert(token);
  judge_.read_begins(token);
  return true;
}

raft::test::Clients::Door Life::door_of(Host& host) {
  const auto propose = [this,
                        &host](const raft::test::Command& write) -> std::optional<std::pair<Index, Term>> {
    // What only the newer build can mean may be said once the state's level allows it.
    const std::uint32_t level = std::min(host.machine.state_.level, host.machine.options_.level_known);
    const MachineCommand command{write, level, 0};
    const auto index = host.driver().propose(std::vector<Blob>{Blob(packed(command))}, now_of(host));
    if (!index.ok()) return std::nullopt;
    return std::pair(index.value(), host.driver().term());
  };
  return {host.life(), propose, [this, &host](raft::ReadToken token) { return read(host, token); }};
}

// The cell's feature level is raised when every member's build knows the next one, as far as the leader has
// heard.
void Life::operate() {
  if (healed_) return;
  Host* leads = leader();
  if (leads != nullptr && leads->acts() && leads->machine.state_.level == 0) {
    const raft::Membership members = leads->driver().status().membership;
    const auto levels = leads->driver().levels();
    const auto knows = [&](NodeId id) { return levels.contains(id) && levels.at(id) > 0; };
    if (std::ranges::all_of(members.voters, knows) && std::ranges::all_of(members.learners, knows) &&
        random_.chance(30)) {
      guarded(*leads, [this](Host& at) {
        (void)at.driver().propose(std::vector<Blob>{Blob(packed(MachineCommand{{}, 0, 1}))}, now_of(at)).ok();
        flush_soon(at);
      });
    }
  }
  later(operate_us, [this] { operate(); });
}

}  // namespace troupe
