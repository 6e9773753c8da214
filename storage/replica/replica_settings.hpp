#pragma once
// What an operator may tune about a replica.

#include "storage/base/settings.hpp"

namespace troupe {

inline constexpr Setting lease_ms{"lease_ms", 1000, 100, 60'000,
                                  "a node that the leader has not confirmed for this long gives no orders"};
inline constexpr Setting heartbeat_ms{"heartbeat_ms", 50, 10, 5'000,
                                      "the leader's heartbeats; multiples of 10"};
inline constexpr Setting election_ms{
    "election_ms", 300, 50, 60'000,
    "silence of the leader before an election, doubled at random; multiples of 10"};

}  // namespace troupe
