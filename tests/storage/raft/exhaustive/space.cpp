#include "tests/storage/raft/exhaustive/space.hpp"

#include <algorithm>

#include "storage/base/check.hpp"
#include "storage/base/msgpack.hpp"

namespace troupe::raft::test {

namespace {

constexpr std::uint64_t core_seed = 1;

std::uint8_t byte(std::uint64_t value) {
  TROUPE_CHECK(value < 256);
  return static_cast<std::uint8_t>(value);
}

std::uint8_t digest(const Entry& entry) {
  unsigned sum = static_cast<unsigned>(entry.kind);
  for (const char c : entry.data.view()) sum = sum * 31 + static_cast<unsigned char>(c);
  return static_cast<std::uint8_t>(sum % 251);
}

void put(std::string& out, const MemoryLog& log) {
  out += static_cast<char>(byte(log.first().value));
  out += static_cast<char>(byte(log.last().value));
  for (Index at = log.first(); at <= log.last(); at = at.next()) {
    out += static_cast<char>(byte(log.at(at).term.value));
    out += static_cast<char>(digest(log.at(at)));
  }
}

void put(std::string& out, const Ready& write, const std::vector<MessageRef>& waiting) {
  out += static_cast<char>(write.hard ? byte(write.hard->term.value) : 0);
  out += static_cast<char>(write.hard ? byte(write.hard->voted_for.value) : 0);
  out += static_cast<char>(write.truncate_from ? byte(write.truncate_from->value) : 0);
  out += static_cast<char>(byte(write.append.size()));
  for (const Entry& entry : write.append) {
    out += static_cast<char>(byte(entry.index.value));
    out += static_cast<char>(byte(entry.term.value));
    out += static_cast<char>(digest(entry));
  }
  out += static_cast<char>(byte(waiting.size()));
  for (const MessageRef ref : waiting) out.append(reinterpret_cast<const char*>(&ref), sizeof ref);
}

std::size_t differing_voters(const Membership& one, const Membership& two) {
  std::vector<NodeId> differ;
  std::set_symmetric_difference(one.voters.begin(), one.voters.end(), two.voters.begin(), two.voters.end(),
                                std::back_inserter(differ));
  return differ.size();
}

void note_facts(const Core& core, const MemoryLog& log, std::size_t writes, Membership membership,
                Facts& facts) {
  const Status status = core.status();
  facts.role = status.role;
  facts.term = byte(status.term.value);
  facts.commit = byte(status.commit.value);
  facts.writes = byte(writes);
  facts.may_campaign = CoreAccess::may_campaign(core);
  facts.configs_fit = true;
  facts.log.clear();
  std::size_t open = 0;
  for (Index index{1}; index <= log.last(); index = index.next()) {
    const Entry& entry = log.at(index);
    facts.log.push_back({byte(entry.term.value), digest(entry)});
    if (entry.kind != EntryKind::config) continue;
    auto next = unpacked<Membership>(entry.data.view());
    TROUPE_CHECK(next.ok());
    if (differing_voters(membership, next.value()) > 1) facts.configs_fit = false;
    membership = std::move(next).value();
    if (index > status.commit) ++open;
  }
  if (facts.role == Role::leader && open > 1) facts.configs_fit = false;
}

}  // namespace

void Space::Kept::write(const Ready& ready) {
  if (ready.hard) hard = *ready.hard;
  if (ready.truncate_from && *ready.truncate_from <= log.last()) log.truncate(*ready.truncate_from);
  for (const Entry& entry : ready.append) log.append(entry);
}

Space::Space(Options options) : options_(std::move(options)), windows_(options_.nodes + 1) {}

NodeRef Space::initial(NodeId id) {
  Window& window = windows_[id.value];
  const MemoryLog empty;
  window.log = &empty;
  State state{
      Core(id, options_.config, {{}, options_.membership, {}, {}}, window, core_seed), {}, {}, {}, {}};
  state.facts.id = id;
  window.log = &state.log;
  return intern(std::move(state));
}

const Outcome& Space::step(NodeRef node, Input input) {
  const std::uint64_t key =
      std::uint64_t{node} << 32 | std::uint64_t{input.argument} << 8 | static_cast<std::uint64_t>(input.step);
  if (const auto known = memo_.find(key); known != memo_.end()) return outcomes_[known->second];
  State state = nodes_[node];
  windows_[state.facts.id.value].log = &state.log;
  Outcome outcome;
  if (input.step == Step::sync)
    sync_one(state, outcome.sent);
  else
    apply(state, input);
  settle(state, outcome.sent);
  outcome.node = intern(std::move(state));
  memo_.emplace(key, static_cast<std::uint32_t>(outcomes_.size()));
  return outcomes_.emplace_back(std::move(outcome));
}

void Space::apply(State& state, Input input) {
  Core& core = state.core;
  switch (input.step) {
    case Step::elect:
      CoreAccess::quorum_lost(core);
      return CoreAccess::elect(core);
    case Step::propose: {
      const Proposal one{Instant{1}, Blob("x")};
      (void)core.propose({&one, 1}).ok();
      return;
    }
    case Step::receive:
      return core.step(messages_[input.argument]);
    case Step::heartbeat:
      return CoreAccess::heartbeat(core);
    case Step::lose_sent:
      return CoreAccess::lose_sent(core);
    case Step::transfer:
      (void)core.transfer(NodeId{input.argument}).ok();
      return;
    case Step::change:
      (void)core.change(options_.changes[input.argument]).ok();
      return;
    case Step::crash:
      return restart(state, input.argument);
    case Step::sync:
      return;
  }
}

void Space::restart(State& state, std::size_t survived) {
  for (; survived > 0 && !state.writes.empty(); --survived) {
    state.disk.write(state.writes.front());
    state.writes.pop_front();
  }
  state.writes.clear();
  state.log = state.disk.log;
  state.core = Core(state.facts.id, options_.config, {state.disk.hard, options_.membership, {}, {}},
                    windows_[state.facts.id.value], core_seed);
}

void Space::settle(State& state, std::vector<MessageRef>& sent) {
  do {
    while (state.core.has_ready()) take(state, state.core.ready(), sent);
    while (!options_.slow_disk && !state.writes.empty()) sync_one(state, sent);
  } while (state.core.has_ready());
  CoreAccess::forget_time(state.core);
}

void Space::take(State& state, Ready ready, std::vector<MessageRef>& sent) {
  if (ready.truncate_from) state.log.truncate(*ready.truncate_from);
  for (const Entry& entry : ready.append) state.log.append(entry);
  for (const Message& message : ready.send_now) sent.push_back(intern(message));
  if (!ready.committed.empty()) state.core.applied(ready.committed.back().index);
  if (!ready.writes() && ready.send_after.empty()) return;
  ready.send_now.clear();
  ready.committed.clear();
  state.writes.push_back(std::move(ready));
}

void Space::sync_one(State& state, std::vector<MessageRef>& sent) {
  if (state.writes.empty()) return;
  const Ready ready = std::move(state.writes.front());
  state.writes.pop_front();
  state.disk.write(ready);
  for (const Message& message : ready.send_after) sent.push_back(intern(message));
  state.core.persisted(ready.number);
}

NodeRef Space::intern(State state) {
  windows_[state.facts.id.value].log = &state.log;
  std::string key(1, static_cast<char>(byte(state.facts.id.value)));
  CoreAccess::fingerprint(state.core, key);
  put(key, state.log);
  put(key, state.disk.log);
  key += static_cast<char>(byte(state.disk.hard.term.value));
  key += static_cast<char>(byte(state.disk.hard.voted_for.value));
  for (const Ready& write : state.writes) {
    std::vector<MessageRef> waiting;
    for (const Message& message : write.send_after) waiting.push_back(intern(message));
    put(key, write, waiting);
  }
  const auto [at, fresh] = node_refs_.try_emplace(std::move(key), static_cast<NodeRef>(nodes_.size()));
  if (!fresh) return at->second;
  note_facts(state.core, state.log, state.writes.size(), options_.membership, state.facts);
  state.facts.durable_term = byte(state.disk.hard.term.value);
  nodes_.push_back(std::move(state));
  return at->second;
}

MessageRef Space::intern(const Message& message) {
  const auto [at, fresh] =
      message_refs_.try_emplace(packed(message), static_cast<MessageRef>(messages_.size()));
  if (fresh) messages_.push_back(message);
  return at->second;
}

}  // namespace troupe::raft::test
