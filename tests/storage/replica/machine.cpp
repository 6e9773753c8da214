#include "machine.hpp"

#include "storage/base/msgpack.hpp"
#include "storage/replica/restore.hpp"

namespace troupe {
namespace {

constexpr Table state_table = 0;
const Bytes state_key = "state", installed_key = "installed";
constexpr const char* log_path = "log";
constexpr const char* state_path = "state";

std::string text_of(const std::vector<raft::Entry>& entries) {
  std::string text;
  for (const auto& entry : entries) text += to_text(entry.index) + ":" + to_text(entry.term) + " ";
  return text;
}

raft::Membership voters_only(const std::vector<std::uint32_t>& voters) {
  raft::Membership membership;
  for (const std::uint32_t voter : voters) membership.voters.push_back(NodeId{voter});
  return membership;
}

}  // namespace

Machine::Machine(std::uint32_t self, const std::vector<std::uint32_t>& voters, MachineOptions options)
    : Machine(NodeId{self}, voters_only(voters), std::move(options)) {}

Machine::Machine(NodeId self, raft::Membership initial, MachineOptions options)
    : self_(self), options_(std::move(options)), initial_(std::move(initial)) {
  TROUPE_CHECK(start());
}

bool Machine::start() {
  looked_at_.reset();
  looked_at_kv_.reset();
  unusable_.clear();
  unusable_code_ = ErrorCode::internal;
  const auto opened = open();
  if (opened.ok()) return true;
  unusable_ = opened.error().message;
  unusable_code_ = opened.error().code;
  return false;
}

Result<void> Machine::open() {
  kv_ = std::move(disk_.open(log_path, LogStore::tables())).value();
  state_kv_ = std::move(disk_.open(state_path, {"state"})).value();
  if (auto loaded = load_state(); !loaded.ok()) return loaded;
  if (auto opened = open_log(); !opened.ok()) return opened;
  auto restored = restore(*log_, state_.index, initial_);
  if (!restored.ok()) return restored.error();
  make_driver(restored.value());
  return {};
}

Result<void> Machine::load_state() {
  const auto stored = state_kv_->get(state_table, state_key).value();
  state_ = stored ? unpacked<MachineState>(*stored).value() : MachineState{};
  const auto installed = state_kv_->get(state_table, installed_key).value();
  installed_ = installed ? unpacked<raft::SnapshotMeta>(*installed).value() : raft::SnapshotMeta{};
  if (state_.level > options_.level_known)
    return Error{ErrorCode::unavailable,
                 "the state's feature level is above this build's; upgrade this node"};
  return {};
}

// As whoever runs a node does, see RunningNode::open_log.
Result<void> Machine::open_log() {
  auto log = LogStore::open(*kv_);
  if (!log.ok()) return log.error();
  log_ = std::move(log).value();
  const auto behind = begin_log_behind(*log_, {installed_.index, installed_.term}, installed_.membership);
  if (!behind.ok()) return behind.error();
  if (behind.value() == LogBegins::as_it_did) return {};
  auto again = LogStore::open(*kv_);
  if (!again.ok()) return again.error();
  log_ = std::move(again).value();
  return {};
}

void Machine::make_driver(const raft::Restored& restored) {
  if (options_.disk != 0)
    disks_ = std::move(DiskBook::open(*kv_, self_, log_->head(), options_.disk)).value();
  writer_ = std::make_unique<StagedLogWriter>(
      *log_, [this](Result<std::uint64_t> done) { driver_->written(done, now_); }, options_.queue_bytes_max);
  ReplicaConfig config;
  config.self = self_;
  config.raft = options_.raft;
  config.lease = options_.lease;
  config.stall = options_.stall;
  config.clock_leap = options_.clock_leap;
  config.seed = options_.seed + ++lives_ * 1000 + self_.value;
  config.initial = initial_;
  config.retention = options_.retention;
  config.disks = disks_.get();
  config.level_known = options_.level_known;
  config.cache_bytes_max = options_.cache_bytes_max;
  driver_ = std::make_unique<ReplicaDriver>(config, restored, *log_, *writer_);
  leased_ = false;
  applied_.clear();
  needs_.clear();
}

void Machine::give_way() {
  driver_.reset();
  writer_.reset();
  disks_.reset();
  log_.reset();
}

void Machine::crash(Random* random) {
  if (writer_ && random != nullptr) writer_->abandon(random->below(writer_->in_hand() + 1));
  give_way();
  for (const char* path : {log_path, state_path}) {
    if (random != nullptr)
      disk_.crash(path, *random);
    else
      disk_.crash_hard(path);
  }
  kv_.reset();
  state_kv_.reset();
}

void Machine::apply(const std::vector<raft::Entry>& entries) {
  for (const raft::Entry& entry : entries) {
    if (const auto done = state_.apply(entry, options_.level_known); !done.ok())
      return driver_->stop(done.error().message);
    applied_.push_back(entry);
    if (on_apply_) on_apply_(state_);
  }
  KvBatch batch;
  batch.put(state_table, state_key, packed(state_));
  if (!state_kv_->write(batch, Durability::buffered).ok())
    return driver_->stop("the state cannot be written");
  driver_->applied(state_.index);
}

Index Machine::flushed() const {
  const auto bytes = state_kv_->flushed(state_table, state_key).value();
  return bytes ? unpacked<MachineState>(*bytes).value().index : Index{};
}

bool Machine::holds(Index index, Term term) const {
  if (!log_ && !looked_at_) {
    looked_at_kv_ = std::move(disk_.open_copy(log_path, LogStore::tables())).value();
    auto log = LogStore::open(*looked_at_kv_);
    if (!log.ok()) return false;
    looked_at_ = std::move(log).value();
  }
  const LogStore& log = log_ ? *log_ : *looked_at_;
  const LogHead head = log.head();
  if (index <= head.edge.index) return true;
  if (index > head.tail.index) return false;
  const auto entry = log.read(index, index.next(), 1);
  return entry.ok() && entry.value().front().term == term;
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

bool Machine::exchange_state(const raft::SnapshotMeta& meta, const MachineState& state) {
  KvBatch batch;
  batch.put(state_table, state_key, packed(state));
  batch.put(state_table, installed_key, packed(meta));
  return state_kv_->write(batch, Durability::synced).ok();
}

bool Machine::install(const raft::SnapshotMeta& meta, const MachineState& state) {
  settle();
  if (driver_->snapshot_arrived(meta) != ReplicaDriver::Arrival::installs) return false;
  TROUPE_CHECK(take().install);
  give_way();
  TROUPE_CHECK(exchange_state(meta, state));
  kv_.reset();
  state_kv_.reset();
  TROUPE_CHECK(start());
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
