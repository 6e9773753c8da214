// What strikes a simulation, and how a failing list of it is made short.

#include <algorithm>

#include "tests/storage/raft/durable/simulation.hpp"

namespace troupe::raft::test {

namespace {
constexpr const char* kind_names[fault_kinds] = {"crash",       "crash_hard", "fail_sync", "fail_write",
                                                 "fail_flush",  "disk_full",  "flip_bit",  "tear_record",
                                                 "lose_record", "cut",        "heal",      "links",
                                                 "fast_clock",  "stall",      "transfer",  "change"};
constexpr std::size_t voters_min = 3, machines_max = 8;
}  // namespace

std::string text_of(const Fault& fault) {
  return std::string(kind_names[static_cast<std::size_t>(fault.kind)]) + "@" + std::to_string(fault.at);
}

std::vector<Fault> faults_of(std::uint64_t seed, std::uint64_t events) {
  Random random(seed ^ 0x6661756c7473u);
  std::vector<Fault> faults(random.below(1 + events / (20 + random.below(200))));
  for (Fault& fault : faults) {
    fault = {random.below(events), static_cast<FaultKind>(random.below(fault_kinds)), random.next()};
  }
  std::sort(faults.begin(), faults.end(), [](const Fault& a, const Fault& b) { return a.at < b.at; });
  return faults;
}

void DurableSimulation::strike(const Fault& fault) {
  Random random(fault.seed);
  Machine& machine = any(random);
  ++counts_.faults[static_cast<std::size_t>(fault.kind)];
  switch (fault.kind) {
    case FaultKind::cut:
      return cut(machine, random);
    case FaultKind::heal:
      return cuts_.clear();
    case FaultKind::links:
      return links(machine, random);
    case FaultKind::fast_clock:
      fast_ = machine.id();
      return;
    case FaultKind::stall:
      stalled_[machine.id()] = counts_.events + random.below(2000);
      return;
    case FaultKind::transfer:
      if (Machine* leads = leader()) (void)leads->core().transfer(machine.id()).ok();
      return;
    case FaultKind::change:
      return change(random);
    case FaultKind::crash:
    case FaultKind::crash_hard:
    case FaultKind::fail_sync:
    case FaultKind::fail_write:
    case FaultKind::fail_flush:
    case FaultKind::disk_full:
    case FaultKind::flip_bit:
    case FaultKind::tear_record:
    case FaultKind::lose_record:
      return strike_disk(fault, machine, random);
  }
}

void DurableSimulation::strike_disk(const Fault& fault, Machine& machine, Random& random) {
  if (machine.damaged()) return;
  switch (fault.kind) {
    case FaultKind::crash:
      if (machine.up()) machine.crash(random);
      return;
    case FaultKind::crash_hard:
      if (machine.up()) machine.crash_hard();
      return;
    case FaultKind::fail_sync:
      return machine.disk().fail_syncs("log");
    case FaultKind::fail_write:
      return machine.disk().fail_writes("log");
    case FaultKind::fail_flush:
      return machine.disk().fail_syncs("state");
    case FaultKind::disk_full:
      return machine.disk().limit_bytes(machine.disk().used_bytes() + random.below(300));
    default:
      return damage(fault.kind, machine, random);
  }
}

// At most one machine's log is damaged in a run, and only while enough other voters are left to go on without
// it.
void DurableSimulation::damage(FaultKind kind, Machine& machine, Random& random) {
  const bool other =
      std::any_of(machines_.begin(), machines_.end(), [](const auto& at) { return at.second->damaged(); });
  const Machine* leads = leader();
  if (other || counts_.damaged > 0 || !leads || leads->id() == machine.id()) return;
  if (leads->state().membership.voters.size() < voters_min) return;
  if (machine.up()) machine.crash(random);
  const Table table =
      kind == FaultKind::flip_bit && random.chance(30) ? LogStore::meta_table : LogStore::entries_table;
  bool done = false;
  if (kind == FaultKind::flip_bit) done = machine.disk().flip_bit("log", table, random);
  if (kind == FaultKind::tear_record) done = machine.disk().tear_tail("log", table, random);
  if (kind == FaultKind::lose_record) done = machine.disk().lose_key("log", table, random);
  machine.struck = done;
  restart(machine);
  if (done && !machine.damaged())
    judge_.fail("damage_unnoticed kind=" + std::string(kind_names[static_cast<std::size_t>(kind)]));
}

void DurableSimulation::cut(Machine& machine, Random& random) {
  for (auto& [id, other] : machines_) {
    if (id == machine.id() || random.chance(40)) continue;
    const std::uint64_t kind = random.below(3);
    if (kind != 0) cuts_.insert({machine.id(), id});
    if (kind != 1) cuts_.insert({id, machine.id()});
    if (other->up() && random.chance(30)) other->core().link_down(machine.id());
    if (machine.up() && random.chance(30)) machine.core().link_down(id);
  }
}

void DurableSimulation::links(Machine& machine, Random& random) {
  for (auto& [id, other] : machines_) {
    if (!other->up() || id == machine.id()) continue;
    if (random.chance(50))
      other->core().link_down(machine.id());
    else
      other->core().link_up(machine.id());
  }
}

void DurableSimulation::change(Random& random) {
  Machine* leads = leader();
  if (!leads) return;
  const Membership membership = leads->core().status().membership;
  MemberChange change{
      .kind = static_cast<MemberChangeKind>(random.below(3)), .node = {}, .address = "a", .stamp = {}};
  const auto one_of = [&](const std::vector<NodeId>& nodes) { return nodes[random.below(nodes.size())]; };
  if (change.kind == MemberChangeKind::add_learner) {
    if (machines_.size() >= machines_max) return;
    change.node = NodeId{newest_id_ + 1};
    if (!leads->core().change(change).ok()) return;
    add_machine(change.node, {});
  } else if (change.kind == MemberChangeKind::promote) {
    if (membership.learners.empty()) return;
    change.node = one_of(membership.learners);
    if (!leads->core().change(change).ok()) return;
  } else {
    if (membership.voters.size() <= voters_min) return;
    change.node = one_of(membership.voters);
    if (!leads->core().change(change).ok()) return;
  }
  ++counts_.changes;
}

std::vector<Fault> shrunk(std::uint64_t seed, std::vector<Fault> faults, std::uint64_t events) {
  for (std::size_t part = std::max<std::size_t>(faults.size() / 2, 1);; part /= 2) {
    for (std::size_t at = 0; at < faults.size();) {
      std::vector<Fault> fewer = faults;
      const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(part, faults.size() - at)));
      if (DurableSimulation(seed, fewer).run(events))
        faults = std::move(fewer);
      else
        at += part;
    }
    if (part <= 1) return faults;
  }
}

}  // namespace troupe::raft::test
