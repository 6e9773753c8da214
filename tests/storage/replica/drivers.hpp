#pragma once
// Several drivers whose messages go by hand.

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "machine.hpp"
#include "storage/base/msgpack.hpp"

namespace troupe {

struct Drivers {
  /// Delivers until nobody has anything to say, as the bytes that would travel.
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& [n, node] : nodes)
        for (const ReplicaMessage& message : node->settle()) {
          busy = true;
          const std::uint32_t to = message.message.to.value;
          if (cut.contains({n, to}) || cut.contains({to, n})) continue;
          nodes.at(to)->hear(unpacked<ReplicaMessage>(packed(message)).value());
        }
    }
  }
  void run(std::uint32_t ticks) {
    for (; ticks > 0; --ticks) {
      for (auto& [n, node] : nodes) node->tick();
      settle();
    }
  }
  std::uint32_t leader() const {
    for (const auto& [n, node] : nodes)
      if (node->driver_->role() == raft::Role::leader) return n;
    return 0;
  }
  std::map<std::uint32_t, std::unique_ptr<Machine>> nodes;
  std::set<std::pair<std::uint32_t, std::uint32_t>> cut;
};

}  // namespace troupe
