// Who counts. A configuration is in effect from the moment its entry is appended, and gone when it is
// truncated.

#include <algorithm>

#include "storage/base/check.hpp"
#include "storage/base/msgpack.hpp"
#include "storage/raft/core.hpp"
#include "storage/raft/mutant.hpp"

namespace troupe::raft {

namespace {
constexpr std::size_t scan_bytes = 1 << 20;  ///< of the log read at a time when looking for configurations
}

void Core::restore_configs() {
  for (Index at = applied_.next(); at <= log_.last();) {
    const auto entries = log_.slice(at, log_.last().next(), scan_bytes);
    TROUPE_CHECK(!entries.empty());
    for (const Entry& entry : entries) adopt_config(entry);
    at = entries.back().index.next();
  }
}

void Core::adopt_config(const Entry& entry) {
  if (entry.kind != EntryKind::config) return;
  auto membership = unpacked<Membership>(entry.data.view());
  TROUPE_CHECK(membership.ok());
  configs_.push_back({entry.index, std::move(membership).value()});
  membership_changed();
}

bool Core::is_voter(NodeId node) const {
  const auto& voters = membership().voters;
  return std::find(voters.begin(), voters.end(), node) != voters.end();
}

bool Core::is_member(NodeId node) const {
  const auto& learners = membership().learners;
  return is_voter(node) || std::find(learners.begin(), learners.end(), node) != learners.end();
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
}

void Core::append_entry(Entry entry) {
  log_.append(entry);
  adopt_config(entry);
}

void Core::truncate(Index from) {
  TROUPE_CHECK(from > commit_);
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
