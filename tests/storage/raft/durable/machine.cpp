#include "tests/storage/raft/durable/machine.hpp"

#include <algorithm>

#include "storage/base/check.hpp"

namespace troupe::raft::test {

namespace {
const std::string log_path = "log", state_path = "state", state_key = "register";
constexpr Table state_table = 0;
}  // namespace

Machine::Machine(NodeId id, Config config, Membership membership, Judge& judge, std::size_t cache_bytes)
    : id_(id),
      config_(config),
      first_members_(std::move(membership)),
      judge_(judge),
      cache_bytes_(cache_bytes) {}

std::unique_ptr<KvStore> Machine::opened(const std::string& path, const std::vector<std::string>& tables) {
  auto store = disk_.open(path, tables);
  TROUPE_CHECK(store.ok());
  return std::move(store).value();
}

bool Machine::open_stores() {
  log_kv_ = opened(log_path, LogStore::tables());
  state_kv_ = opened(state_path, {"state"});
  auto log = LogStore::open(*log_kv_);
  if (!log.ok()) {
    TROUPE_CHECK(log.error().code == ErrorCode::corrupt);
    if (!struck) judge_.fail("log_damaged_by_itself node=" + to_text(id_) + " " + log.error().message);
    damaged_ = true;
    judge_.silence(id_);
    return false;
  }
  log_ = std::move(log).value();
  const auto found = state_kv_->get(state_table, state_key);
  TROUPE_CHECK(found.ok());
  state_ = {};
  state_.membership = first_members_;
  if (found.value()) {
    auto state = unpacked<Register>(*found.value());
    TROUPE_CHECK(state.ok());
    state_ = std::move(state).value();
  }
  flushed_ = state_.applied;
  return mend_log();
}

// A crash may have come between a snapshot's state and the log's reset behind it.
bool Machine::mend_log() {
  const LogHead head = log_->head();
  const auto stands = [&] {
    if (state_.applied > head.tail.index) return false;
    if (state_.applied == head.edge.index) return head.edge.term == state_.term;
    const auto entry = log_->read(state_.applied, state_.applied.next(), 1);
    return !entry.ok() || entry.value().front().term == state_.term;
  };
  if (state_.applied < head.edge.index) judge_.fail("log_begins_behind_the_state node=" + to_text(id_));
  if (stands()) return true;
  LogWrite reset;
  reset.compact = LogEdge{state_.applied, state_.term};
  if (state_.known_in > head.hard.term) reset.hard = HardState{state_.known_in, {}};
  if (!log_->write({&reset, 1}).ok()) return false;
  auto again = LogStore::open(*log_kv_);  // a cache must begin with what open() found
  TROUPE_CHECK(again.ok());
  log_ = std::move(again).value();
  return true;
}

bool Machine::start(std::uint64_t seed) {
  TROUPE_CHECK(!up() && !damaged_);
  broken_ = false;
  if (!open_stores()) {
    crash_hard();
    return !damaged_;
  }
  cache_ = std::make_unique<LogCache>(*log_, cache_bytes_);
  writer_ = std::make_unique<InlineLogWriter>(*log_, [this](Result<std::uint64_t> finished) {
    if (finished.ok())
      durable(finished.value());
    else
      broken_ = true;
  });
  submitted_ = done_ = 0;
  judge_.restarts(id_);
  core_ = std::make_unique<Core>(
      id_, config_, Restored{log_->head().hard, state_.membership, {}, state_.applied}, *cache_, seed);
  return true;
}

void Machine::stop() {
  core_.reset();
  writer_.reset();
  cache_.reset();
  log_.reset();
  log_kv_.reset();
  state_kv_.reset();
  waiting_.clear();
  sent.clear();
  snapshots.clear();
  proposed_.clear();
  grants_.clear();
}

void Machine::crash(Random& random) {
  disk_.crash(log_path, random);
  disk_.crash(state_path, random);
  stop();
}

void Machine::crash_hard() {
  disk_.crash_hard(log_path);
  disk_.crash_hard(state_path);
  stop();
}

void Machine::flush() {
  while (up() && core_->has_ready()) {
    take(core_->ready());
    if (cache_->failure() || broken_) return crash_hard();
  }
}

void Machine::take(Ready ready) {
  if (ready.truncate_from) cache_->truncate_from(*ready.truncate_from);
  cache_->append(ready.append);
  if (ready.role && ready.role->role == Role::leader) judge_.leads(id_, ready.role->term, *cache_);
  judge_.commits(id_, core_->commit());
  for (Message& message : ready.send_now) sent.push_back(std::move(message));
  Waiting waiting{ready.number, submitted_, {}, std::move(ready.send_after)};
  if (ready.writes()) {
    LogWrite write;
    write.hard = ready.hard;
    write.truncate_from = ready.truncate_from;
    write.append = std::move(ready.append);
    write.ticket = waiting.needs = submitted_ = ready.number;
    if (!write.append.empty()) waiting.last = {write.append.back().index, write.append.back().term};
    if (!writer_->submit(std::move(write)).ok()) broken_ = true;
  }
  waiting_.push_back(std::move(waiting));
  apply(ready.committed);
  grants_.insert(grants_.end(), ready.reads.begin(), ready.reads.end());
  lost_reads.insert(lost_reads.end(), ready.reads_lost.begin(), ready.reads_lost.end());
  for (const SnapshotNeed& need : ready.snapshots) {
    snapshots.push_back({id_, need.peer, core_->snapshot_meta(), state_});
  }
  if (done_ >= submitted_) durable(done_);
  answer_reads();
}

void Machine::apply(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    judge_.applies(id_, entry, core_->term());
    state_.apply(entry);
    const auto own = proposed_.find({entry.index, entry.term});
    if (own != proposed_.end()) answered.push_back(own->second);
  }
  if (entries.empty()) return;
  proposed_.erase(proposed_.begin(), proposed_.upper_bound({state_.applied, Term{UINT64_MAX}}));
  state_.known_in = core_->term();
  core_->applied(state_.applied);
  if (!save_state()) broken_ = true;
}

bool Machine::save_state() {
  KvBatch batch;
  batch.put(state_table, state_key, packed(state_));
  return state_kv_->write(batch, Durability::buffered).ok();
}

void Machine::answer_reads() {
  std::erase_if(grants_, [&](const ReadGrant& grant) {
    if (grant.index > state_.applied) return false;
    on_read(grant.token);
    return true;
  });
}

void Machine::durable(std::uint64_t ticket) {
  done_ = std::max(done_, ticket);
  while (!waiting_.empty() && waiting_.front().needs <= done_) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    finish(next);
  }
}

void Machine::finish(Waiting& waiting) {
  if (waiting.last.index != Index{}) cache_->durable(waiting.last.index, waiting.last.term);
  for (Message& message : waiting.messages) sent.push_back(std::move(message));
  core_->persisted(waiting.number);
}

bool Machine::sync_group() {
  if (!up() || !writer_->pump()) return false;
  if (broken_) crash_hard();
  return true;
}

void Machine::flush_state() {
  if (!up()) return;
  if (!state_kv_->flush().ok()) return crash_hard();
  flushed_ = state_.applied;
}

void Machine::compact(std::uint64_t keep) {
  if (!up() || flushed_.value <= keep) return;
  const Index to = std::min(Index{flushed_.value - keep}, cache_->durable());
  if (to < cache_->first()) return;
  LogWrite write;
  write.compact = LogEdge{to, cache_->term(to)};
  write.ticket = submitted_;
  if (!writer_->submit(std::move(write)).ok()) return crash_hard();
  cache_->compact({to, cache_->term(to)});
}

bool Machine::install(const SnapshotSent& snapshot, const std::function<bool()>& power) {
  flush();
  while (up() && sync_group()) flush();
  if (!up() || !core_->wants_snapshot(snapshot.meta)) return false;
  state_ = snapshot.state;
  state_.known_in = std::max(core_->term(), snapshot.meta.known_in);
  if (!power() || !save_state() || !state_kv_->flush().ok() || !power()) {
    crash_hard();
    return false;
  }
  flushed_ = state_.applied;
  const LogEdge edge{snapshot.meta.index, snapshot.meta.term};
  LogWrite reset;
  reset.compact = edge;
  if (snapshot.meta.known_in > log_->head().hard.term) reset.hard = HardState{snapshot.meta.known_in, {}};
  if (!log_->write({&reset, 1}).ok() || !power()) {
    crash_hard();
    return false;
  }
  cache_->compact(edge);
  judge_.installs(id_, state_);
  core_->snapshot_installed(snapshot.meta);
  return true;
}

void Machine::propose(Write write) {
  const Proposal proposal{Instant{1}, Blob(packed(write))};
  const auto index = core_->propose({&proposal, 1});
  if (index.ok()) proposed_[{index.value(), core_->term()}] = write;
}

void Machine::read(std::uint64_t token) {
  if (!core_->read(token).ok()) lost_reads.push_back(token);
}

}  // namespace troupe::raft::test
