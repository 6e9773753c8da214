#include "tests/storage/raft/checker.hpp"

#include <algorithm>

#include "storage/base/msgpack.hpp"

namespace troupe::raft::test {

namespace {
bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::binary_search(nodes.begin(), nodes.end(), node);
}

/// Any two majorities of neighbours in this sense have a node in common.
bool are_neighbours(const Membership& a, const Membership& b) {
  std::vector<NodeId> different;
  std::set_symmetric_difference(a.voters.begin(), a.voters.end(), b.voters.begin(), b.voters.end(),
                                std::back_inserter(different));
  return different.size() <= 1;
}
}  // namespace

void Checker::fail(std::string what) {
  if (!violation_) violation_ = std::move(what);
}

std::string Checker::at(const Node& node, Index index) {
  return " node=" + to_text(node.id) + " index=" + to_text(index) + " term=" + to_text(node.core().term());
}

void Checker::on_ready(const Nodes& nodes, const Node& node, const Ready& ready) {
  compare_states(node);
  if (ready.role && ready.role->role == Role::leader) leader_rises(nodes, node, ready.role->term);
  const Index commit = node.core().commit();
  if (commit < commit_[node.id]) fail("commit_goes_back" + at(node, commit));
  commit_[node.id] = commit;
  if (node.core().role() == Role::leader) {
    leading_[node.id] = node.core().term();
    leader_appends(nodes, node, ready);
  }
  // It may have stepped down since it committed.
  if (leading_.contains(node.id)) {
    const bool config = std::any_of(ready.append.begin(), ready.append.end(),
                                    [](const Entry& entry) { return entry.kind == EntryKind::config; });
    leader_commits(nodes, node, leading_[node.id], config);
  }
  if (node.core().role() != Role::leader) leading_.erase(node.id);
  if (commit > newest_) fail("commit_that_no_leader_knows" + at(node, commit));
  for (const Entry& entry : ready.committed) entry_handed_out(node, entry);
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

void Checker::on_installed(const Node& node, const Snapshot& snapshot) {
  Index& applied = applied_[node.id];
  if (snapshot.meta.index < applied) fail("state_goes_back" + at(node, snapshot.meta.index));
  applied = snapshot.meta.index;
  const Index commit = node.core().commit();
  if (commit < commit_[node.id]) fail("commit_goes_back" + at(node, commit));
  commit_[node.id] = commit;
  compare_states(node);
  if (!node.log.holds(snapshot.meta.index, snapshot.meta.term))
    fail("snapshot_not_in_log" + at(node, commit));
}

void Checker::compare_states(const Node& node) {
  if (node.state.applied == Index{}) return;
  const auto known = states_.find(node.state.applied);
  if (known == states_.end()) return fail("state_that_nobody_committed" + at(node, node.state.applied));
  State expected = known->second;
  // Who was added, and replays the log from its beginning, learns of the membership where it first changes.
  if (node.state.membership == Membership{}) expected.membership = {};
  if (!(expected == node.state)) fail("states_differ" + at(node, node.state.applied));
}

void Checker::leader_rises(const Nodes& nodes, const Node& node, Term term) {
  const auto [other, first] = leaders_.try_emplace(term, node.id);
  if (other->second != node.id) fail("two_leaders" + at(node, {}));
  if (!first) return;
  const std::vector<NodeId> voters = node.core().status().membership.voters;
  // Who does not know yet that its removal is committed may still stand, and win, once.
  if (!contains(voters, node.id) && !contains(node.state.membership.voters, node.id)) {
    fail("stranger_leads" + at(node, {}));
  }
  const auto promised = std::count_if(voters.begin(), voters.end(), [&](NodeId voter) {
    const HardState& hard = nodes.at(voter)->disk.hard;
    const bool gone = !contains(committed_members_.voters, voter);  // its disk may be, too
    return gone || hard == HardState{term, node.id} || hard.term > term;
  });
  if (static_cast<std::size_t>(promised) <= voters.size() / 2)
    fail("leader_without_synced_votes" + at(node, {}));
  for (const auto& [index, known] : committed_) {
    if (known.seen_in < term && !node.log.holds(index, known.entry.term)) {
      return fail("leader_lacks_committed" + at(node, index));
    }
  }
}

// A learner that becomes a voter must hold nearly all, or the cell lives on fewer nodes than it counts.
void Checker::leader_appends(const Nodes& nodes, const Node& node, const Ready& ready) {
  for (const Entry& entry : ready.append) {
    if (entry.kind != EntryKind::config || entry.term != node.core().term()) continue;
    const auto next = unpacked<Membership>(entry.data.view());
    if (!next.ok()) return fail("malformed_configuration" + at(node, entry.index));
    for (const NodeId voter : next.value().voters) {
      const Node& promoted = *nodes.at(voter);
      if (contains(committed_members_.voters, voter) || voter == node.id) continue;
      if (promoted.disk.hard.term > entry.term) continue;  // it has gone on to another leader since
      if (promoted.disk.log.last().value + node.config.max_promote_lag + 1 < entry.index.value) {
        fail("promoted_while_lagging" + at(promoted, entry.index));
      }
    }
  }
}

void Checker::leader_commits(const Nodes& nodes, const Node& node, Term term, bool appended_config) {
  const Index commit = node.core().commit();
  if (commit <= newest_) return;
  if (node.core().term() == term) check_quorum(nodes, node, commit, appended_config);
  while (newest_ < commit) entry_commits(nodes, node, node.log.at(newest_.next()), term);
}

// A configuration that was appended since the last Ready may have come after the commit.
void Checker::check_quorum(const Nodes& nodes, const Node& node, Index commit, bool appended_config) {
  const Membership members = node.core().status().membership;
  if (!are_neighbours(members, committed_members_)) fail("configurations_leap" + at(node, commit));
  const auto held_by_most = [&](const std::vector<NodeId>& voters) {
    const auto synced = std::count_if(voters.begin(), voters.end(), [&](NodeId voter) {
      return nodes.at(voter)->disk.log.holds(commit, node.log.term(commit));
    });
    return static_cast<std::size_t>(synced) > voters.size() / 2;
  };
  if (held_by_most(members.voters)) return;
  if (appended_config && held_by_most(committed_members_.voters)) return;
  fail("committed_without_quorum" + at(node, commit));
}

void Checker::entry_commits(const Nodes& nodes, const Node& node, const Entry& entry, Term term) {
  newest_ = entry.index;
  committed_.emplace(entry.index, Committed{entry, term});
  for (const auto& [id, other] : nodes) {
    if (!other->up() || other->core().role() != Role::leader || other->core().term() <= term) continue;
    if (!other->log.holds(entry.index, entry.term)) fail("leader_lacks_committed" + at(*other, entry.index));
  }
  truth_.apply(entry);
  states_.emplace(entry.index, truth_);
  if (entry.kind != EntryKind::config) return;
  ++configs_;
  if (!are_neighbours(committed_members_, truth_.membership))
    fail("configurations_leap" + at(node, entry.index));
  committed_members_ = truth_.membership;
}

void Checker::entry_handed_out(const Node& node, const Entry& entry) {
  Index& applied = applied_[node.id];
  if (applied != Index{} && entry.index != applied.next())
    fail("applied_out_of_order" + at(node, entry.index));
  applied = entry.index;
  if (!node.disk.log.holds(entry.index, entry.term)) fail("applied_before_own_sync" + at(node, entry.index));
  const auto known = committed_.find(entry.index);
  if (known == committed_.end() || !(known->second.entry == entry))
    fail("logs_differ" + at(node, entry.index));
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
