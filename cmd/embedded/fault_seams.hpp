#pragma once
// Faults for real nodes, at the seams: a disk that fails and links that are cut.

#include <atomic>
#include <functional>
#include <memory>

#include "net/link/link.hpp"
#include "storage/kv/kv_store.hpp"

namespace troupe::embedded {

/// Passes everything on until it is told to fail; then every write fails, as after an error of the medium.
class FaultyStore final : public KvStore {
 public:
  explicit FaultyStore(std::unique_ptr<KvStore> inner) : inner_(std::move(inner)) {}
  void fail_writes() { failing_ = true; }
  Result<void> write(const KvBatch& batch, Durability durability) override {
    if (failing_) return Error{ErrorCode::io, "injected: the disk takes no writes"};
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
    if (failing_) return Error{ErrorCode::io, "injected: the disk takes no writes"};
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

 private:
  std::unique_ptr<KvStore> inner_;
  std::atomic<bool> failing_{false};
};

/// Which peers a hub may hear and speak to. Shared by a hub's two sides; thread-safe.
class Cuts {
 public:
  void cut_all() { all_ = true; }
  void heal() { all_ = false; }
  bool is_cut() const { return all_; }

 private:
  std::atomic<bool> all_{false};
};

/// A hub whose messages vanish, both ways, while it is cut off: its links look alive to it, and silent to the
/// others.
class CuttableHub final : public net::LinkHub, private net::LinkListener {
 public:
  using Open = std::function<Result<std::unique_ptr<net::LinkHub>>(net::LinkListener&)>;
  static Result<std::unique_ptr<net::LinkHub>> open(const Open& open_inner, net::LinkListener& listener,
                                                    std::shared_ptr<Cuts> cuts) {
    auto hub = std::make_unique<CuttableHub>(listener, std::move(cuts));
    auto inner = open_inner(*hub);
    if (!inner.ok()) return inner.error();
    hub->inner_ = std::move(inner).value();
    return std::unique_ptr<net::LinkHub>(std::move(hub));
  }
  CuttableHub(net::LinkListener& listener, std::shared_ptr<Cuts> cuts)
      : listener_(listener), cuts_(std::move(cuts)) {}

  void dial(const net::LinkKey& link, const std::string& address) override { inner_->dial(link, address); }
  void hang_up(const net::LinkKey& link) override { inner_->hang_up(link); }
  bool send(const net::LinkKey& link, Bytes message) override {
    return cuts_->is_cut() || inner_->send(link, std::move(message));
  }
  std::string address() const override { return inner_->address(); }
  void close() override { inner_->close(); }

 private:
  void on_link_up(const net::LinkKey& link) override { listener_.on_link_up(link); }
  void on_link_down(const net::LinkKey& link, std::string_view why) override {
    listener_.on_link_down(link, why);
  }
  void on_message(const net::LinkKey& link, Bytes message) override {
    if (!cuts_->is_cut()) listener_.on_message(link, std::move(message));
  }

  net::LinkListener& listener_;
  std::shared_ptr<Cuts> cuts_;
  std::unique_ptr<net::LinkHub> inner_;
};

}  // namespace troupe::embedded
