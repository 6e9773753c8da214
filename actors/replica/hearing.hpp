#pragma once
// Which other nodes speak, before their silence tells.

#include <set>
#include <utility>

#include "storage/base/id.hpp"

namespace troupe {

/// Owner: the replica. Pure.
class Hearing {
 public:
  /// The consensus link to a node has come up or gone down.
  void link_moved(NodeId node, bool up) {
    gone_.erase(node);
    if (up)
      linked_.insert(node);
    else
      linked_.erase(node);
  }
  /// Nobody listens at its address. True: that is news.
  bool link_refused(NodeId node) { return !linked_.contains(node) && gone_.insert(node).second; }
  /// Its process has ended: nobody need wait for its silence. (Where a firewall refuses in its stead it may
  /// own shards until its lease ends, beside the next owner; the fences of their epochs keep them apart.)
  bool is_gone(NodeId node) const { return gone_.contains(node); }
  /// Who leads now, as far as is known; 0: nobody, which changes nothing.
  void led_by(NodeId leader) {
    if (leader.value != 0 && leader != leader_) before_ = std::exchange(leader_, leader);
  }
  /// `has_answered`: in the present leader's term. Of the leader before it, nothing else counts: an open link
  /// may end at a process that stands still, and why else would there be another leader?
  bool speaks(NodeId node, bool has_answered) const {
    return linked_.contains(node) && (node != before_ || has_answered);
  }

 private:
  std::set<NodeId> linked_, gone_;
  NodeId leader_, before_;
};

}  // namespace troupe
