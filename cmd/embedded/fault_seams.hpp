#pragma once
// Faults for real nodes and agents, at the seams: a disk that fails, links that are cut, a clock that is
// wrong.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "net/link/link.hpp"
#include "storage/base/time.hpp"
#include "storage/kv/kv_store.hpp"

namespace troupe::embedded {

/// Passes everything on until it is told to fail; then every write fails, or every one that must be safe, as
/// after an error of the medium.
class FaultyStore final : public KvStore {
 public:
  explicit FaultyStore(std::unique_ptr<KvStore> inner) : inner_(std::move(inner)) {}
  void fail_writes() { failing_ = true; }
  void fail_syncs() { failing_syncs_ = true; }
  Result<void> write(const KvBatch& batch, Durability durability) override {
    if (failing_) return Error{ErrorCode::io, "injected: the disk takes no writes"};
    if (failing_syncs_ && durability == Durability::synced)
      return Error{ErrorCode::io, "injected: the disk cannot sync"};
    return inner_->write(batch, durability);
  }
  Result<std::optional<Bytes>> get(Table table, BytesView key) const override {
    return inner_->get(table, key);
  }
  std::unique_ptr<KvCursor> scan(Table table, BytesView low, BytesView high) const override {
    return inner_->scan(table, low, high);
  }
  std::unique_ptr<KvSnapshot> snapshot() const override { return inner_->snapshot(); }
  Result<void> flush() override {
    if (failing_ || failing_syncs_) return Error{ErrorCode::io, "injected: the disk takes no writes"};
    return inner_->flush();
  }
  Result<std::optional<Bytes>> flushed(Table table, BytesView key) const override {
    return inner_->flushed(table, key);
  }
  Result<void> drop_files(Table table, BytesView low, BytesView high) override {
    return inner_->drop_files(table, low, high);
  }
  Result<void> checkpoint(const std::string& path) override { return inner_->checkpoint(path); }
  Counters counters() const override { return inner_->counters(); }
  std::vector<std::pair<std::string, std::uint64_t>> figures() const override { return inner_->figures(); }

 private:
  std::unique_ptr<KvStore> inner_;
  std::atomic<bool> failing_{false};
  std::atomic<bool> failing_syncs_{false};
};

/// Which peers a hub may hear and speak to. Survives the lives of what it cuts off; thread-safe.
class Cuts {
 public:
  void cut_all() { set_all(true); }
  /// One way: what this hub sends to that peer.
  void cut_to(const net::PeerName& peer) {
    const std::lock_guard lock(mutex_);
    to_.insert(peer);
    some_ = true;
  }
  void heal() {
    {
      const std::lock_guard lock(mutex_);
      some_ = false;
      to_.clear();
    }
    set_all(false);
  }
  /// Called when all is cut or healed, on the thread that does it. One hub at a time; empty: nobody.
  void watch(std::function<void(bool cut)> changed) {
    const std::lock_guard lock(mutex_);
    changed_ = std::move(changed);
  }
  bool is_cut_off() const { return all_; }
  bool may_send_to(const net::PeerName& peer) const {
    if (all_) return false;
    if (!some_) return true;
    const std::lock_guard lock(mutex_);
    return !to_.contains(peer);
  }

 private:
  void set_all(bool cut) {
    const std::lock_guard lock(mutex_);
    if (all_.exchange(cut) != cut && changed_) changed_(cut);
  }
  std::atomic<bool> all_{false}, some_{false};
  mutable std::mutex mutex_;
  std::function<void(bool cut)> changed_;
  std::set<net::PeerName> to_;
};

/// The machine's clocks; the wall clock may leap and drift. Survives the lives of the node that reads it;
/// thread-safe, but for two that set it at once.
class SkewedClock final : public Clock {
 public:
  Instant wall() const override {
    const auto since = system_.steady() - Moment{drifts_since_ns_};
    return system_.wall() + milliseconds(leap_ms_) +
           std::chrono::duration_cast<milliseconds>(since / 1'000'000 * drift_ppm_.load());
  }
  Moment steady() const override { return system_.steady(); }
  void leap(milliseconds by) { leap_ms_ += by.count(); }
  void drift(std::int64_t ppm) {
    leap_ms_ = (wall() - system_.wall()).count();
    drifts_since_ns_ = system_.steady().ns;
    drift_ppm_ = ppm;
  }
  void set_right() {
    drift_ppm_ = 0;
    leap_ms_ = 0;
  }

 private:
  SystemClock system_;
  std::atomic<std::int64_t> leap_ms_{0}, drift_ppm_{0}, drifts_since_ns_{0};
};

/// What a node's machine and network do to it.
struct NodeFaults {
  SkewedClock clock;
  Cuts cuts;
};

/// Do links end when they are cut, as a host's do whose cable is pulled and whose peers hear nothing, or do
/// they look alive to this end?
enum class CutLinks : std::uint8_t { end, look_alive };

/// A hub whose messages vanish while they are cut.
class CuttableHub final : public net::LinkHub, private net::LinkListener {
 public:
  using Open = std::function<Result<std::unique_ptr<net::LinkHub>>(net::LinkListener&)>;
  static Result<std::unique_ptr<net::LinkHub>> open(const Open& open_inner, net::LinkListener& listener,
                                                    std::shared_ptr<Cuts> cuts, CutLinks links) {
    auto hub = std::make_unique<CuttableHub>(listener, std::move(cuts));
    auto inner = open_inner(*hub);
    if (!inner.ok()) return inner.error();
    hub->inner_ = std::move(inner).value();
    if (links == CutLinks::end) hub->watch();
    return std::unique_ptr<net::LinkHub>(std::move(hub));
  }
  CuttableHub(net::LinkListener& listener, std::shared_ptr<Cuts> cuts)
      : listener_(listener), cuts_(std::move(cuts)) {}
  ~CuttableHub() override {
    if (watches_) cuts_->watch({});
  }

  void dial(const net::LinkKey& link, const std::string& address) override {
    const std::lock_guard lock(mutex_);
    dials_[link] = address;
    if (!is_down_) inner_->dial(link, address);
  }
  void hang_up(const net::LinkKey& link) override {
    const std::lock_guard lock(mutex_);
    dials_.erase(link);
    inner_->hang_up(link);
  }
  bool send(const net::LinkKey& link, Bytes message) override {
    return !cuts_->may_send_to(link.peer) || inner_->send(link, std::move(message));
  }
  std::string address() const override { return inner_->address(); }
  void close() override { inner_->close(); }

 private:
  void watch() {
    watches_ = true;
    is_down_ = cuts_->is_cut_off();
    cuts_->watch([this](bool cut) { on_cut(cut); });
  }
  void on_cut(bool cut) {
    const std::lock_guard lock(mutex_);
    is_down_ = cut;
    for (const auto& [link, address] : dials_) cut ? inner_->hang_up(link) : inner_->dial(link, address);
  }
  void on_link_up(const net::LinkKey& link) override { listener_.on_link_up(link); }
  void on_link_down(const net::LinkKey& link, std::string_view why) override {
    listener_.on_link_down(link, why);
  }
  void on_dial_failed(const net::LinkKey& link, net::DialFailure how, std::string_view why) override {
    listener_.on_dial_failed(link, how, why);
  }
  void on_message(const net::LinkKey& link, Bytes message) override {
    if (!cuts_->is_cut_off()) listener_.on_message(link, std::move(message));
  }

  net::LinkListener& listener_;
  std::shared_ptr<Cuts> cuts_;
  std::unique_ptr<net::LinkHub> inner_;
  bool watches_ = false;
  std::mutex mutex_;
  bool is_down_ = false;
  std::map<net::LinkKey, std::string> dials_;  ///< as its user wants them, cut or not
};

}  // namespace troupe::embedded
