#pragma once

#include "storage/base/settings.hpp"

namespace troupe::gateway {

inline constexpr Setting gateway_waiting_max{
    "gateway_waiting_max", 10'000, 1, 1'000'000,
    "calls of one node that wait for the replica or another node; beyond: 503 overloaded"};
inline constexpr Setting gateway_streams_max{"gateway_streams_max", 512, 1, 100'000,
                                             "open event streams of one node; beyond: 503 overloaded"};
inline constexpr Setting gateway_logs_max{"gateway_logs_max", 256, 1, 100'000,
                                          "logs being read through one node; beyond: 503 overloaded"};
inline constexpr Setting gateway_events_max{
    "gateway_events_max", 32'768, 100, 10'000'000,
    "recent events kept for streams that resume or lag; who is further behind gets a new snapshot"};

inline constexpr Setting image_digest_required{
    "image_digest_required", 0, 0, 1,
    "1: a job whose image's tag cannot be resolved, because its registry is down, is refused (503); 0: it is "
    "taken, and its hosts resolve the tag at each launch"};
inline constexpr Setting image_digest_age_ms{
    "image_digest_age_ms", 200, 0, 60'000,
    "an image's tag is asked for again unless a registry was asked at most so long before the job came"};

inline constexpr Setting audit_sign_ms{"audit_sign_ms", 60'000, 100, 86'400'000,
                                       "a head of the audit is signed this often while there are new "
                                       "entries; 1000 new entries are not waited for"};
inline constexpr std::uint64_t audit_sign_entries = 1'000;

}  // namespace troupe::gateway
