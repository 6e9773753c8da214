#include "tests/storage/raft/checker.hpp"

#include <algorithm>

namespace troupe::raft::test {

void Checker::fail(std::string what) {
  if (!violation_) violation_ = std::move(what);
}

std::string Checker::at(const Node& node, Index index) {
  return " node=" + to_text(node.id) + " index=" + to_text(index) + " term=" + to_text(node.core().term());
}

void Checker::on_ready(const Nodes& nodes, const Node& node, const Ready& ready) {
  if (ready.role && ready.role->role == Role::leader) leader_rises(nodes, node, ready.role->term);
  const Index commit = node.core().commit();
  if (commit < commit_[node.id]) fail("commit_goes_back" + at(node, commit));
  commit_[node.id] = commit;
  for (const Entry& entry : ready.committed) entry_commits(nodes, node, entry);
  for (const ReadGrant& grant : ready.reads) {
    ++answered_;
    const auto started = reads_.find({node.id, grant.token});
    if (started == reads_.end()) return fail("read_answered_twice" + at(node, grant.index));
    if (grant.index < started->second) fail("stale_read" + at(node, grant.index));
    reads_.erase(started);
  }
  for (const ReadToken token : ready.reads_lost) {
    if (reads_.erase({node.id, token}) == 0) fail("read_lost_twice" + at(node, {}));
  }
}

void Checker::leader_rises(const Nodes& nodes, const Node& node, Term term) {
  const auto [other, first] = leaders_.try_emplace(term, node.id);
  if (other->second != node.id) fail("two_leaders" + at(node, {}));
  if (!first) return;
  std::size_t promised = 0;
  for (const NodeId voter : node.core().status().membership.voters) {
    const HardState& hard = nodes.at(voter)->disk.hard;
    if (hard == HardState{term, node.id} || hard.term > term) ++promised;
  }
  if (promised <= node.core().status().membership.voters.size() / 2)
    fail("leader_without_synced_votes" + at(node, {}));
  for (const auto& [index, known] : committed_) {
    if (known.seen_in < term && !node.log.holds(index, known.entry.term)) {
      return fail("leader_lacks_committed" + at(node, index));
    }
  }
}

void Checker::entry_commits(const Nodes& nodes, const Node& node, const Entry& entry) {
  Index& applied = applied_[node.id];
  if (applied != Index{} && entry.index != applied.next())
    fail("applied_out_of_order" + at(node, entry.index));
  applied = entry.index;
  if (!node.disk.log.holds(entry.index, entry.term)) fail("applied_before_own_sync" + at(node, entry.index));
  const auto [known, first] = committed_.try_emplace(entry.index, Committed{entry, node.core().term()});
  if (!(known->second.entry == entry)) fail("states_differ" + at(node, entry.index));
  known->second.seen_in = std::min(known->second.seen_in, node.core().term());
  newest_ = std::max(newest_, entry.index);
  if (!first) return;
  const auto voters = node.core().status().membership.voters;
  const auto synced = std::count_if(voters.begin(), voters.end(), [&](NodeId voter) {
    return nodes.at(voter)->disk.log.holds(entry.index, entry.term);
  });
  if (static_cast<std::size_t>(synced) <= voters.size() / 2)
    fail("committed_without_quorum" + at(node, entry.index));
}

void Checker::compare_logs(const Nodes& nodes) {
  for (auto a = nodes.begin(); a != nodes.end(); ++a) {
    for (auto b = std::next(a); b != nodes.end(); ++b) {
      const MemoryLog& one = a->second->log;
      const MemoryLog& two = b->second->log;
      bool agree = false;
      for (Index index = std::min(one.last(), two.last()); index >= std::max(one.first(), two.first());
           --index.value) {
        agree = agree || one.term(index) == two.term(index);
        if (agree && !(one.at(index) == two.at(index)))
          return fail("logs_do_not_match index=" + to_text(index));
      }
    }
  }
}

}  // namespace troupe::raft::test
