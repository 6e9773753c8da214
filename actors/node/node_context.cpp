#include "actors/node/node_context.hpp"

#include <charconv>

namespace troupe {

NodeId node_of_peer(const net::PeerName& peer) {
  constexpr std::string_view prefix = "node/";
  if (!peer.starts_with(prefix)) return {};
  NodeId node;
  const char* const end = peer.data() + peer.size();
  const auto parsed = std::from_chars(peer.data() + prefix.size(), end, node.value);
  return parsed.ec == std::errc{} && parsed.ptr == end ? node : NodeId{};
}

}  // namespace troupe
