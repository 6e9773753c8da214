#include "tests/storage/replica/life/judge.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t compared_max = 300;  ///< entries below the newest on which two logs agree

std::string at(NodeId node, Index index) { return " node=" + to_text(node) + " index=" + to_text(index); }

/// Any two majorities of neighbours in this sense have a node in common.
bool are_neighbours(const raft::Membership& a, const raft::Membership& b) {
  std::vector<NodeId> different;
  std::set_symmetric_difference(a.voters.begin(), a.voters.end(), b.voters.begin(), b.voters.end(),
                                std::back_inserter(different));
  return different.size() <= 1;
}

}  // namespace

void Judge::leads(NodeId node, Term term, const raft::LogView& log) {
  const auto [leader, first] = leaders_.try_emplace(term, node);
  if (leader->second != node) fail("two_leaders term=" + to_text(term) + at(node, {}));
  if (!first) return;
  for (auto known = log_.lower_bound(log.first()); known != log_.end(); ++known) {
    if (known->second.seen_in >= term) continue;
    if (known->first > log.last() || log.term(known->first) != known->second.term)
      return fail("leader_lacks_committed" + at(node, known->first) + " term=" + to_text(term));
  }
}

void Judge::commits(NodeId node, const ReplicaDriver& driver) {
  const Index commit = driver.commit();
  Index& before = commit_[node];
  if (commit < before) fail("commit_goes_back" + at(node, commit));
  before = commit;
  if (commit <= newest_) return;
  if (commit > driver.log().last()) return fail("commit_beyond_log" + at(node, commit));
  check_quorum(node, driver, commit, driver.log().term(commit));
  for (Index index = std::max(newest_.next(), driver.log().first()); index <= commit; index = index.next())
    log_[index] = {driver.log().term(index), driver.term()};
  newest_ = commit;
}

// A configuration may have been appended since the commit, or the one that counted may have been truncated:
// who wakes from a stall hears of acknowledgements first and of the next leader then.
void Judge::check_quorum(NodeId node, const ReplicaDriver& driver, Index commit, Term term) {
  const raft::Membership members = driver.status().membership;
  if (!are_neighbours(members, members_)) fail("configurations_leap" + at(node, commit));
  const auto held_by_most = [&](const std::vector<NodeId>& voters) {
    const auto synced = std::count_if(voters.begin(), voters.end(), [&](NodeId voter) {
      return silent_.contains(voter) || holds_(voter, commit, term);
    });
    return static_cast<std::size_t>(synced) > voters.size() / 2;
  };
  const auto before = members_of_.find(node);
  const bool held = held_by_most(members.voters) || held_by_most(members_.voters) ||
                    (before != members_of_.end() && held_by_most(before->second.voters));
  if (!held) fail("committed_without_quorum" + at(node, commit));
}

void Judge::compare(NodeId node, const MachineState& state) {
  if (state.index > newest_) return fail("applied_what_nobody_committed" + at(node, state.index));
  const auto [known, first] = states_.try_emplace(state.index, state.chain);
  if (known->second != state.chain) fail("states_differ" + at(node, state.index));
  const auto committed = log_.find(state.index);
  if (committed != log_.end() && committed->second.term != state.term)
    fail("applied_another_entry" + at(node, state.index));
}

void Judge::applies(NodeId node, const MachineState& state) {
  compare(node, state);
  if (state.index <= newest_config_ || !state.has_membership || state.membership == members_) return;
  newest_config_ = state.index;
  members_ = state.membership;
  ++configs_;
}

void Judge::compare_logs(NodeId one, const raft::LogView& a, NodeId two, const raft::LogView& b) {
  const Index first{std::max(a.first(), b.first()).value - 1};
  bool agree = false;
  std::size_t left = compared_max;
  for (Index index = std::min(a.last(), b.last()); index >= first && index.value > 0; --index.value) {
    if (agree && left-- == 0) return;
    const bool same = a.term(index) == b.term(index);
    if (agree && !same) return fail("logs_do_not_match" + at(one, index) + " other=" + to_text(two));
    agree = agree || same;
  }
}

void Judge::read_ends(raft::ReadToken token, const Result<Index>& applied, Index state) {
  const auto begun = reads_.find(token);
  if (begun == reads_.end()) return fail("read_answered_twice token=" + std::to_string(token));
  const Index must = begun->second;
  reads_.erase(begun);
  if (!applied.ok()) return;
  ++answered_;
  if (state < must) fail("stale_read index=" + to_text(state) + " committed=" + to_text(must));
}

}  // namespace troupe
