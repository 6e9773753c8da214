#pragma once
// Everything of a node that helps a diagnosis, as one document.

#include <map>
#include <string>
#include <vector>

#include "actors/node/node_context.hpp"
#include "actors/runtime/recent_log.hpp"
#include "net/json/writer.hpp"

namespace troupe {

/// What the node's actors told, and what only the gateway knows.
struct DebugTold {
  std::map<std::string, Result<std::string>> sections;  ///< by name: JSON, or why it is missing
  std::string metrics;                                  ///< Prometheus' text
  std::string why_not_serving;                          ///< empty: it serves
  std::vector<const Setting*> settings;                 ///< all that the node declares
};

constexpr std::size_t metrics_bytes_max = 1'024 * 1'024;
constexpr std::size_t logs_json_bytes_max = 1'536 * 1'024;

/// Sections: about, process, threads, status, peers, settings, policy, disk, stores, metrics, log, and those
/// told. Any thread; reads atomics, state and /proc, waits for nobody.
std::string debug_json(const NodeContext& node, const DebugTold& told);
/// Of a node whose actors do not answer: about, process, threads, status.
std::string debug_json_alone(NodeId self, const NodeStatus& status, Instant now, std::string_view why);
/// A member with the store's counters and, where it can tell, how it is inside; none for null.
void put_store(json::Writer& writer, std::string_view name, const KvStore* store);
/// "linksUp": how many there are of each channel.
void put_links_up(json::Writer& writer, const NodeStatus& status);
/// {"lines": ["time level text"], "gone"}: the newest lines that fit; the others count as gone.
std::string logs_json(const logging::RecentLog::Told& told, std::size_t bytes_max = logs_json_bytes_max);

}  // namespace troupe
