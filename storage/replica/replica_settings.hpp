#pragma once
// What an operator may tune about a replica.

#include "storage/base/settings.hpp"

namespace troupe {

inline constexpr Setting lease_ms{"lease_ms", 600, 100, 60'000,
                                  "a node that the leader has not confirmed for this long gives no orders"};
inline constexpr Setting heartbeat_ms{"heartbeat_ms", 50, 10, 5'000,
                                      "the leader's heartbeats; multiples of 10"};
inline constexpr Setting election_ms{
    "election_ms", 300, 50, 60'000,
    "silence of the leader before an election, doubled at random; multiples of 10"};
inline constexpr Setting stall_ms{
    "stall_ms", 250, 50, 60'000,
    "a pause of the whole process longer than this is logged and does not count as others' silence"};
inline constexpr Setting clock_leap_ms{
    "clock_leap_ms", 5'000, 100, 3'600'000,
    "a leader whose clock differs by more than this from the middle of the voters' hands over"};
inline constexpr Setting log_keep_entries{
    "log_keep_entries", 1'000'000, 100, 1'000'000'000,
    "entries kept in the log although the state has them, for nodes that lag; beyond, they need a snapshot"};
inline constexpr Setting log_keep_mb{"log_keep_mb", 256, 1, 1'000'000,
                                     "the same in megabytes; the smaller one counts"};
inline constexpr Setting log_pinned_mb{
    "log_pinned_mb", 4'096, 1, 1'000'000,
    "log kept for a snapshot under way; beyond, its receiver will need another one"};
inline constexpr Setting snapshot_mb_per_s{"snapshot_mb_per_s", 64, 1, 100'000,
                                           "a snapshot is sent to a node at most this fast, so that the rest "
                                           "of the cell does not wait for the disk"};
inline constexpr Setting state_flush_mb{"state_flush_mb", 64, 1, 100'000,
                                        "the state is flushed when so much of the log is not in its files"};
inline constexpr Setting state_flush_ms{"state_flush_ms", 60'000, 100, 86'400'000,
                                        "the state is flushed at least this often, if it changed"};

}  // namespace troupe
