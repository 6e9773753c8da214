#pragma once

#include <memory>
#include <string>

#include "storage/base/error.hpp"
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
inline constexpr Setting set_aside_max{
    "set_aside_max", 100, 1, 1'000'000,
    "entities that are set aside; from so many on a node takes changes of jobs and groups from nobody: they "
    "may be released and ended only"};

inline constexpr Setting audit_sign_ms{"audit_sign_ms", 60'000, 100, 86'400'000,
                                       "a head of the audit is signed this often while there are new "
                                       "entries; 1000 new entries are not waited for"};
inline constexpr std::uint64_t audit_sign_entries = 1'000;

/// Of a node's own limit: 503, and not now. `what` is "streams" of gateway_streams_max.
inline Error node_limit(const std::string& what, std::string message, std::uint64_t max, std::uint64_t used) {
  constexpr std::int64_t retry_ms = 1'000;
  return {ErrorCode::overloaded,
          std::move(message),
          {},
          std::make_shared<const LimitHit>(LimitHit{"node." + what, max, used, retry_ms})};
}

}  // namespace troupe::gateway
