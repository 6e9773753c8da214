// Who counts. A configuration is in effect from the moment its entry is appended, and gone when it is
// truncated.

#include <algorithm>

#include "storage/base/msgpack.hpp"
#include "storage/raft/core.hpp"
#include "storage/raft/mutant.hpp"

namespace troupe::raft {

namespace {
constexpr std::size_t scan_bytes = 1 << 20;  ///< of the log read at a time when looking for configurations

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

void insert_ascending(std::vector<NodeId>& nodes, NodeId node) {
  nodes.insert(std::lower_bound(nodes.begin(), nodes.end(), node), node);
}
}  // namespace

void Core::restore_configs() {
  if (mutated(Mutant::restart_forgets_configs)) return;
  for (Index at = applied_.next(); at <= log_.last();) {
    const auto entries = log_.slice(at, log_.last().next(), scan_bytes);
    if (entries.empty()) return;  // The view has failed, and its driver will stop.
    for (const Entry& entry : entries) adopt_config(entry);
    at = entries.back().index.next();
  }
}

void Core::adopt_config(const Entry& entry) {
  if (entry.kind != EntryKind::config) return;
  auto membership = unpacked<Membership>(entry.data.view());
  TROUPE_RAFT_CHECK(membership.ok());
  configs_.push_back({entry.index, std::move(membership).value()});
  membership_changed();
}

bool Core::is_voter(NodeId node) const { return contains(membership().voters, node); }

bool Core::is_member(NodeId node) const { return membership().contains(node); }

// A removed leader may be the only one to hold its removal: until that is known to be committed it still
// stands for election, without counting itself. A node of no membership waits to be added.
bool Core::may_campaign() const {
  if (is_voter(self_) || mutated(Mutant::strangers_campaign)) return true;
  if (mutated(Mutant::removed_never_campaigns)) return false;
  if (configs_.size() < 2 || configs_.back().index <= commit_) return false;
  return contains(configs_[configs_.size() - 2].membership.voters, self_);
}

bool Core::is_removed() const {
  if (mutated(Mutant::removed_leader_stays)) return false;
  return role_ == Role::leader && !is_voter(self_) && configs_.back().index <= commit_;
}

Result<Index> Core::change(const MemberChange& change) {
  if (const auto may = may_change(change); !may.ok()) return may.error();
  auto next = changed(change);
  if (!next.ok()) return next.error();
  if (change.kind != MemberChangeKind::add_learner && !enough_heard(next.value())) {
    return Error{ErrorCode::unavailable, "too few of the voters that would be left answer; mend them first"};
  }
  const Index index = log_.last().next();
  append_entry({hard_.term, index, EntryKind::config, change.stamp, Blob(packed(next.value()))});
  return index;
}

// Two changes may overlap neither in one leader's log nor across leaders (Ongaro's correction of 2015).
Result<void> Core::may_change(const MemberChange& change) const {
  if (role_ != Role::leader) return Error{ErrorCode::not_leader, "this node does not lead"};
  if (transferee_ != NodeId{})
    return Error{ErrorCode::unavailable, "leadership is being handed over; try again"};
  if (commit_ < term_start_ && !mutated(Mutant::change_before_term_commit)) {
    return Error{ErrorCode::unavailable, "the new leader has committed nothing yet; try again"};
  }
  if (configs_.back().index > applied_ && !mutated(Mutant::changes_overlap)) {
    return Error{ErrorCode::conflict, "the membership change before is not applied yet; try again"};
  }
  if (change.node == NodeId{}) return Error{ErrorCode::invalid_argument, "no node named"};
  return {};
}

Result<Membership> Core::changed(const MemberChange& change) const {
  Membership next = membership();
  const std::string node = "node " + to_text(change.node);
  switch (change.kind) {
    case MemberChangeKind::add_learner:
      if (is_member(change.node)) return Error{ErrorCode::invalid_argument, node + " is a member already"};
      if (next.voters.size() + next.learners.size() >= config_.max_members) {
        return Error{ErrorCode::limit_exceeded, "the cell has as many members as it may"};
      }
      insert_ascending(next.learners, change.node);
      std::erase_if(next.addresses, [&](const MemberAddress& at) { return at.node == change.node; });
      next.addresses.push_back({change.node, change.address});
      std::sort(next.addresses.begin(), next.addresses.end(),
                [](const MemberAddress& a, const MemberAddress& b) { return a.node < b.node; });
      return next;
    case MemberChangeKind::promote:
      if (!contains(next.learners, change.node)) {
        return Error{ErrorCode::invalid_argument, node + " is not a learner"};
      }
      if (const auto ready = caught_up(change.node); !ready.ok()) return ready.error();
      std::erase(next.learners, change.node);
      insert_ascending(next.voters, change.node);
      return next;
    case MemberChangeKind::remove:
      if (!is_member(change.node)) return Error{ErrorCode::invalid_argument, node + " is not a member"};
      if (next.voters == std::vector{change.node}) {
        return Error{ErrorCode::invalid_argument, node + " is the last voter"};
      }
      std::erase(next.learners, change.node);
      std::erase(next.voters, change.node);
      std::erase_if(next.addresses, [&](const MemberAddress& at) { return at.node == change.node; });
      return next;
  }
  return Error{ErrorCode::internal, "unknown change"};
}

// A voter that lags far behind is a voter less: the next failure would stop the cell until it has caught up.
Result<void> Core::caught_up(NodeId learner) const {
  if (mutated(Mutant::promote_lagging)) return {};
  const auto peer = peers_.find(learner);
  TROUPE_RAFT_CHECK(peer != peers_.end());
  const std::uint64_t lag = log_.last().value - peer->second.match.value;
  if (lag <= config_.max_promote_lag && peer->second.state == PeerState::replicate) return {};
  return Error{ErrorCode::invalid_argument,
               "node " + to_text(learner) + " lags by " + std::to_string(lag) + " entries (at most " +
                   std::to_string(config_.max_promote_lag) + " may be missing); wait until it has caught up"};
}

bool Core::enough_heard(const Membership& next) const {
  const auto heard = std::count_if(next.voters.begin(), next.voters.end(), [&](NodeId node) {
    const auto peer = peers_.find(node);
    return node == self_ || (peer != peers_.end() && peer->second.silent_ticks < config_.election_ticks);
  });
  return static_cast<std::size_t>(heard) > next.voters.size() / 2;
}

void Core::membership_changed() {
  if (role_ != Role::leader) return;
  std::erase_if(peers_, [&](const auto& at) { return !is_member(at.first); });
  const auto add = [&](NodeId node, bool learner) {
    if (node == self_) return;
    const auto [at, fresh] = peers_.try_emplace(node);
    at->second.learner = learner;
    if (fresh) at->second.next = log_.last().next();
  };
  for (const NodeId node : membership().voters) add(node, false);
  for (const NodeId node : membership().learners) add(node, true);
  confirm_reads();  // the quorum may have become smaller
}

void Core::append_entry(Entry entry) {
  log_.append(entry);
  adopt_config(entry);
}

void Core::truncate(Index from) {
  TROUPE_RAFT_INVARIANT(from > commit_);
  log_.truncate(from);
  if (mutated(Mutant::config_sticks)) return;
  while (configs_.size() > 1 && configs_.back().index >= from) configs_.pop_back();
}

// The highest value that a quorum of voters has reached.
std::uint64_t Core::reached_by_quorum(std::uint64_t own, std::uint64_t (*of)(const Peer&)) const {
  std::vector<std::uint64_t> values;
  const auto add = [&](NodeId node) {
    if (node == self_) return values.push_back(own);
    const auto peer = peers_.find(node);
    values.push_back(peer == peers_.end() ? 0 : of(peer->second));
  };
  for (const NodeId voter : membership().voters) add(voter);
  if (mutated(Mutant::learner_counts)) {
    for (const NodeId learner : membership().learners) add(learner);
  }
  std::sort(values.begin(), values.end(), std::greater<>());
  return values.empty() ? 0 : values[quorum() - 1];
}

}  // namespace troupe::raft
