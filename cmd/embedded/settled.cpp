#include "cmd/embedded/settled.hpp"

#include <map>

#include "storage/raft/ready.hpp"

namespace troupe::embedded {
namespace {

using Looks = std::map<std::uint32_t, NodeLook>;

std::uint32_t leader_among(const Looks& looks) {
  std::uint32_t leader = 0;
  std::uint64_t term = 0;
  for (const auto& [n, look] : looks) {
    if (look.status->role.load() != static_cast<std::uint8_t>(raft::Role::leader)) continue;
    if (look.status->term.load() > term) leader = n, term = look.status->term.load();
  }
  return leader;
}

std::string node_trouble(const std::string& node, const NodeLook& look, std::uint32_t leader,
                         std::uint64_t commit, std::size_t hosts) {
  if (!look.failure.empty()) return node + " gave up: " + look.failure;
  if (look.status->leader.load() != leader) return node + " does not follow the leader";
  if (!look.status->leased.load()) return node + " has no lease";
  if (look.status->applied.load() < commit) return node + " is behind";
  if (const std::size_t there = look.reads->cell().hosts_connected; there != hosts)
    return node + " sees " + std::to_string(there) + " of " + std::to_string(hosts) + " hosts connected";
  return {};
}

std::string shard_trouble(const Looks& up, std::size_t nodes, const Reads& reads) {
  std::map<std::uint32_t, std::size_t> owned;
  for (const ShardRecord& shard : reads.shards()) {
    if (!up.contains(shard.owner.value))
      return "shard " + to_text(shard.id) + " is with node " + to_text(shard.owner) + ", which is down";
    ++owned[shard.owner.value];
  }
  if (owned.empty()) return "the cell is not bootstrapped";
  for (const auto& [node, count] : owned)
    if (up.size() == nodes && count < reads.shard_count() / nodes)
      return "node " + std::to_string(node) + " owns only " + std::to_string(count) + " shards";
  if (up.size() == nodes && owned.size() < nodes) return "a node owns no shard";
  for (const HostFacts& host : reads.hosts())
    if (host.record.is_connected() &&
        host.record.session_node != reads.shard(shard_of(host.record.id, reads.shard_count())).owner)
      return host.record.name + " is not connected to the owner of its shard";
  return {};
}

}  // namespace

std::string why_not_settled(const std::vector<std::uint32_t>& nodes, std::size_t hosts,
                            const std::function<NodeLook(std::uint32_t node)>& look) {
  Looks up;
  for (const std::uint32_t n : nodes)
    if (NodeLook one = look(n); one.status != nullptr) up.emplace(n, std::move(one));
  const std::uint32_t leader = leader_among(up);
  if (leader == 0) return "no node leads";
  const std::uint64_t commit = up.at(leader).status->commit.load();
  for (const auto& [n, one] : up)
    if (auto trouble = node_trouble("node " + std::to_string(n), one, leader, commit, hosts);
        !trouble.empty())
      return trouble;
  return shard_trouble(up, nodes.size(), *up.at(leader).reads);
}

}  // namespace troupe::embedded
