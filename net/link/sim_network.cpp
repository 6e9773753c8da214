#include "net/link/sim_network.hpp"

#include <utility>

#include "net/link/sim_wires.hpp"
#include "storage/base/check.hpp"

namespace troupe::net {

namespace {

constexpr milliseconds death_notice{
    1};  // measured: the kernel closes a killed process's connections in 1-5 ms

class SimHub final : public LinkHub {
 public:
  SimHub(SimNetwork::Wires& wires, PeerName self, std::string address, std::uint64_t incarnation)
      : wires_(wires), self_(std::move(self)), address_(std::move(address)), incarnation_(incarnation) {}
  ~SimHub() override { close(); }

  void dial(const LinkKey& link, const std::string& address) override {
    if (is_current()) wires_.dial(self_, link, address);
  }
  void hang_up(const LinkKey& link) override {
    if (is_current()) wires_.hang_up(self_, link);
  }
  bool send(const LinkKey& link, Bytes message) override {
    return is_current() && wires_.send(self_, link, std::move(message));
  }
  std::string address() const override { return address_; }
  void close() override {
    if (is_current()) wires_.close(self_);
  }

 private:
  /// Another hub may have taken over the name of a crashed one.
  bool is_current() const { return wires_.endpoints.at(self_).incarnation == incarnation_; }

  SimNetwork::Wires& wires_;
  const PeerName self_;
  const std::string address_;
  const std::uint64_t incarnation_;
};

}  // namespace

SimNetwork::SimNetwork(SimNetworkConfig config, const Clock& clock)
    : wires_(std::make_unique<Wires>(config, clock)) {}
SimNetwork::~SimNetwork() = default;

std::unique_ptr<LinkHub> SimNetwork::make_hub(const PeerName& self, LinkListener& listener,
                                              const std::string& address) {
  TROUPE_CHECK(is_name(self));
  TROUPE_CHECK(wires_->living(self) == nullptr);
  const auto incarnation = ++wires_->sequence;
  wires_->endpoints.insert_or_assign(
      self, Wires::Endpoint{.listener = &listener, .address = address, .incarnation = incarnation});
  return std::make_unique<SimHub>(*wires_, self, address, incarnation);
}

std::optional<Moment> SimNetwork::next_due() const {
  if (wires_->queue.empty()) return std::nullopt;
  return wires_->queue.begin()->first.first;
}

std::size_t SimNetwork::deliver_due(Moment now) {
  std::size_t performed = 0;
  auto& queue = wires_->queue;
  while (!queue.empty() && queue.begin()->first.first <= now) {
    auto event = std::move(queue.extract(queue.begin()).mapped());
    wires_->perform(std::move(event));
    ++performed;
  }
  return performed;
}

void SimNetwork::cut(const PeerName& from, const PeerName& to) {
  const auto number = ++wires_->sequence;
  if (!wires_->cuts.try_emplace({from, to}, number).second) return;
  for (const auto& [id, link] : wires_->links) {
    for (const auto end : {Wires::dialler, Wires::acceptor}) {
      if (link.ends[end].owner != to || link.ends[1 - end].owner != from) continue;
      wires_->at(wires_->clock.steady() + wires_->config.silence_timeout,
                 {.kind = Wires::Kind::silence, .link = id, .to = end, .number = number});
    }
  }
}

void SimNetwork::cut_both(const PeerName& one, const PeerName& other) {
  cut(one, other);
  cut(other, one);
}

void SimNetwork::heal(const PeerName& from, const PeerName& to) {
  if (wires_->cuts.erase({from, to}) > 0) wires_->requeue_held(from, to);
}

void SimNetwork::heal_both(const PeerName& one, const PeerName& other) {
  heal(one, other);
  heal(other, one);
}

void SimNetwork::isolate(const PeerName& peer) {
  for (const auto& [other, endpoint] : wires_->endpoints) {
    if (other != peer) cut_both(peer, other);
  }
}

void SimNetwork::mute(const PeerName& peer) {
  for (const auto& [other, endpoint] : wires_->endpoints) {
    if (other != peer) cut(peer, other);
  }
}

void SimNetwork::unmute(const PeerName& peer) {
  for (const auto& [other, endpoint] : wires_->endpoints) {
    if (other != peer) heal(peer, other);
  }
}

void SimNetwork::slow(const PeerName& one, const PeerName& other, std::chrono::nanoseconds by) {
  for (const auto& way : {std::pair(one, other), std::pair(other, one)}) wires_->slow_ways[way] = by;
}

void SimNetwork::heal_all() {
  wires_->slow_ways.clear();
  while (!wires_->cuts.empty()) {
    const auto [from, to] = wires_->cuts.begin()->first;
    heal(from, to);
  }
}

void SimNetwork::crash(const PeerName& peer) {
  auto* endpoint = wires_->living(peer);
  if (endpoint == nullptr) return;
  endpoint->alive = false;
  endpoint->dials.clear();
  endpoint->live.clear();
  const auto vanishes = [&](const Wires::Event& event) {
    const auto link = wires_->links.find(event.link);
    if (link == wires_->links.end()) return false;
    const auto& ends = link->second.ends;
    // What the other end notices by itself, silence above all, is not on the wire.
    const bool local = event.kind == Wires::Kind::silence || event.kind == Wires::Kind::break_end;
    return ends[event.to].owner == peer || (!local && ends[1 - event.to].owner == peer);
  };
  std::erase_if(wires_->queue, [&](const auto& entry) { return vanishes(entry.second); });
  for (auto& [way, events] : wires_->held) std::erase_if(events, vanishes);
  for (auto& [id, link] : wires_->links) {
    for (const auto end : {Wires::dialler, Wires::acceptor}) {
      if (link.ends[end].owner != peer) continue;
      link.ends[end].state = Wires::End::State::ended;
      wires_->at(wires_->clock.steady() + death_notice,
                 {.kind = Wires::Kind::fin, .link = id, .to = 1 - end, .bytes = "closed by peer"});
    }
  }
}

void SimNetwork::restart(const PeerName& peer) {
  const auto found = wires_->endpoints.find(peer);
  TROUPE_CHECK(found != wires_->endpoints.end() && !found->second.alive);
  found->second.alive = true;
}

std::uint64_t SimNetwork::hash() const { return wires_->hash; }
SimNetworkCounters SimNetwork::counters() const { return wires_->counters; }

}  // namespace troupe::net
