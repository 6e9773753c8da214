// What a seed decides before anything happens, and how counts are told.

#include "tests/storage/replica/life/life.hpp"

namespace troupe {
namespace {

template <class T>
T pick(Random& random, std::initializer_list<T> of) {
  return *(of.begin() + static_cast<std::ptrdiff_t>(random.below(of.size())));
}

raft::Config random_config(Random& random) {
  raft::Config config;
  config.heartbeat_ticks = static_cast<std::uint32_t>(random.between(1, 3));
  config.election_ticks = config.heartbeat_ticks + static_cast<std::uint32_t>(random.between(3, 12));
  config.link_retry_ticks = static_cast<std::uint32_t>(random.between(1, 4));
  config.max_append_bytes = pick<std::size_t>(random, {1, 200, 1 << 20});
  config.max_inflight_appends = pick<std::uint32_t>(random, {1, 4, 64});
  config.max_inflight_bytes = pick<std::size_t>(random, {1, 500, 1 << 20});
  config.max_uncommitted_bytes = pick<std::size_t>(random, {1, 1000, 1 << 20});
  config.max_unapplied_bytes = pick<std::size_t>(random, {1, 200, 1 << 20});
  config.max_read_rounds = pick<std::uint32_t>(random, {1, 4});
  config.max_promote_lag = pick<std::uint64_t>(random, {0, 5, 1000});
  return config;
}

MachineOptions random_options(Random& random) {
  MachineOptions options;
  options.raft = random_config(random);
  options.queue_bytes_max = pick<std::size_t>(random, {1, 300, 1 << 20});
  options.cache_bytes_max = pick<std::size_t>(random, {0, 500, 1 << 20});
  options.retention.entries_max = pick<std::uint64_t>(random, {1, 8, 60});
  options.retention.bytes_max = pick<std::uint64_t>(random, {500, 1 << 20});
  options.retention.pinned_bytes_max = pick<std::uint64_t>(random, {1'000, 1 << 20});
  options.retention.flush_bytes = pick<std::uint64_t>(random, {500, 1 << 20});
  options.retention.flush_every = milliseconds(random.between(100, 2'000));
  options.lease = milliseconds(random.between(100, 1'000));
  options.stall = milliseconds(random.between(30, 250));
  options.clock_leap = milliseconds(random.between(1'000, 10'000));
  return options;
}

}  // namespace

raft::Membership first_members(std::uint32_t voters) {
  raft::Membership members;
  for (std::uint32_t id = 1; id <= voters; ++id) members.voters.push_back(NodeId{id});
  return members;
}

LifeTunables::LifeTunables(Random& random) : machine(random_options(random)) {
  loss_percent = pick<std::uint32_t>(random, {0, 1, 10});
  duplicate_percent = pick<std::uint32_t>(random, {0, 1, 15});
  in_order = random.chance(40);
  delay_us_max = pick<std::int64_t>(random, {200, 5'000, 60'000});
  sync_us_max = pick<std::int64_t>(random, {0, 2'000, 40'000});
  apply_us_max = pick<std::int64_t>(random, {0, 1'000, 30'000});
  lazy_us_max = pick<std::int64_t>(random, {0, 500, 10'000});
  client_us = pick<std::int64_t>(random, {1'000, 4'000, 20'000});
  batch_max = pick<std::size_t>(random, {1, 3, 10});
  voters = pick<std::uint32_t>(random, {3, 3, 3, 4, 5});
  new_builds_percent = pick<std::uint32_t>(random, {0, 50, 100});
}

void LifeCounts::add(const LifeCounts& other) {
  std::uint64_t LifeCounts::*const members[] = {
      &LifeCounts::events,       &LifeCounts::leaders,  &LifeCounts::commits, &LifeCounts::answers,
      &LifeCounts::reads,        &LifeCounts::restarts, &LifeCounts::crashes, &LifeCounts::configs,
      &LifeCounts::snapshots,    &LifeCounts::cuts,     &LifeCounts::stalls,  &LifeCounts::leaps_refused,
      &LifeCounts::stops,        &LifeCounts::damaged,  &LifeCounts::raises,  &LifeCounts::refused,
      &LifeCounts::broken_checks};
  for (const auto member : members) this->*member += other.*member;
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) faults[kind] += other.faults[kind];
}

std::string text_of(const LifeCounts& counts) {
  std::string text;
  const auto tell = [&](const char* name, std::uint64_t count) {
    text += std::string(text.empty() ? "" : " ") + name + "=" + std::to_string(count);
  };
  tell("events", counts.events);
  tell("leaders", counts.leaders);
  tell("commits", counts.commits);
  tell("client_answers", counts.answers);
  tell("reads", counts.reads);
  tell("crashes", counts.crashes);
  tell("restarts", counts.restarts);
  tell("configurations", counts.configs);
  tell("snapshots_installed", counts.snapshots);
  tell("log_cuts", counts.cuts);
  tell("stalls_noticed", counts.stalls);
  tell("leaps_refused", counts.leaps_refused);
  tell("stops", counts.stops);
  tell("logs_damaged", counts.damaged);
  tell("levels_raised", counts.raises);
  tell("starts_refused", counts.refused);
  text += " faults:";
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) tell(fault_names[kind], counts.faults[kind]);
  return text;
}

}  // namespace troupe
