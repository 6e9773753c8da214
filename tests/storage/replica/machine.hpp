#pragma once
// One node's driver over a log on a simulated disk, with a writer that syncs when told to.

#include <gtest/gtest.h>

#include "storage/kv/memory_store.hpp"
#include "storage/replica/replica_driver.hpp"

namespace troupe {

/// Collects what its driver wants done; the test decides when the disk syncs and what is delivered.
class Machine {
 public:
  explicit Machine(std::uint32_t self, std::vector<std::uint32_t> voters,
                   std::size_t queue_bytes_max = 1 << 20)
      : self_(NodeId{self}), queue_bytes_max_(queue_bytes_max) {
    for (const std::uint32_t voter : voters) membership_.voters.push_back(NodeId{voter});
    start();
  }

  void start() {
    kv_ = std::move(disk_.open("log", LogStore::tables())).value();
    auto log = LogStore::open(*kv_);
    TROUPE_CHECK(log.ok());
    log_ = std::move(log).value();
    writer_ = std::make_unique<InlineLogWriter>(
        *log_, [this](Result<std::uint64_t> done) { driver_->written(done); }, queue_bytes_max_);
    ReplicaConfig config;
    config.self = self_;
    config.seed = ++seed_ * 1000 + self_.value;
    raft::Restored restored;
    restored.hard = log_->head().hard;
    restored.membership = membership_;
    driver_ = std::make_unique<ReplicaDriver>(config, restored, *log_, *writer_);
    applied_.clear();
  }
  /// Loses what was not synced.
  void crash_and_restart() {
    driver_.reset();
    writer_.reset();
    log_.reset();
    disk_.crash_hard("log");
    kv_.reset();
    start();
  }

  /// Takes the effects once; what is to be applied is applied.
  ReplicaEffects take() {
    ReplicaEffects effects = driver_->take();
    for (const raft::Entry& entry : effects.apply) applied_.push_back(entry);
    if (!effects.apply.empty()) driver_->applied(effects.apply.back().index);
    if (effects.lease) leased_ = *effects.lease;
    if (effects.stop) stops_.push_back(*effects.stop);
    return effects;
  }
  bool sync() { return writer_->pump(); }
  /// Syncs and takes until nothing is left to do; all messages.
  std::vector<raft::Message> settle() {
    std::vector<raft::Message> sent;
    for (bool busy = true; busy;) {
      ReplicaEffects effects = take();
      busy = !effects.send.empty() || !effects.apply.empty();
      sent.insert(sent.end(), effects.send.begin(), effects.send.end());
      for (const ReadAnswer& answer : effects.reads) reads_.push_back(answer);
      busy = sync() || busy;
    }
    return sent;
  }
  void tick(std::uint32_t times = 1) {
    for (; times > 0; --times) {
      now_.steady = now_.steady + replica_tick;
      now_.wall = now_.wall + replica_tick;
      driver_->tick(now_);
    }
  }
  /// Until it leads; for a node alone.
  void elect() {
    for (int n = 0; n < 100 && driver_->role() != raft::Role::leader; ++n) {
      tick();
      settle();
    }
    TROUPE_CHECK(driver_->role() == raft::Role::leader);
    settle();
  }
  /// The log on disk as "index:term index:term".
  std::string stored() const {
    const LogHead head = log_->head();
    std::string text;
    const auto entries = log_->read(head.edge.index.next(), head.tail.index.next(), std::size_t{1} << 30);
    EXPECT_TRUE(entries.ok());
    for (const auto& entry : entries.value()) text += to_text(entry.index) + ":" + to_text(entry.term) + " ";
    return text;
  }
  std::string applied() const {
    std::string text;
    for (const auto& entry : applied_) text += to_text(entry.index) + ":" + to_text(entry.term) + " ";
    return text;
  }

  NodeId self_;
  std::size_t queue_bytes_max_;
  raft::Membership membership_;
  SimDisk disk_;
  std::unique_ptr<KvStore> kv_;
  std::unique_ptr<LogStore> log_;
  std::unique_ptr<InlineLogWriter> writer_;
  std::unique_ptr<ReplicaDriver> driver_;
  Now now_{Moment{1'000'000'000}, Instant{1'700'000'000'000}};
  std::vector<raft::Entry> applied_;
  std::vector<ReadAnswer> reads_;
  std::vector<std::string> stops_;
  bool leased_ = false;
  std::uint64_t seed_ = 0;
};

}  // namespace troupe
