#pragma once
// Deliberate bugs above the log, for builds that prove the simulation: each must be found by a checker.
// Elsewhere they compile to nothing. Used in source files alone: a header would differ between builds.

#include <cstdint>
#include <string_view>

namespace troupe {

// X(name, what it does)
#define TROUPE_BUG_LIST(X)                                                            \
  X(stale_owner_accepted, "apply takes commands of a shard's former owner")           \
  X(stale_session_accepted, "apply takes reports of a host's former session")         \
  X(place_without_room, "apply places tasks on full hosts")                           \
  X(capacity_leaks, "a task that ends leaves its host booked")                        \
  X(capacity_counted_twice, "after a restart, tasks count twice on their hosts")      \
  X(retry_duty_lost, "a slot that waits for its retry has no duty")                   \
  X(surplus_duty_lost, "surplus tasks have no duty")                                  \
  X(lost_host_duty_lost, "a host that is gone has no duty")                           \
  X(requests_forgotten, "outcomes are not kept under their request ids")              \
  X(caps_ignored, "jobs are created beyond the cell's cap")                           \
  X(kill_forgotten, "a kill of a task that runs is taken and not carried out")        \
  X(archive_left_out, "a job's record is lost on its way to the archive")             \
  X(event_left_out, "a task's step from Launched to Started is not told")             \
  X(retry_counter_reset, "a batch task is retried for ever")                          \
  X(killed_not_replaced, "a service's slot stays empty when its task was killed")     \
  X(victims_forgotten, "a service that shrinks keeps its tasks")                      \
  X(strangers_killed, "a host stops tasks that it has not been told of yet")          \
  X(launched_again, "a restarted agent starts again what it was told to start")       \
  X(end_unheard, "an agent without a session does not note that a task has ended")    \
  X(event_lost_on_passivation, "what happens while an entity goes to rest is missed") \
  X(stream_gap_on_resume, "a stream that resumes leaves out what it missed")          \
  X(stream_repeats_on_resume, "a stream that resumes repeats its last event")         \
  X(read_unchecked, "a linearizable read is answered from what is there")             \
  X(refused_placement_forgotten, "the scheduler forgets a task whose placement was refused")

enum class Bug : std::uint8_t {
  none,
#define X(name, what) name,
  TROUPE_BUG_LIST(X)
#undef X
};
struct BugRow {
  Bug bug;
  std::string_view name;
  std::string_view what;
};
inline constexpr BugRow bug_rows[] = {
#define X(name, what) {Bug::name, #name, what},
    TROUPE_BUG_LIST(X)
#undef X
};

#ifdef TROUPE_PLANTED_BUGS
inline Bug planted_bug = Bug::none;  ///< set before a simulation begins
inline bool planted(Bug bug) { return planted_bug == bug; }
#else
constexpr bool planted(Bug) { return false; }
#endif

}  // namespace troupe
