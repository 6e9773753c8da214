#include "tests/storage/raft/promise_checker.hpp"

namespace troupe::raft::test {

void PromiseChecker::fail(const std::string& what, NodeId node, Term term) {
  checker_.fail(what + " node=" + to_text(node) + " term=" + to_text(term));
}

void PromiseChecker::on_ready(const Node& node, const Ready& ready) {
  if (ready.hard && ready.hard->voted_for == node.id) stood_in_.insert(ready.hard->term);
  if (ready.hard && !stood_in_.contains(ready.hard->term))
    fail("term_nobody_stood_in", node.id, ready.hard->term);
  if (node.core().role() == Role::leader) look_at_peers(node);
}

void PromiseChecker::look_at_peers(const Node& node) {
  const Status status = node.core().status();
  Matches& known = matches_[node.id];
  if (known.term != status.term) known = {status.term, {}};
  std::map<NodeId, Index> now;
  for (const PeerStatus& peer : status.peers) {
    if (peer.inflight > node.config.max_inflight_appends) fail("window_exceeded", node.id, status.term);
    const auto before = known.of.find(peer.id);
    if (before != known.of.end() && peer.match < before->second)
      fail("match_goes_back", node.id, status.term);
    now[peer.id] = peer.match;
  }
  known.of = std::move(now);  // Who was removed and comes back begins anew.
}

void PromiseChecker::on_sent(const Nodes& nodes, const Message& message) {
  const Node& from = *nodes.at(message.from);
  const HardState& hard = from.disk.hard;
  const bool gone_on = hard.term > message.term;
  const auto voted = [&](NodeId for_whom) { return gone_on || hard == HardState{message.term, for_whom}; };
  std::size_t bytes = 0;
  switch (message.type) {
    case MessageType::vote:
      if (!voted(message.from)) fail("vote_asked_before_sync", message.from, message.term);
      return;
    case MessageType::vote_reply:
      if (!message.reject && !voted(message.to)) fail("vote_given_before_sync", message.from, message.term);
      return;
    case MessageType::append_reply:
      if (!message.reject && !gone_on && from.disk.log.last() < message.index)
        fail("accepted_before_sync", message.from, message.term);
      return;
    case MessageType::append:
      for (const Entry& entry : message.entries) bytes += entry.bytes();
      if (message.entries.size() > 1 && bytes > from.config.max_append_bytes)
        fail("append_too_large", message.from, message.term);
      return;
    case MessageType::timeout_now: {
      if (!from.up() || from.core().status().transferee != message.to) return;
      const Node& to = *nodes.at(message.to);
      const bool has_gone_on = to.disk.hard.term > message.term;
      if (!has_gone_on && to.disk.log.last() < from.log.last())
        fail("handed_over_to_a_shorter_log", message.from, message.term);
      return;
    }
    case MessageType::pre_vote:
    case MessageType::pre_vote_reply:
    case MessageType::heartbeat:
    case MessageType::heartbeat_reply:
    case MessageType::read_index:
    case MessageType::read_index_reply:
      return;
  }
}

void PromiseChecker::on_accepted(const Node& node, const Status& before) {
  if (before.transferee != NodeId{}) fail("accepted_while_handing_over", node.id, before.term);
  const std::size_t after = node.core().status().uncommitted_bytes;
  if (before.uncommitted_bytes > 0 && after > node.config.max_uncommitted_bytes)
    fail("accepted_beyond_the_limit", node.id, before.term);
}

}  // namespace troupe::raft::test
