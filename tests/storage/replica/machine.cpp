#include "machine.hpp"

#include "storage/base/msgpack.hpp"
#include "storage/replica/restore.hpp"

namespace troupe {
namespace {

constexpr Table state_table = 0;
const Bytes state_key = "state";

std::string text_of(const std::vector<raft::Entry>& entries) {
  std::string text;
  for (const auto& entry : entries) text += to_text(entry.index) + ":" + to_text(entry.term) + " ";
  return text;
}

}  // namespace

Machine::Machine(std::uint32_t self, const std::vector<std::uint32_t>& voters, MachineOptions options)
    : self_(NodeId{self}), options_(options) {
  for (const std::uint32_t voter : voters) initial_.voters.push_back(NodeId{voter});
  TROUPE_CHECK(start());
}

bool Machine::start() {
  kv_ = std::move(disk_.open("log", LogStore::tables())).value();
  state_kv_ = std::move(disk_.open("state", {"state"})).value();
  const auto stored = state_kv_->get(state_table, state_key).value();
  state_ = stored ? unpacked<MachineState>(*stored).value() : MachineState{};
  auto log = LogStore::open(*kv_);
  if (!log.ok()) return unusable_ = log.error().message, false;
  log_ = std::move(log).value();
  auto restored = restore(*log_, state_.index, initial_);
  if (!restored.ok()) return unusable_ = restored.error().message, false;
  writer_ = std::make_unique<InlineLogWriter>(
      *log_, [this](Result<std::uint64_t> done) { driver_->written(done, now_); }, options_.queue_bytes_max);
  ReplicaConfig config;
  config.self = self_;
  config.seed = ++lives_ * 1000 + self_.value;
  config.initial = initial_;
  config.retention = options_.retention;
  driver_ = std::make_unique<ReplicaDriver>(config, restored.value(), *log_, *writer_);
  applied_.clear();
  needs_.clear();
  return true;
}

void Machine::crash(Random* random) {
  driver_.reset();
  writer_.reset();
  log_.reset();
  for (const char* path : {"log", "state"}) {
    if (random != nullptr)
      disk_.crash(path, *random);
    else
      disk_.crash_hard(path);
  }
  kv_.reset();
  state_kv_.reset();
}

void Machine::apply(const std::vector<raft::Entry>& entries) {
  KvBatch batch;
  for (const raft::Entry& entry : entries) {
    TROUPE_CHECK(entry.index == state_.index.next());
    applied_.push_back(entry);
    state_.index = entry.index;
    for (const char byte : std::string(entry.data.view()) + to_text(entry.term))
      state_.chain = (state_.chain ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
    if (on_apply_) on_apply_(state_.index, state_.chain);
    if (entry.kind != raft::EntryKind::config) continue;
    state_.membership = unpacked<raft::Membership>(entry.data.view()).value();
    state_.has_membership = true;
  }
  batch.put(state_table, state_key, packed(state_));
  TROUPE_CHECK(state_kv_->write(batch, Durability::buffered).ok());
  driver_->applied(state_.index);
}

Index Machine::flushed() const {
  const auto bytes = state_kv_->flushed(state_table, state_key).value();
  return bytes ? unpacked<MachineState>(*bytes).value().index : Index{};
}

ReplicaEffects Machine::take() {
  ReplicaEffects effects = driver_->take(now_);
  if (!effects.apply.empty()) apply(effects.apply);
  if (effects.lease) leased_ = *effects.lease;
  if (effects.stop) stops_.push_back(*effects.stop);
  if (effects.stalled) stalls_.push_back(*effects.stalled);
  if (!effects.send.empty()) last_sent_ = effects.send.back().sent;
  if (effects.care == StateCare::flush && options_.flushes) TROUPE_CHECK(state_kv_->flush().ok());
  if (effects.care != StateCare::none) driver_->flushed(flushed(), now_);
  if (effects.free_log) {
    ++freed_;
    TROUPE_CHECK(log_->free_space().ok());
  }
  for (const ReadAnswer& answer : effects.reads) reads_.push_back(answer);
  needs_.insert(needs_.end(), effects.snapshots.begin(), effects.snapshots.end());
  return effects;
}

std::vector<ReplicaMessage> Machine::settle() {
  std::vector<ReplicaMessage> sent;
  for (bool busy = true; busy;) {
    ReplicaEffects effects = take();
    busy = !effects.send.empty() || !effects.apply.empty() || effects.care != StateCare::none;
    sent.insert(sent.end(), effects.send.begin(), effects.send.end());
    busy = sync() || busy;
  }
  return sent;
}

void Machine::tick(std::uint32_t times) {
  for (; times > 0; --times) {
    now_.steady = now_.steady + replica_tick;
    now_.wall = now_.wall + replica_tick;
    if (driver_->tick(now_) == ReplicaDriver::Tick::again) (void)driver_->tick(now_);
  }
}

void Machine::elect() {
  for (int n = 0; n < 100 && driver_->role() != raft::Role::leader; ++n) {
    tick();
    settle();
  }
  TROUPE_CHECK(driver_->role() == raft::Role::leader);
  settle();
}

bool Machine::install(const raft::SnapshotMeta& meta, const MachineState& state) {
  settle();
  if (!driver_->begin_install(meta)) return false;
  KvBatch batch;
  state_ = state;
  batch.put(state_table, state_key, packed(state_));
  TROUPE_CHECK(state_kv_->write(batch, Durability::synced).ok());
  driver_->finish_install();
  settle();
  return true;
}

std::string Machine::stored() const {
  const LogHead head = log_->head();
  const auto entries = log_->read(head.edge.index.next(), head.tail.index.next(), std::size_t{1} << 30);
  EXPECT_TRUE(entries.ok());
  return text_of(entries.value());
}

std::string Machine::applied() const { return text_of(applied_); }

}  // namespace troupe
