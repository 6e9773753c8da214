#include "tests/storage/raft/scenario/runner.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace troupe::raft::test {

namespace {

const std::vector<std::pair<std::string, MessageType>> message_names = {
    {"pre-vote", MessageType::pre_vote},
    {"pre-vote-reply", MessageType::pre_vote_reply},
    {"vote", MessageType::vote},
    {"vote-reply", MessageType::vote_reply},
    {"append", MessageType::append},
    {"append-reply", MessageType::append_reply},
    {"heartbeat", MessageType::heartbeat},
    {"heartbeat-reply", MessageType::heartbeat_reply},
    {"read-index", MessageType::read_index},
    {"read-index-reply", MessageType::read_index_reply},
    {"timeout-now", MessageType::timeout_now},
};

MessageType type_of(const std::string& name) {
  for (const auto& [known, type] : message_names) {
    if (known == name) return type;
  }
  throw std::runtime_error("no such message: " + name);
}

template <class T>
T named(const std::string& name, std::initializer_list<std::pair<const char*, T>> of) {
  for (const auto& [known, value] : of) {
    if (name == known) return value;
  }
  throw std::runtime_error("unknown: " + name);
}

std::string role_name(Role role) {
  switch (role) {
    case Role::follower:
      return "follower";
    case Role::pre_candidate:
      return "pre-candidate";
    case Role::candidate:
      return "candidate";
    case Role::leader:
      return "leader";
  }
  return "?";
}

std::string joined(std::string text) {
  std::replace(text.begin(), text.end(), ' ', ',');
  return text.empty() ? "none" : text;
}

std::string ids(const std::vector<NodeId>& nodes) {
  std::string out;
  for (const NodeId id : nodes) out += (out.empty() ? "" : ",") + to_text(id);
  return out.empty() ? "none" : out;
}

/// "1->3"
std::pair<std::uint32_t, std::uint32_t> way(const std::string& text) {
  const auto arrow = text.find("->");
  if (arrow == std::string::npos) throw std::runtime_error("not FROM->TO: " + text);
  return {static_cast<std::uint32_t>(std::stoul(text.substr(0, arrow))),
          static_cast<std::uint32_t>(std::stoul(text.substr(arrow + 2)))};
}

}  // namespace

Runner::Runner() {
  commands_["cluster"] = [&](const Line& line) { start(line); };
  add_work();
  add_faults();
  add_expectations();
}

void Runner::run(const Line& line) {
  const auto command = commands_.find(line.verb);
  if (command == commands_.end()) throw std::runtime_error("no such command: " + line.verb);
  if (!cluster_ && line.verb != "cluster") throw std::runtime_error("begin with: cluster");
  command->second(line);
}

void Runner::start(const Line& line) {
  Config config;
  config.max_append_bytes = line.number_of("append-bytes", config.max_append_bytes);
  config.max_inflight_appends =
      static_cast<std::uint32_t>(line.number_of("inflight", config.max_inflight_appends));
  config.max_inflight_bytes = line.number_of("inflight-bytes", config.max_inflight_bytes);
  config.max_uncommitted_bytes = line.number_of("uncommitted-bytes", config.max_uncommitted_bytes);
  config.max_promote_lag = line.number_of("promote-lag", config.max_promote_lag);
  config.max_pending_reads = line.number_of("pending-reads", config.max_pending_reads);
  config.heartbeat_ticks = 5;
  config.election_ticks = 30;
  cluster_ = std::make_unique<Cluster>(static_cast<std::uint32_t>(line.number_of("voters", 3)),
                                       static_cast<std::uint32_t>(line.number_of("learners", 0)), config,
                                       static_cast<std::uint32_t>(line.number_of("strangers", 0)));
  watch_messages();
}

void Runner::watch_messages() {
  net().drop([this](Message& message) {
    for (const Filter& filter : filters_) {
      if (filter.type != message.type || (filter.from != 0 && filter.from != message.from.value) ||
          (filter.to != 0 && filter.to != message.to.value)) {
        continue;
      }
      if (filter.hold) held_.push_back(message);
      return true;
    }
    return false;
  });
}

template <class Outcome>
void Runner::expect_outcome(const Line& line, const Outcome& outcome) {
  const std::string code = outcome.ok() ? "" : std::string(code_text(outcome.error().code));
  EXPECT_EQ(code, line.outcome);
}

void Runner::add_work() {
  commands_["restore"] = [&](const Line& line) {
    const auto terms = line.values.count("terms") ? numbers(line.values.at("terms")) : numbers("");
    net().restore(line.node(0), terms,
                  {Term{line.number_of("term", terms.empty() ? 0 : terms.back())},
                   NodeId{static_cast<std::uint32_t>(line.number_of("vote", 0))}});
  };
  commands_["campaign"] = [&](const Line& line) { net().campaign(line.node(0)); };
  commands_["elect"] = [&](const Line& line) { net().elect(line.node(0)); };
  commands_["tick"] = [&](const Line& line) {
    net().tick(line.node(0), line.words.size() > 1 ? line.node(1) : 1);
  };
  commands_["pass"] = [&](const Line& line) { net().pass(line.node(0)); };
  commands_["deliver"] = [&](const Line&) { net().deliver(); };
  commands_["propose"] = [&](const Line& line) {
    expect_outcome(line, net().propose(line.node(0), line.word(1), line.number_of("times", 1)));
  };
  commands_["read"] = [&](const Line& line) { expect_outcome(line, net().read(line.node(0), line.node(1))); };
  commands_["transfer"] = [&](const Line& line) {
    expect_outcome(line, net().core(line.node(0)).transfer(NodeId{line.node(1)}));
  };
  commands_["change"] = [&](const Line& line) {
    const auto kind = named<MemberChangeKind>(line.word(1), {{"add-learner", MemberChangeKind::add_learner},
                                                             {"promote", MemberChangeKind::promote},
                                                             {"remove", MemberChangeKind::remove}});
    expect_outcome(line, net().change(line.node(0), kind, line.node(2)));
  };
  commands_["compact"] = [&](const Line& line) { net().compact(line.node(0), line.node(1)); };
  commands_["carry-snapshot"] = [&](const Line& line) {
    EXPECT_EQ(net().carry_snapshot(line.node(0)) ? "" : "unwanted", line.outcome);
  };
  commands_["snapshot-fails"] = [&](const Line& line) {
    net().node(line.node(0)).snapshots.clear();
    net().core(line.node(0)).snapshot_sent(NodeId{line.node(1)}, Index{});
  };
  commands_["step"] = [&](const Line& line) { send_raw(line); };
}

void Runner::send_raw(const Line& line) {
  const auto [from, to] = way(line.word(1));
  Message message{
      .type = type_of(line.word(0)), .from = NodeId{from}, .term = Term{line.number_of("term", 0)}};
  message.index = Index{line.number_of("index", 0)};
  message.log_term = Term{line.number_of("log-term", 0)};
  message.commit = Index{line.number_of("commit", 0)};
  message.hint = Index{line.number_of("hint", 0)};
  message.hint_term = Term{line.number_of("hint-term", 0)};
  message.sequence = line.number_of("sequence", 0);
  message.reject = line.number_of("reject", 0) != 0;
  message.transfer = line.number_of("transfer", 0) != 0;
  Index index = message.index;
  for (const std::uint64_t term : numbers(line.values.count("entries") ? line.values.at("entries") : "")) {
    index = index.next();
    message.entries.push_back({Term{term}, index, EntryKind::command, {}, Blob("t" + std::to_string(term))});
  }
  net().step(to, message);
}

void Runner::add_faults() {
  commands_["flush"] = [&](const Line& line) { net().flush(line.node(0)); };
  commands_["sync"] = [&](const Line& line) {
    if (line.words.size() < 2) return net().sync(line.node(0));
    for (std::uint32_t left = line.node(1); left > 0; --left) EXPECT_TRUE(net().sync_one(line.node(0)));
  };
  commands_["hold-disk"] = [&](const Line& line) { net().hold_disk(line.node(0)); };
  commands_["release-disk"] = [&](const Line& line) { net().release_disk(line.node(0)); };
  commands_["hold-apply"] = [&](const Line& line) { net().node(line.node(0)).hold_apply = true; };
  commands_["apply"] = [&](const Line& line) {
    net().node(line.node(0)).hold_apply = false;
    if (!net().node(line.node(0)).applied.empty()) {
      net().core(line.node(0)).applied(net().node(line.node(0)).applied.back().index);
    }
  };
  commands_["cut"] = [&](const Line& line) { net().cut(line.node(0), line.node(1)); };
  commands_["cut-one-way"] = [&](const Line& line) {
    const auto [from, to] = way(line.word(0));
    net().cut_one_way(from, to);
  };
  commands_["isolate"] = [&](const Line& line) { net().isolate(line.node(0)); };
  commands_["heal"] = [&](const Line&) { net().heal(); };
  commands_["crash"] = [&](const Line& line) { net().crash(line.node(0)); };
  commands_["restart"] = [&](const Line& line) { net().restart(line.node(0)); };
  commands_["link-down"] = [&](const Line& line) {
    net().core(line.node(0)).link_down(NodeId{line.node(1)});
  };
  commands_["link-up"] = [&](const Line& line) { net().core(line.node(0)).link_up(NodeId{line.node(1)}); };
  const auto filter = [&](const Line& line, bool hold) {
    const auto [from, to] = way(line.word(1));
    filters_.push_back({type_of(line.word(0)), from, to, hold});
  };
  commands_["lose"] = [=](const Line& line) { filter(line, false); };
  commands_["hold"] = [=](const Line& line) { filter(line, true); };
  commands_["pass-all"] = [&](const Line&) { filters_.clear(); };
  commands_["release"] = [&](const Line& line) {
    filters_.clear();
    auto messages = std::exchange(held_, {});
    if (line.words.size() == 1 && line.word(0) == "backwards") std::reverse(messages.begin(), messages.end());
    EXPECT_FALSE(messages.empty()) << "nothing was held";
    for (const Message& message : messages) net().step(message.to.value, message);
  };
}

void Runner::add_expectations() {
  commands_["expect"] = [&](const Line& line) { expect_node(line); };
  commands_["expect-peer"] = [&](const Line& line) { expect_peer(line); };
  commands_["forget-sent"] = [&](const Line&) { net().forget_sent(); };
  commands_["expect-sent"] = [&](const Line& line) {
    const auto count = line.values.find("count");
    if (count == line.values.end())
      EXPECT_GT(count_sent(line), 0u);
    else
      EXPECT_EQ(count_sent(line), line.number_of("count", 0));
  };
  commands_["expect-read"] = [&](const Line& line) {
    const Node& node = net().node(line.node(0));
    const ReadToken token = line.node(1);
    std::string is = "waiting";
    if (node.granted.count(token)) is = "at-" + to_text(node.granted.at(token));
    if (std::count(node.lost.begin(), node.lost.end(), token) > 0) is = "lost";
    EXPECT_EQ(is, line.word(2));
  };
}

std::size_t Runner::count_sent(const Line& line) {
  const auto [from, to] = way(line.word(1));
  std::size_t count = 0;
  for (const Message& message : net().sent(type_of(line.word(0)), from)) {
    if (to != 0 && message.to.value != to) continue;
    if (line.values.count("commit") && message.commit.value != line.number_of("commit", 0)) continue;
    if (line.values.count("entries") && message.entries.size() != line.number_of("entries", 0)) continue;
    if (line.values.count("reject") && message.reject != (line.number_of("reject", 0) != 0)) continue;
    ++count;
  }
  return count;
}

std::string Runner::fact(std::uint32_t id, const std::string& key) {
  const Status status = net().status(id);
  if (key == "role") return role_name(status.role);
  if (key == "term") return to_text(status.term);
  if (key == "vote") return to_text(status.voted_for);
  if (key == "leader") return to_text(status.leader);
  if (key == "first") return to_text(status.first);
  if (key == "last") return to_text(status.last);
  if (key == "durable") return to_text(status.durable);
  if (key == "commit") return to_text(status.commit);
  if (key == "transferee") return to_text(status.transferee);
  if (key == "voters") return ids(status.membership.voters);
  if (key == "learners") return ids(status.membership.learners);
  if (key == "log") return joined(net().terms(id));
  if (key == "applied") return joined(net().applied(id));
  if (key == "synced-term") return to_text(net().node(id).disk.hard.term);
  if (key == "snapshots-wanted") return std::to_string(net().node(id).snapshots.size());
  throw std::runtime_error("no such fact: " + key);
}

void Runner::expect_node(const Line& line) {
  for (const auto& [key, value] : line.values) EXPECT_EQ(fact(line.node(0), key), value) << key;
}

std::string Runner::peer_fact(const PeerStatus& peer, const std::string& key) {
  if (key == "match") return to_text(peer.match);
  if (key == "next") return to_text(peer.next);
  if (key == "inflight") return std::to_string(peer.inflight);
  if (key == "learner") return peer.learner ? "yes" : "no";
  if (key != "state") throw std::runtime_error("no such fact: " + key);
  switch (peer.state) {
    case PeerState::probe:
      return "probe";
    case PeerState::replicate:
      return "replicate";
    case PeerState::snapshot:
      return "snapshot";
  }
  return "?";
}

void Runner::expect_peer(const Line& line) {
  const Status status = net().status(line.node(0));
  const auto peer = std::find_if(status.peers.begin(), status.peers.end(),
                                 [&](const PeerStatus& at) { return at.id.value == line.node(1); });
  if (line.outcome == "none") {
    EXPECT_TRUE(peer == status.peers.end());
    return;
  }
  ASSERT_TRUE(peer != status.peers.end()) << "no such peer";
  for (const auto& [key, value] : line.values) EXPECT_EQ(peer_fact(*peer, key), value) << key;
}

}  // namespace troupe::raft::test
