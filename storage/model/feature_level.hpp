#pragma once
// What a build can do to the state. The cell's level is in its record and raised by a command (raise_level)
// when every member's build knows the next one; until then nothing of that level is proposed, written or
// applied, and a build that knows less can take a node's place again. Levels are never lowered.

#include <cstdint>

namespace troupe {

/// The highest level that this build knows. Whoever adds a command, a field that apply writes, or another way
/// to apply an old command, adds one here and says below what it stands for.
///   0  a cell whose first members did not say what they know
///   1  everything in command_table() but what names a higher level
///   2  preemption and its traces on jobs, planned places, tasks placed together, groups that go, ceilings of
///      Critical groups, an audit of what no command does; launch budgets and limits: a job's relaunches take
///      tokens, note_jobs says that it is held to them, placements are held to the limits of the cell, the
///      group and the host, and a host rests whose launches fail
///   3  tasks that move to another job, perhaps of another shard; ports: a host's are counted, each task is
///      given the numbers of its own; scheduling that is paused; tasks that are preempted for others together
///      or not at all
///   4  what waits to be tried again is tried at once by an operator's word; the plan of a gang that ends
///      others starts none of it before all have room; jobs whose image's digest a gateway found: a repeated
///      request is known without it; hosts whose ports have become fewer than are held take what asks for
///      none
constexpr std::uint32_t feature_level_known = 4;
constexpr std::uint32_t level_of_budgets = 2;
constexpr std::uint32_t level_of_moves = 3;
constexpr std::uint32_t level_of_ports = 3;
constexpr std::uint32_t level_of_pauses = 3;
constexpr std::uint32_t level_of_preempting_gangs = 3;
constexpr std::uint32_t level_of_retries = 4;
constexpr std::uint32_t level_of_gang_plans = 4;
constexpr std::uint32_t level_of_pinned_images = 4;
constexpr std::uint32_t level_of_fewer_ports = 4;

}  // namespace troupe
