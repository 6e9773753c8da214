#include "cmd/troupe/bench_apply.hpp"

#include <sys/resource.h>

#include "cmd/troupe/bench_support.hpp"
#include "storage/kv/rocks_store.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t group_size = 64;
constexpr Term apply_term{1};

std::chrono::nanoseconds thread_cpu() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto span = [](const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
  };
  return span(usage.ru_utime) + span(usage.ru_stime);
}

/// Applies groups of commands and keeps the time that this takes apart from the time of making them.
class Applying {
 public:
  Applying(StateMachine& machine, bench::TransitionCore& core) : machine_(machine), core_(core) {}

  Result<void> set_up() {
    for (auto commands = core_.setup(apply_term); !commands.empty(); commands = core_.setup(apply_term)) {
      auto outcomes = apply(commands);
      if (!outcomes.ok()) return outcomes.error();
      if (auto taken = core_.set_up(outcomes.value()); !taken.ok()) return taken;
    }
    return {};
  }

  Result<void> move(const std::vector<std::size_t>& units) {
    std::vector<Command> commands;
    for (const std::size_t unit : units) commands.push_back(core_.next(unit, apply_term));
    auto outcomes = apply(commands);
    if (!outcomes.ok()) return outcomes.error();
    for (std::size_t n = 0; n < units.size(); ++n)
      if (auto moved = core_.moved(units[n], outcomes.value()[n]); !moved.ok()) return moved;
    return {};
  }

  void forget_times() { in_apply_ = {}, group_ms_.clear(); }
  std::chrono::nanoseconds in_apply() const { return in_apply_; }
  std::vector<double>& group_ms() { return group_ms_; }

 private:
  Result<std::vector<Outcome>> apply(const std::vector<Command>& commands) {
    std::vector<raft::Entry> entries;
    for (const Command& command : commands) {
      index_ = index_.next();
      entries.push_back({apply_term, index_, raft::EntryKind::command, clock_.wall(), Blob(encode(command))});
    }
    const Moment before = clock_.steady();
    const auto cpu_before = thread_cpu();
    auto applied = machine_.apply(entries);
    in_apply_ += thread_cpu() - cpu_before;
    group_ms_.push_back(seconds_of(clock_.steady() - before) * 1000);
    if (!applied.ok()) return applied.error();
    return std::move(applied.value().outcomes);
  }

  StateMachine& machine_;
  bench::TransitionCore& core_;
  SystemClock clock_;
  Index index_;
  std::chrono::nanoseconds in_apply_{0};
  std::vector<double> group_ms_;
};

}  // namespace

Result<ApplyFigures> time_apply(const std::string& folder, const bench::TransitionConfig& config,
                                std::uint64_t transitions) {
  RocksConfig rocks;
  rocks.path = folder;
  rocks.tables = keys::table_names();
  rocks.unread_tables = keys::unread_tables();
  auto store = open_rocks(rocks);
  if (!store.ok()) return store.error();
  auto machine = StateMachine::open(*store.value());
  if (!machine.ok()) return machine.error();
  bench::TransitionCore core(config);
  Applying applying(*machine.value(), core);
  if (auto done = applying.set_up(); !done.ok()) return done.error();
  Random random(config.seed);
  const std::size_t at_once = std::min(group_size, core.units());
  std::vector<std::size_t> units(at_once);
  // Neighbours at a random place: no unit twice in a group.
  const auto draw = [&] {
    const std::size_t stride = core.units() / at_once;
    for (std::size_t n = 0; n < at_once; ++n) units[n] = n * stride + random.below(stride);
  };
  const std::uint64_t warm_up = std::min<std::uint64_t>(2 * core.units(), transitions) / at_once;
  for (std::uint64_t n = 0; n < warm_up; ++n) {
    draw();
    if (auto moved = applying.move(units); !moved.ok()) return moved.error();
  }
  applying.forget_times();
  const auto process_before = process_cpu(), thread_before = thread_cpu();
  std::uint64_t done = 0;
  for (; done < transitions; done += at_once * config.width) {
    draw();
    if (auto moved = applying.move(units); !moved.ok()) return moved.error();
  }
  const auto elsewhere = (process_cpu() - process_before) - (thread_cpu() - thread_before);
  const auto flush_before = process_cpu();
  if (auto flushed = store.value()->flush(); !flushed.ok()) return flushed.error();
  const auto all = applying.in_apply() + elsewhere + (process_cpu() - flush_before);
  auto& groups = applying.group_ms();
  return ApplyFigures{seconds_of(all) * 1e6 / static_cast<double>(done), percentile(groups, 0.5),
                      percentile(groups, 0.999), percentile(groups, 1)};
}

}  // namespace troupe::cli
