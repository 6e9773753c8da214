#pragma once
// Who told whom what, for a test that listens.

#include <functional>

#include "actors/agent/protocol.hpp"
#include "net/link/link.hpp"
#include "storage/state/apply_guard.hpp"

namespace troupe::embedded {

/// Hears each message of a simulation's links as it is delivered. Changes nothing.
using SimTap = std::function<void(const net::PeerName& from, const net::PeerName& to, net::Channel channel,
                                  BytesView message)>;

/// Stands beside a simulation and hears what its nodes apply and its hosts are told to do. Must not call
/// back.
class SimObserver {
 public:
  virtual ~SimObserver() = default;
  /// Of this life of the node, which starts now and applies again what it had not flushed. Outlives it.
  virtual ApplyObserver* node_starts(std::uint32_t node) = 0;
  virtual void host_launches(const std::string& host, const agent::ContainerSpec& spec) = 0;
  virtual void host_stops(const std::string& host, const TaskId& task) = 0;
};

/// Stands between a hub and its listener.
class TappedListener final : public net::LinkListener {
 public:
  TappedListener(net::LinkListener& inner, net::PeerName self, SimTap tap)
      : inner_(inner), self_(std::move(self)), tap_(std::move(tap)) {}
  void on_link_up(const net::LinkKey& link) override { inner_.on_link_up(link); }
  void on_link_down(const net::LinkKey& link, std::string_view why) override {
    inner_.on_link_down(link, why);
  }
  void on_dial_failed(const net::LinkKey& link, net::DialFailure how, std::string_view why) override {
    inner_.on_dial_failed(link, how, why);
  }
  void on_message(const net::LinkKey& link, Bytes message) override {
    if (tap_) tap_(link.peer, self_, link.channel, message);
    inner_.on_message(link, std::move(message));
  }

 private:
  net::LinkListener& inner_;
  net::PeerName self_;
  SimTap tap_;
};

/// A hub and the listener that it was given.
class TappedHub final : public net::LinkHub {
 public:
  TappedHub(std::unique_ptr<TappedListener> listener, std::unique_ptr<net::LinkHub> inner)
      : listener_(std::move(listener)), inner_(std::move(inner)) {}
  void dial(const net::LinkKey& link, const std::string& address) override { inner_->dial(link, address); }
  void hang_up(const net::LinkKey& link) override { inner_->hang_up(link); }
  bool send(const net::LinkKey& link, Bytes message) override {
    return inner_->send(link, std::move(message));
  }
  std::string address() const override { return inner_->address(); }
  void close() override { inner_->close(); }

 private:
  std::unique_ptr<TappedListener> listener_;  // Outlives the hub that calls it.
  std::unique_ptr<net::LinkHub> inner_;
};

}  // namespace troupe::embedded
