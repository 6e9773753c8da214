#pragma once
// The node that shall own no shards for a while, because its process is about to be ended.

#include <mutex>
#include <optional>
#include <string>

#include "storage/base/id.hpp"
#include "storage/base/time.hpp"

namespace troupe {

struct SparedNode {
  NodeId node;
  std::string by;      ///< who asked for it
  std::string reason;  ///< likewise
  Moment until;        ///< it is given shards again from then on, whatever came of it
  friend bool operator==(const SparedNode&, const SparedNode&) = default;
};

/// For operators. Written by the balancer, empty where this node does not lead. Thread-safe.
class SpareBoard {
 public:
  void set(std::optional<SparedNode> spared) {
    const std::lock_guard lock(mutex_);
    spared_ = std::move(spared);
  }
  std::optional<SparedNode> get() const {
    const std::lock_guard lock(mutex_);
    return spared_;
  }

 private:
  mutable std::mutex mutex_;  ///< guards spared_
  std::optional<SparedNode> spared_;
};

}  // namespace troupe
