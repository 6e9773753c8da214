#pragma once
// What an operator may ask of the cell itself, as it travels to the leader.

#include <string>

#include "storage/base/msgpack.hpp"
#include "storage/model/command.hpp"
#include "storage/raft/ready.hpp"

namespace troupe {

struct CellOrder {
  /// hand_over: the node owns no shards from now on, for a while; take_back: it may again. restart: of an
  /// entity's actor, asked of the node that owns it.
  enum class Kind : std::uint8_t { look, change, transfer, hand_over, take_back, restart };
  friend constexpr Kind max_value(Kind) { return Kind::restart; }
  Kind kind = Kind::look;
  raft::MemberChangeKind change = raft::MemberChangeKind::add_learner;  ///< change
  NodeId node;                                                          ///< all but look, restart
  std::string address;  ///< add_learner: "host:port" of its peer listener
  // Of hand_over: for how long at most, who asks and why, for the audit.
  milliseconds at_most{0};
  std::string caller{}, reason{};
  EntityRef entity{};  ///< restart
  static constexpr std::size_t fields_at_first = 4;
  static constexpr auto fields() {
    return field_list(field("kind", &CellOrder::kind), field("change", &CellOrder::change),
                      field("node", &CellOrder::node), field("address", &CellOrder::address),
                      field("at_most", &CellOrder::at_most), field("caller", &CellOrder::caller),
                      field("reason", &CellOrder::reason), field("entity", &CellOrder::entity));
  }
};

}  // namespace troupe
