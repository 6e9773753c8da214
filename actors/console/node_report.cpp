#include "actors/console/node_report.hpp"

#include <algorithm>

#include "actors/console/console_commands.hpp"
#include "actors/console/entity_report.hpp"
#include "actors/console/record_json.hpp"
#include "actors/diagnosis/node_sections.hpp"
#include "storage/raft/ready.hpp"

namespace troupe::console {
namespace {

std::string_view role_text(std::uint8_t role) {
  switch (static_cast<raft::Role>(role)) {
    case raft::Role::follower:
      return "Follower";
    case raft::Role::pre_candidate:
      return "PreCandidate";
    case raft::Role::candidate:
      return "Candidate";
    case raft::Role::leader:
      return "Leader";
  }
  return "Unknown";
}

void put_nodes(json::Writer& writer, const NodeContext& context) {
  writer.key("nodes");
  writer.begin_array();
  for (const auto& [id, address] : context.book.all()) {
    writer.begin_object();
    put(writer, "node", id);
    put(writer, "peer", address.peer);
    put(writer, "http", address.http);
    writer.end_object();
  }
  writer.end_array();
}

void put_log(json::Writer& writer, const NodeContext& context) {
  put_store(writer, "logStore", context.log_kv);
  put_store(writer, "stateStore", context.state_kv);
  if (context.log == nullptr) return;
  const LogHead head = context.log->head();
  writer.key("log");
  writer.begin_object();
  put(writer, "first", head.edge.index.next());
  put(writer, "last", head.tail.index);
  writer.end_object();
}

std::size_t due_now(const NodeContext& context, ShardId shard) {
  return context.reads().duties(shard, context.now(), duties_counted_max).size();
}

void put_duty(json::Writer& writer, const NodeContext& context, ShardId shard, const Duty& duty) {
  writer.begin_object();
  put(writer, "shard", shard);
  put(writer, "entity", text_of(context.reads(), duty.entity));
  put(writer, "due", due_text(duty.due));
  put(writer, "inMs", duty.due.is_set() ? duty.due - context.now() : milliseconds(0));
  writer.end_object();
}

using ShardDuty = std::pair<ShardId, Duty>;

/// Cut to one more than is listed, so that the answer can say that there are more.
std::vector<ShardDuty> earliest(const NodeContext& context, std::optional<ShardId> only) {
  std::vector<ShardDuty> all;
  for (std::uint16_t n = 0; n < context.reads().shard_count(); ++n) {
    const ShardId shard{n};
    if (only && *only != shard) continue;
    for (const Duty& duty : context.reads().duties(shard, Instant{INT64_MAX}, duties_listed_max + 1))
      all.emplace_back(shard, duty);
  }
  std::sort(all.begin(), all.end(),
            [](const ShardDuty& a, const ShardDuty& b) { return a.second < b.second; });
  if (all.size() > duties_listed_max + 1) all.resize(duties_listed_max + 1);
  return all;
}

}  // namespace

std::string help_json() {
  json::Writer writer;
  writer.begin_object();
  writer.key("commands");
  writer.begin_array();
  for (const ConsoleCommand& command : node_commands) {
    writer.begin_object();
    put(writer, "name", command.name);
    put(writer, "arguments", command.arguments);
    put(writer, "about", command.about);
    put(writer, "example", command.example);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return writer.take();
}

std::string node_json(const NodeContext& context) {
  const NodeStatus& status = context.status;
  std::uint64_t owned = 0;
  for (const ShardRecord& shard : context.reads().shards()) owned += shard.owner == context.self ? 1 : 0;
  json::Writer writer;
  writer.begin_object();
  put(writer, "node", context.self);
  put(writer, "cell", context.reads().cell_record().name);
  put(writer, "role", role_text(status.role.load()));
  put(writer, "term", status.term.load());
  put(writer, "leader", status.leader.load());
  put(writer, "last", status.last.load());
  put(writer, "commit", status.commit.load());
  put(writer, "applied", status.applied.load());
  put(writer, "leased", status.leased.load());
  put(writer, "proposals", status.proposals.load());
  put(writer, "proposalsPending", status.proposals_pending.load());
  put(writer, "shardsOwned", owned);
  put_links_up(writer, status);
  put_log(writer, context);
  put_nodes(writer, context);
  writer.end_object();
  return writer.take();
}

std::string shards_json(const NodeContext& context) {
  json::Writer writer;
  writer.begin_object();
  writer.key("shards");
  writer.begin_array();
  for (const ShardRecord& shard : context.reads().shards()) {
    writer.begin_object();
    put(writer, "shard", shard.id);
    put(writer, "owner", shard.owner);
    put(writer, "epoch", shard.epoch);
    put(writer, "dutiesNow", due_now(context, shard.id));
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return writer.take();
}

Result<std::string> duties_json(const NodeContext& context, std::optional<ShardId> shard) {
  if (shard && shard->value >= context.reads().shard_count())
    return Error{ErrorCode::not_found, "there is no shard " + to_text(*shard)};
  const std::vector<ShardDuty> found = earliest(context, shard);
  json::Writer writer;
  writer.begin_object();
  put(writer, "more", found.size() > duties_listed_max);
  writer.key("duties");
  writer.begin_array();
  for (std::size_t n = 0; n < std::min(found.size(), duties_listed_max); ++n)
    put_duty(writer, context, found[n].first, found[n].second);
  writer.end_array();
  writer.end_object();
  return writer.take();
}

std::string requests_json(const NodeContext& context) {
  const CellFigures cell = context.reads().cell();
  json::Writer writer;
  writer.begin_object();
  put(writer, "requests", cell.requests);
  put(writer, "requestsMax", cell.record.policy.requests_max);
  put(writer, "rememberedForMs", cell.record.policy.request_memory);
  writer.end_object();
  return writer.take();
}

}  // namespace troupe::console
