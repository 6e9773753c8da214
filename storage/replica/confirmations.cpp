#include "storage/replica/confirmations.hpp"

namespace troupe {

std::optional<std::chrono::nanoseconds> Confirmations::heard(NodeId peer, std::uint64_t sent,
                                                             std::uint64_t echo, Moment now) {
  Peer& known = peers_[peer];
  known.newest = sent;
  const std::uint64_t age = sent_at(now) - echo;
  if (echo == 0 || age > static_cast<std::uint64_t>(age_max.count())) return std::nullopt;
  const Moment at{now.ns - static_cast<std::int64_t>(age)};
  if (!known.confirmed || *known.confirmed < at) known.confirmed = at;
  return now - at;
}

std::uint64_t Confirmations::echo_to(NodeId peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? 0 : found->second.newest;
}

std::optional<Moment> Confirmations::confirmed(NodeId peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? std::nullopt : found->second.confirmed;
}

}  // namespace troupe
