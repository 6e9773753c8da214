#include "actors/diagnosis/node_sections.hpp"

#include <algorithm>

#include "actors/diagnosis/debug_document.hpp"
#include "actors/diagnosis/process_report.hpp"
#include "net/api/policy.hpp"
#include "storage/base/build_id.hpp"
#include "storage/kv/kv_store.hpp"
#include "storage/model/feature_level.hpp"

namespace troupe {
namespace {

constexpr const char* own_folder = "/proc/self";

template <class Value>
void put(json::Writer& writer, std::string_view key, const Value& value) {
  writer.key(key);
  json::write_value(writer, value);
}

/// `write` writes the members of an object.
template <class Write>
std::string object_of(Write write) {
  json::Writer writer;
  writer.begin_object();
  write(writer);
  writer.end_object();
  return writer.take();
}

std::string about_json(NodeId self, Instant now, const CellRecord* cell) {
  return object_of([&](json::Writer& writer) {
    put(writer, "node", self);
    if (cell != nullptr) put(writer, "cell", cell->name);
    put(writer, "takenAt", to_text(now));
    put(writer, "compiler", std::string_view("g++ " __VERSION__));
    put(writer, "build", build_id());
    put(writer, "levelKnown", feature_level_known);
    if (cell != nullptr) put(writer, "level", cell->level);
  });
}

void put_replica(json::Writer& writer, const NodeStatus& status) {
  put(writer, "term", status.term.load());
  put(writer, "leader", status.leader.load());
  put(writer, "role", status.role.load());
  put(writer, "leased", status.leased.load());
  put(writer, "first", status.first.load());
  put(writer, "last", status.last.load());
  put(writer, "commit", status.commit.load());
  put(writer, "applied", status.applied.load());
  put(writer, "proposals", status.proposals.load());
  put(writer, "proposalsPending", status.proposals_pending.load());
}

std::string status_json(const NodeStatus& status, const std::string& why_not_serving) {
  return object_of([&](json::Writer& writer) {
    put(writer, "serves", why_not_serving.empty());
    if (!why_not_serving.empty()) put(writer, "why", why_not_serving);
    put_replica(writer, status);
    put(writer, "logBytes", status.log_bytes.load());
    put(writer, "unappliedBytes", status.unapplied_bytes.load());
    put(writer, "writesWaiting", status.writes_waiting.load());
    put(writer, "readysWaiting", status.readys_waiting.load());
    put(writer, "mailbox", status.mailbox.load());
    put(writer, "stalls", status.stalls.load());
    put(writer, "leapsRefused", status.leaps_refused.load());
    put(writer, "logSyncs", status.log_syncs.load());
    put(writer, "logSyncUs", status.log_sync_us.load());
    put(writer, "logSyncUsWorst", status.log_sync_us_worst.load());
    put(writer, "snapshotsSent", status.snapshots_sent.load());
    put(writer, "snapshotsArrived", status.snapshots_arrived.load());
    put_links_up(writer, status);
  });
}

std::string peers_json(const NodeContext& node) {
  return object_of([&](json::Writer& writer) {
    writer.key("nodes");
    writer.begin_array();
    for (const auto& [id, address] : node.book.all()) {
      writer.begin_object();
      put(writer, "node", id);
      put(writer, "peer", address.peer);
      put(writer, "http", address.http);
      put(writer, "votes", node.book.voters().contains(id));
      writer.end_object();
    }
    writer.end_array();
    writer.key("followers");  // Of a node that leads.
    writer.begin_array();
    for (const PeerStanding& peer : node.peers.all()) {
      writer.begin_object();
      put(writer, "node", peer.id);
      put(writer, "learner", peer.learner);
      put(writer, "match", peer.match);
      put(writer, "lag", peer.lag);
      put(writer, "silentMs", peer.silent);
      writer.end_object();
    }
    writer.end_array();
  });
}

std::string settings_json(const NodeContext& node, const std::vector<const Setting*>& declared) {
  return object_of([&](json::Writer& writer) {
    for (const Setting* setting : declared) {
      writer.key(setting->name);
      writer.begin_object();
      put(writer, "value", node.settings.get(*setting));
      put(writer, "default", setting->fallback);
      writer.end_object();
    }
  });
}

std::string policy_text(const CellPolicy& policy) {
  json::Writer writer;
  api::policy_json(writer, policy);
  return writer.take();
}

Result<std::string> disk_of(const NodeContext& node) {
  if (node.folder == nullptr) return Error{ErrorCode::unavailable, "this node has no folder"};
  return disk_json(node.folder->state_path());
}

std::string stores_json(const NodeContext& node) {
  return object_of([&](json::Writer& writer) {
    put_store(writer, "log", node.log_kv);
    put_store(writer, "state", node.state_kv);
  });
}

/// Cut at the end of a line.
std::string metrics_json(std::string_view metrics) {
  const bool is_cut = metrics.size() > metrics_bytes_max;
  if (is_cut) metrics = metrics.substr(0, metrics.rfind('\n', metrics_bytes_max) + 1);
  return object_of([&](json::Writer& writer) {
    put(writer, "text", metrics);
    if (is_cut) put(writer, "cut", true);
  });
}

void add_process(DebugDocument& document) {
  document.add("process", process_json(own_folder));
  document.add("threads", threads_json(own_folder));
}

std::string logs_from(const logging::RecentLog::Told& told, std::size_t first) {
  return object_of([&](json::Writer& writer) {
    put(writer, "gone", told.gone + first);
    writer.key("lines");
    writer.begin_array();
    for (std::size_t n = first; n < told.lines.size(); ++n) {
      const logging::RecentLine& line = told.lines[n];
      writer.text(to_text(line.at) + ' ' + std::string(logging::level_text(line.level)) + ' ' + line.text);
    }
    writer.end_array();
  });
}

}  // namespace

void put_store(json::Writer& writer, std::string_view name, const KvStore* store) {
  if (store == nullptr) return;
  const KvStore::Counters counters = store->counters();
  writer.key(name);
  writer.begin_object();
  put(writer, "batches", counters.batches);
  put(writer, "syncs", counters.syncs);
  put(writer, "bytesWritten", counters.bytes_written);
  for (const auto& [figure, value] : store->figures()) put(writer, figure, value);
  writer.end_object();
}

void put_links_up(json::Writer& writer, const NodeStatus& status) {
  writer.key("linksUp");
  writer.begin_object();
  for (std::size_t n = 0; n < status.links_up.size(); ++n)
    put(writer, net::channel_text(static_cast<net::Channel>(n)), status.links_up[n].load());
  writer.end_object();
}

std::string logs_json(const logging::RecentLog::Told& told, std::size_t bytes_max) {
  std::size_t first = 0;
  std::string text = logs_from(told, first);
  while (text.size() > bytes_max && first < told.lines.size()) {
    first += (told.lines.size() - first + 1) / 2;
    text = logs_from(told, first);
  }
  return text;
}

std::string debug_json(const NodeContext& node, const DebugTold& told) {
  const CellRecord cell = node.reads().cell_record();
  DebugDocument document;
  document.add("about", about_json(node.self, node.clock->wall(), &cell));
  add_process(document);
  document.add("status", status_json(node.status, told.why_not_serving));
  document.add("peers", peers_json(node));
  document.add("settings", settings_json(node, told.settings));
  document.add("policy", policy_text(cell.policy));
  document.add("disk", disk_of(node));
  document.add("stores", stores_json(node));
  for (const auto& [name, section] : told.sections) document.add(name, section);
  document.add("metrics", metrics_json(told.metrics));
  document.add("log", logs_json(logging::recent_log().all()));
  return document.take();
}

std::string debug_json_alone(NodeId self, const NodeStatus& status, Instant now, std::string_view why) {
  DebugDocument document;
  document.add("about", about_json(self, now, nullptr));
  add_process(document);
  document.add("status", status_json(status, std::string(why)));
  return document.take();
}

}  // namespace troupe
