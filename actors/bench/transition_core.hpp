#pragma once
// Commands for benches: real transitions of real tasks, with what each presupposes already in place.

#include <cstdint>
#include <vector>

#include "storage/base/random.hpp"
#include "storage/model/outcome.hpp"

namespace troupe::bench {

/// What a cell of transitions is made of.
struct TransitionConfig {
  std::uint32_t tasks = 100'000;     ///< slots; each holds one task after another
  std::uint32_t width = 1;           ///< tasks that one command moves: one unit
  std::uint32_t slots_per_job = 64;  ///< a multiple of width
  std::uint32_t hosts = 100;
  NodeId owner{1};  ///< of all shards
  std::uint64_t seed = 1;
  static constexpr auto fields() {
    using C = TransitionConfig;
    return field_list(field("tasks", &C::tasks), field("width", &C::width),
                      field("slots_per_job", &C::slots_per_job), field("hosts", &C::hosts),
                      field("owner", &C::owner), field("seed", &C::seed));
  }
};

/// Leads units of tasks round and round: accepted, launched, start initiated, started, finished and archived,
/// the slot's next task accepted. First the cell itself is set up, step by step. Pure; one thread; the caller
/// proposes or applies what it is given, and says what came of it.
class TransitionCore {
 public:
  explicit TransitionCore(const TransitionConfig& config);

  /// The commands of the next step of the set-up, which do not depend on each other; empty: it is complete.
  std::vector<Command> setup(Term term);
  /// Their outcomes, in the order of the commands. Error: the first refusal.
  Result<void> set_up(const std::vector<Outcome>& outcomes);

  std::size_t units() const { return units_.size(); }
  /// Moves all tasks of a unit by one state. One command of a unit at a time.
  Command next(std::size_t unit, Term term);
  /// It was applied. Error: the first refusal; the unit stays where it was.
  Result<void> moved(std::size_t unit, const Outcome& outcome);

  static constexpr std::uint32_t phases = 5;
  std::uint32_t phase(std::size_t unit) const { return units_[unit].phase; }
  const std::vector<JobId>& jobs() const { return jobs_; }
  const TaskId& task(std::size_t unit) const { return tasks_[unit * config_.width]; }  ///< its first

 private:
  struct Unit {
    std::uint32_t phase = 0;  ///< transitions of this round so far
    std::uint32_t host = 0;   ///< position in hosts_
    Index version;
  };
  struct Host {
    HostId id;
    Index eligibility;
    SessionId session;
  };
  CommandBody advance(std::size_t unit);
  CommandBody place(std::size_t unit) const;
  CommandBody report(std::size_t unit, TaskState state) const;
  std::vector<Command> bootstrap(Term term) const;
  std::vector<Command> register_hosts() const;
  std::vector<Command> open_sessions();
  std::vector<Command> create_jobs();
  const JobId& job_of(std::size_t unit) const { return jobs_[unit * config_.width / config_.slots_per_job]; }

  TransitionConfig config_;
  Random random_;
  std::uint32_t step_ = 0;
  std::vector<Host> hosts_;
  std::vector<JobId> jobs_;
  std::vector<Unit> units_;
  std::vector<TaskId> tasks_;  ///< by slot: the present or last one
};

}  // namespace troupe::bench
