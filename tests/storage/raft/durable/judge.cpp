#include "tests/storage/raft/durable/judge.hpp"

#include <algorithm>

namespace troupe::raft::test {

void Judge::fail(const std::string& what) {
  if (!violation_) violation_ = what;
}

void Judge::leads(NodeId node, Term term, const LogView& log) {
  const auto [at, first] = leaders_.try_emplace(term, node);
  if (at->second != node) fail("two_leaders term=" + to_text(term));
  if (!first) return;
  for (const auto& [index, known] : log_) {
    if (known.seen_in >= term || index < log.first()) continue;
    if (index > log.last() || log.term(index) != known.entry.term) {
      return fail("leader_lacks_committed node=" + to_text(node) + " index=" + to_text(index));
    }
  }
}

void Judge::applies(NodeId node, const Entry& entry, Term known_in) {
  const auto [at, first] = log_.try_emplace(entry.index, Known{entry, known_in});
  if (!(at->second.entry == entry))
    fail("states_differ node=" + to_text(node) + " index=" + to_text(entry.index));
  at->second.seen_in = std::min(at->second.seen_in, known_in);
  if (first && entry.index.value > 1 && !log_.count(Index{entry.index.value - 1})) {
    fail("applied_out_of_order node=" + to_text(node) + " index=" + to_text(entry.index));
  }
}

void Judge::installs(NodeId node, const Register& state) {
  const auto at = log_.find(state.applied);
  if (at == log_.end() || at->second.entry.term != state.term) {
    fail("snapshot_of_nothing node=" + to_text(node) + " index=" + to_text(state.applied));
  }
}

void Judge::commits(NodeId node, Index commit) {
  Index& before = commit_[node];
  if (commit < before) fail("commit_goes_back node=" + to_text(node));
  before = commit;
}

void Judge::speaks(NodeId node) {
  if (silent_.count(node)) fail("damaged_node_speaks node=" + to_text(node));
}

void Judge::read_ends(const Read& read, const Register& state) {
  ++reads_;
  for (const auto& [client, sequence] : read.must) {
    const auto at = state.newest.find(client);
    if (at == state.newest.end() || at->second < sequence)
      fail("stale_read client=" + std::to_string(client));
  }
  if (state.effects < read.effects) fail("read_goes_back");
  for (const auto& [client, sequence] : state.newest) {
    if (sequence > asked_[client]) fail("write_from_nowhere client=" + std::to_string(client));
  }
  effects_seen_ = std::max(effects_seen_, state.effects);
}

}  // namespace troupe::raft::test
