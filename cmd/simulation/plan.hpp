#pragma once
// What is going to happen in a simulated life, drawn from a seed before it begins. A plan is a list, so that
// a failing one can be made shorter.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/fields.hpp"
#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::simulation {

/// Who does it: users, operators, or bad luck.
enum class StepKind : std::uint8_t {
  submit,
  kill_job,
  resize_job,
  kill_task,
  read_job,
  drain_host,
  activate_host,
  transfer_leader,
  crash_node,
  crash_all_nodes,
  restart_node,
  isolate_node,
  freeze_node,
  cut_nodes,
  heal,
  crash_agent,
  restart_agent,
  kill_host,
  isolate_host,
  leap_clock,
  drift_clock,
  break_disk,
  freeze_agent,
  slow_agent,
  slow_link,
  stray_agent,
  resize_host,
  damage_log,
  lose_disk,
  add_node,
  remove_node,
  other_build,
  fail_registry,
};
constexpr StepKind max_value(StepKind) { return StepKind::fail_registry; }
std::string_view kind_text(StepKind kind);  ///< "crash_node"
constexpr bool is_repair(StepKind kind) {
  return kind == StepKind::restart_node || kind == StepKind::heal || kind == StepKind::restart_agent;
}
constexpr bool is_fault(StepKind kind) { return kind >= StepKind::crash_node && !is_repair(kind); }

struct Step {
  milliseconds at{0};  ///< since the cell was whole
  StepKind kind = StepKind::submit;
  std::uint64_t dice = 0;  ///< all that is random about it
};

/// What differs from life to life, each drawn; here are the usual values.
struct Tunables {
  std::uint32_t resets = 0;  ///< of a million messages
  std::uint32_t drops = 0;
  std::int64_t log_keep_entries = 1'000'000;
  std::int64_t state_flush_ms = 5'000;
  std::uint32_t actor_crashes = 0;  ///< at most, of entities' actors
  std::int64_t sync_max_us = 400;
  std::int64_t host_cpu_milli = 8'000;
  std::uint64_t jobs_max = 20'000;   ///< the cell's cap
  std::uint32_t plan_errors = 0;     ///< at most, of the scheduler: plans that apply must refuse
  std::uint32_t shuffled_turns = 0;  ///< 1: a node's actors take turns at random
  std::uint32_t older_build = 0;     ///< 1: the nodes begin with a build that knows one feature level less
  std::uint32_t images = 0;          ///< of jobs, which a registry has that may fail; 0: jobs have none
  static constexpr auto fields() {
    using T = Tunables;
    return field_list(field("resets", &T::resets), field("drops", &T::drops),
                      field("log_keep_entries", &T::log_keep_entries),
                      field("state_flush_ms", &T::state_flush_ms), field("actor_crashes", &T::actor_crashes),
                      field("sync_max_us", &T::sync_max_us), field("host_cpu_milli", &T::host_cpu_milli),
                      field("jobs_max", &T::jobs_max), field("plan_errors", &T::plan_errors),
                      field("shuffled_turns", &T::shuffled_turns), field("older_build", &T::older_build),
                      field("images", &T::images));
  }
};

/// How large a life is.
struct Scope {
  milliseconds span{60'000};  ///< from the first step to the healing
  std::uint32_t nodes = 3;
  std::uint32_t hosts = 50;
  std::uint32_t submits_per_s = 20;
  std::uint32_t other_requests_per_s = 20;  ///< kills, resizes, reads
  std::uint32_t faults_per_minute = 60;     ///< and half as many repairs
  friend bool operator==(const Scope&, const Scope&) = default;
};
/// A small cell under much trouble for a short time, and one at the size of the figures.
Scope small_scope();
Scope loaded_scope();

struct Plan {
  std::uint64_t seed = 1;
  Scope scope;
  Tunables tunables;
  std::vector<Step> steps;        ///< by time
  std::vector<std::size_t> kept;  ///< which of the drawn steps these are, from 1; empty: all
};

/// The same seed and scope give the same plan on every machine.
Plan draw_plan(std::uint64_t seed, const Scope& scope);
/// Of its steps only these, counted from 1, in their order.
Plan only(const Plan& plan, const std::vector<std::size_t>& numbers);

/// Gives tunables their usual value, by their names with commas between, or "all". Error: invalid_argument.
Result<void> make_plain(Plan& plan, std::string_view names);
/// The names, with commas between, of those that are not as the seed drew them.
std::string plain_tunables(const Plan& plan);

/// "3,7-9" and back. Error: invalid_argument.
Result<std::vector<std::size_t>> parse_numbers(std::string_view text);
std::string numbers_text(const std::vector<std::size_t>& numbers);

}  // namespace troupe::simulation
