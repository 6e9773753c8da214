#include "actors/operations/members_core.hpp"

#include <algorithm>

#include "net/json/writer.hpp"

namespace troupe::operations {
namespace {

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::string_view text_of(raft::PeerState state) {
  switch (state) {
    case raft::PeerState::probe:
      return "probe";
    case raft::PeerState::replicate:
      return "replicate";
    case raft::PeerState::snapshot:
      return "snapshot";
  }
  return "";
}

void text(json::Writer& writer, std::string_view key, std::string_view value) {
  writer.key(key);
  writer.text(value);
}

void progress(json::Writer& writer, const raft::Status& status, const raft::PeerStatus& peer,
              milliseconds tick) {
  text(writer, "state", text_of(peer.state));
  text(writer, "match", to_text(peer.match));
  text(writer, "lag", std::to_string(status.last.value - std::min(status.last, peer.match).value));
  writer.key("lastContactMs");
  writer.uint(static_cast<std::uint64_t>(tick.count()) * peer.silent_ticks);
}

void member(json::Writer& writer, const raft::Status& status, NodeId node, std::string_view address,
            milliseconds tick, const std::map<NodeId, std::uint32_t>& levels) {
  writer.begin_object();
  writer.key("node");
  writer.uint(node.value);
  const bool votes = contains(status.membership.voters, node);
  text(writer, "role", node == status.leader ? "LEADER" : votes ? "VOTER" : "LEARNER");
  text(writer, "address", address);
  for (const raft::PeerStatus& peer : status.peers)
    if (peer.id == node) progress(writer, status, peer, tick);
  if (node == status.id) {
    text(writer, "match", to_text(status.durable));
    text(writer, "lag", std::to_string(status.last.value - std::min(status.last, status.durable).value));
    writer.key("lastContactMs");
    writer.uint(0);
  }
  if (const auto level = levels.find(node); level != levels.end()) {
    writer.key("levelKnown");
    writer.uint(level->second);
  }
  writer.end_object();
}

void own_standing(json::Writer& writer, const OwnStanding& own) {
  if (own.build.empty()) return;
  text(writer, "build", own.build);
  writer.key("shardsOwned");
  writer.uint(own.shards_owned);
  if (!own.spared) return;
  writer.key("spared");
  writer.begin_object();
  writer.key("node");
  writer.uint(own.spared->node.value);
  text(writer, "by", own.spared->by);
  text(writer, "reason", own.spared->reason);
  writer.key("forMs");
  writer.integer(own.spared_for.count());
  writer.end_object();
}

}  // namespace

std::string members_json(const raft::Status& status, const std::map<NodeId, std::string>& addresses,
                         milliseconds tick, const std::map<NodeId, std::uint32_t>& levels,
                         const std::string& vote_withheld, const OwnStanding& own) {
  std::vector<NodeId> nodes = status.membership.voters;
  nodes.insert(nodes.end(), status.membership.learners.begin(), status.membership.learners.end());
  std::sort(nodes.begin(), nodes.end());
  json::Writer writer;
  writer.begin_object();
  text(writer, "term", to_text(status.term));
  writer.key("leader");
  writer.uint(status.leader.value);
  text(writer, "commit", to_text(status.commit));
  text(writer, "last", to_text(status.last));
  text(writer, "applied", to_text(status.applied));
  text(writer, "snapshot",
       std::to_string(status.first.value - std::min<std::uint64_t>(1, status.first.value)));
  if (!vote_withheld.empty()) text(writer, "voteWithheld", vote_withheld);
  own_standing(writer, own);
  writer.key("items");
  writer.begin_array();
  for (const NodeId node : nodes) {
    const auto known = addresses.find(node);
    member(writer, status, node, known == addresses.end() ? std::string_view() : known->second, tick, levels);
  }
  writer.end_array();
  writer.end_object();
  return writer.take();
}

bool is_fulfilled(const CellOrder& order, const raft::Membership& membership) {
  const bool votes = contains(membership.voters, order.node);
  const bool is_member = membership.contains(order.node);
  switch (order.change) {
    case raft::MemberChangeKind::add_learner:
      return is_member &&
             std::any_of(membership.addresses.begin(), membership.addresses.end(), [&](const auto& at) {
               return at.node == order.node && at.address == order.address;
             });
    case raft::MemberChangeKind::promote:
      return votes;
    case raft::MemberChangeKind::remove:
      return !is_member;
  }
  return false;
}

std::string done_json(Index index) { return "{\"index\":\"" + to_text(index) + "\"}"; }

}  // namespace troupe::operations
