#include "net/link/sim_wires.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/base/check.hpp"

namespace troupe::net {

namespace {
constexpr std::size_t other_end(std::size_t end) { return 1 - end; }
constexpr const char* nobody_listens = "nobody listens";
}  // namespace

void SimNetwork::Wires::at(Moment due, Event event) {
  queue.emplace(std::pair(due, ++sequence), std::move(event));
}

std::chrono::nanoseconds SimNetwork::Wires::delay() {
  return std::chrono::nanoseconds(random.between(config.delay_min.count(), config.delay_max.count()));
}

std::chrono::nanoseconds SimNetwork::Wires::extra_delay(const End& to, const End& from) const {
  if (slow_ways.empty()) return {};
  const auto found = slow_ways.find({from.owner, to.owner});
  return found == slow_ways.end() ? std::chrono::nanoseconds(0) : found->second;
}

void SimNetwork::Wires::travel(LinkId id, Event event) {
  auto& ends = links.at(id).ends;
  auto& end = ends[event.to];
  const auto due = clock.steady() + delay() + extra_delay(end, ends[other_end(event.to)]);
  end.last_due = std::max(end.last_due, due);
  event.link = id;
  at(end.last_due, std::move(event));
}

SimNetwork::Wires::Endpoint* SimNetwork::Wires::living(const PeerName& name) {
  const auto found = endpoints.find(name);
  return found == endpoints.end() || !found->second.alive ? nullptr : &found->second;
}

SimNetwork::Wires::Endpoint* SimNetwork::Wires::at_address(const std::string& address, PeerName& name) {
  for (auto& [candidate, endpoint] : endpoints) {
    if (!endpoint.alive || address.empty() || endpoint.address != address) continue;
    name = candidate;
    return &endpoint;
  }
  return nullptr;
}

Standing SimNetwork::Wires::standing(const Endpoint& endpoint, const LinkKey& key) const {
  if (const auto live = endpoint.live.find(key); live != endpoint.live.end()) {
    const auto& link = links.at(live->second);
    return link.ends[dialler].owner == key.peer ? Standing::accepted : Standing::dialled;
  }
  const auto dial = endpoint.dials.find(key);
  return dial != endpoint.dials.end() && dial->second.attempt != 0 ? Standing::connected : Standing::none;
}

void SimNetwork::Wires::dial(const PeerName& self, const LinkKey& key, const std::string& address) {
  auto* endpoint = living(self);
  if (endpoint == nullptr) return;
  const auto [dial, fresh] =
      endpoint->dials.try_emplace(key, Dial{address, Backoff(config.backoff_min, config.backoff_max)});
  if (!fresh && dial->second.address == address) return;
  dial->second.address = address;
  dial->second.attempt = 0;
  dial->second.wait = ++sequence;
  at(clock.steady(), {.kind = Kind::retry, .number = dial->second.wait, .peer = self, .key = key});
}

void SimNetwork::Wires::start_attempt(const PeerName& self, const LinkKey& key) {
  auto* endpoint = living(self);
  if (endpoint == nullptr || endpoint->live.contains(key)) return;
  auto& dial = endpoint->dials.at(key);
  dial.wait = 0;
  dial.attempt = ++sequence;
  const LinkId id = dial.attempt;
  Link link;
  link.attempt = id;
  link.ends[dialler] = {.owner = self, .key = key, .last_due = {}};
  link.ends[acceptor] = {.owner = key.peer, .key = {self, key.channel}, .last_due = {}};
  links.emplace(id, std::move(link));
  travel(id, {.kind = Kind::arrive, .to = acceptor, .bytes = dial.address});
  at(clock.steady() + config.connect_timeout,
     {.kind = Kind::give_up, .number = id, .peer = self, .key = key});
}

void SimNetwork::Wires::retry_later(const PeerName& self, const LinkKey& key) {
  auto* endpoint = living(self);
  if (endpoint == nullptr || endpoint->live.contains(key)) return;
  const auto dial = endpoint->dials.find(key);
  if (dial == endpoint->dials.end() || dial->second.attempt != 0) return;
  dial->second.wait = ++sequence;
  at(clock.steady() + dial->second.backoff.next(random),
     {.kind = Kind::retry, .number = dial->second.wait, .peer = self, .key = key});
}

void SimNetwork::Wires::fail_attempt(const PeerName& self, const LinkKey& key, std::uint64_t attempt,
                                     const std::string& why) {
  auto* endpoint = living(self);
  if (endpoint == nullptr) return;
  const auto dial = endpoint->dials.find(key);
  if (dial == endpoint->dials.end() || dial->second.attempt != attempt) return;
  dial->second.attempt = 0;
  retry_later(self, key);
  endpoint->listener->on_dial_failed(
      key, why == nobody_listens ? DialFailure::nobody_listens : DialFailure::other, why);
}

void SimNetwork::Wires::on_arrive(LinkId id, const Event& event) {
  auto& link = links.at(id);
  auto& mine = link.ends[acceptor];
  PeerName name;
  auto* endpoint = at_address(event.bytes, name);
  // A connection to the wrong process is refused, just as by the real hub.
  const bool taken = endpoint != nullptr && name == mine.owner && mine.owner != mine.key.peer &&
                     takes_arrival(mine.owner, mine.key.peer, standing(*endpoint, mine.key));
  if (!taken) {
    mine.state = End::State::ended;
    return travel(
        id, {.kind = Kind::fin, .to = dialler, .bytes = endpoint == nullptr ? nobody_listens : "refused"});
  }
  if (const auto dial = endpoint->dials.find(mine.key); dial != endpoint->dials.end()) {
    dial->second.attempt = dial->second.wait = 0;
  }
  travel(id, {.kind = Kind::answer, .to = dialler});
  raise(id, acceptor);
}

void SimNetwork::Wires::on_answer(LinkId id) {
  const auto& mine = links.at(id).ends[dialler];
  auto* endpoint = living(mine.owner);
  const auto dial =
      endpoint == nullptr ? decltype(endpoint->dials.begin()){} : endpoint->dials.find(mine.key);
  if (endpoint == nullptr || dial == endpoint->dials.end() || dial->second.attempt != id) {
    return end(id, dialler, "given up", Tell::other);
  }
  dial->second.attempt = 0;
  raise(id, dialler);
}

void SimNetwork::Wires::raise(LinkId id, std::size_t which) {
  const auto key = links.at(id).ends[which].key;
  const auto owner = links.at(id).ends[which].owner;
  links.at(id).ends[which].state = End::State::up;
  auto* endpoint = living(owner);
  if (const auto old = endpoint->live.find(key); old != endpoint->live.end()) {
    const auto old_id = old->second;
    const std::size_t old_end = links.at(old_id).ends[dialler].owner == owner ? dialler : acceptor;
    end(old_id, old_end, "replaced by a newer connection", Tell::other);
    // The listener may have closed the hub or crashed the peer when it heard of that.
    endpoint = living(owner);
    if (endpoint == nullptr || endpoint->live.contains(key)) return;
  }
  endpoint->live[key] = id;
  if (const auto dial = endpoint->dials.find(key); dial != endpoint->dials.end()) {
    dial->second.attempt = dial->second.wait = 0;
    dial->second.up_since = clock.steady();
  }
  ++counters.link_ups;
  note("up", links.at(id).ends[which], {});
  endpoint->listener->on_link_up(key);
}

void SimNetwork::Wires::end(LinkId id, std::size_t which, const std::string& why, Tell tell) {
  auto& mine = links.at(id).ends[which];
  const bool was_up = mine.state == End::State::up;
  if (std::exchange(mine.state, End::State::ended) == End::State::ended) return forget_if_over(id);
  const auto owner = mine.owner;
  const auto key = mine.key;
  if (tell == Tell::other && links.at(id).ends[other_end(which)].state != End::State::ended) {
    travel(id, {.kind = Kind::fin, .to = other_end(which), .bytes = "closed by peer"});
  }
  auto* endpoint = living(owner);
  if (endpoint == nullptr) return forget_if_over(id);
  const auto live = endpoint->live.find(key);
  if (was_up && live != endpoint->live.end() && live->second == id) {
    endpoint->live.erase(live);
    ++counters.link_downs;
    note("down", mine, why);
    if (const auto dial = endpoint->dials.find(key); dial != endpoint->dials.end()) {
      if (clock.steady() - dial->second.up_since > config.silence_timeout) dial->second.backoff.reset();
    }
    endpoint->listener->on_link_down(key, why);
    retry_later(owner, key);
  } else if (which == dialler) {
    fail_attempt(owner, key, id, why);
  }
  forget_if_over(id);
}

void SimNetwork::Wires::forget_if_over(LinkId id) {
  const auto found = links.find(id);
  if (found == links.end()) return;
  const auto& ends = found->second.ends;
  if (ends[0].state == End::State::ended && ends[1].state == End::State::ended) links.erase(found);
}

bool SimNetwork::Wires::send(const PeerName& self, const LinkKey& key, Bytes message) {
  auto* endpoint = living(self);
  if (endpoint == nullptr || message.size() > config.message_bytes_max) return false;
  const auto live = endpoint->live.find(key);
  if (live == endpoint->live.end()) return false;
  const auto id = live->second;
  auto& link = links.at(id);
  const std::size_t from = link.ends[dialler].owner == self ? dialler : acceptor;
  auto& mine = link.ends[from];
  if (mine.full) return false;
  if (mine.unacked_bytes + message.size() > config.send_queue_bytes_max) {
    mine.full = true;
    at(clock.steady(), {.kind = Kind::break_end, .link = id, .to = from, .bytes = "send queue full"});
    return false;
  }
  if (!mine.broken) transmit(id, from, std::move(message));
  return true;
}

void SimNetwork::Wires::transmit(LinkId id, std::size_t from, Bytes message) {
  auto& mine = links.at(id).ends[from];
  const auto to = other_end(from);
  if (happens(config.resets)) {
    ++counters.resets;
    mine.broken = true;
    at(clock.steady() + delay(),
       {.kind = Kind::break_end, .link = id, .to = from, .bytes = "connection reset"});
    return;
  }
  if (happens(config.drops)) {
    ++counters.drops;
    return;
  }
  if (happens(config.duplicates)) {
    ++counters.duplicates;
    at(clock.steady() + delay() + delay(), {.kind = Kind::message, .link = id, .to = to, .bytes = message});
  }
  mine.unacked_bytes += message.size();
  Event event{.kind = Kind::message, .link = id, .to = to, .bytes = std::move(message), .acks = true};
  if (!happens(config.reorders)) return travel(id, std::move(event));
  ++counters.reorders;
  at(clock.steady() + delay(), std::move(event));
}

void SimNetwork::Wires::on_message(LinkId id, Event event) {
  auto& link = links.at(id);
  const auto& mine = link.ends[event.to];
  if (event.acks) link.ends[other_end(event.to)].unacked_bytes -= event.bytes.size();
  auto* endpoint = living(mine.owner);
  if (mine.state != End::State::up || endpoint == nullptr) return;
  ++counters.delivered;
  note("message", mine, event.bytes);
  endpoint->listener->on_message(LinkKey(mine.key), std::move(event.bytes));
}

void SimNetwork::Wires::perform(Event event) {
  if (event.kind == Kind::retry) {
    auto* endpoint = living(event.peer);
    const auto dial =
        endpoint == nullptr ? std::map<LinkKey, Dial>::iterator{} : endpoint->dials.find(event.key);
    if (endpoint == nullptr || dial == endpoint->dials.end() || dial->second.wait != event.number) return;
    return start_attempt(event.peer, event.key);
  }
  const auto id = event.kind == Kind::give_up ? event.number : event.link;
  const auto found = links.find(id);
  if (found == links.end()) return;
  const auto& ends = found->second.ends;
  if (event.kind == Kind::give_up) {
    if (ends[dialler].state == End::State::fresh) end(id, dialler, "connect deadline passed", Tell::other);
    return;
  }
  const auto& to = ends[event.to].owner;
  const auto& from = ends[other_end(event.to)].owner;
  if (event.kind == Kind::silence) {
    const auto cut = cuts.find({from, to});
    if (cut == cuts.end() || cut->second != event.number) return;
    return end(id, event.to, "silent for " + std::to_string(config.silence_timeout.count()) + " ms",
               Tell::other);
  }
  if (event.kind == Kind::break_end) return end(id, event.to, event.bytes, Tell::other);
  if (is_cut(from, to)) {
    // A connection request is not kept: its dialler gives up and tries again.
    if (event.kind == Kind::arrive) {
      found->second.ends[acceptor].state = End::State::ended;
      return;
    }
    held[{from, to}].push_back(std::move(event));
    return;
  }
  switch (event.kind) {
    case Kind::arrive:
      return on_arrive(id, event);
    case Kind::answer:
      return on_answer(id);
    case Kind::message:
      return on_message(id, std::move(event));
    case Kind::fin:
      return end(id, event.to, event.bytes, Tell::nobody);
    case Kind::retry:
    case Kind::give_up:
    case Kind::break_end:
    case Kind::silence:
      break;
  }
}

void SimNetwork::Wires::hang_up(const PeerName& self, const LinkKey& key) {
  auto* endpoint = living(self);
  if (endpoint == nullptr) return;
  endpoint->dials.erase(key);
  const auto live = endpoint->live.find(key);
  if (live == endpoint->live.end()) return;
  const std::size_t which = links.at(live->second).ends[dialler].owner == self ? dialler : acceptor;
  at(clock.steady(), {.kind = Kind::break_end, .link = live->second, .to = which, .bytes = "hung up"});
}

void SimNetwork::Wires::close(const PeerName& self) {
  auto* endpoint = living(self);
  if (endpoint == nullptr) return;
  endpoint->dials.clear();
  std::vector<std::pair<LinkId, std::size_t>> mine;
  for (const auto& [id, link] : links) {
    if (link.ends[dialler].owner == self) mine.emplace_back(id, dialler);
    if (link.ends[acceptor].owner == self && link.ends[acceptor].state == End::State::up)
      mine.emplace_back(id, acceptor);
  }
  for (const auto& [id, which] : mine) {
    if (links.contains(id)) end(id, which, "hub closed", Tell::other);
  }
  endpoint->alive = false;
}

void SimNetwork::Wires::requeue_held(const PeerName& from, const PeerName& to) {
  const auto found = held.find({from, to});
  if (found == held.end()) return;
  for (auto& event : std::exchange(found->second, {})) {
    if (links.contains(event.link)) travel(event.link, std::move(event));
  }
  held.erase({from, to});
}

void SimNetwork::Wires::note(std::string_view what, const End& end, BytesView bytes) {
  const auto mix = [this](std::uint64_t word) {
    hash = (hash ^ word) * 0x100000001b3ULL;
    hash ^= hash >> 32;
  };
  // FNV-1a, but eight bytes at a time: everything that travels comes through here.
  const auto mix_text = [&](BytesView text) {
    mix(text.size());
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), sizeof(std::uint64_t)))) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data(), std::min(text.size(), sizeof word));
      mix(word);
    }
  };
  mix(static_cast<std::uint64_t>(clock.steady().ns));
  mix_text(what);
  mix_text(end.owner);
  mix_text(end.key.peer);
  mix(static_cast<std::uint64_t>(end.key.channel));
  mix_text(bytes);
}

}  // namespace troupe::net
