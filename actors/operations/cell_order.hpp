#pragma once
// What an operator may ask of the cell itself, as it travels to the leader.

#include <string>

#include "storage/base/msgpack.hpp"
#include "storage/raft/ready.hpp"

namespace troupe {

struct CellOrder {
  enum class Kind : std::uint8_t { look, change, transfer };
  friend constexpr Kind max_value(Kind) { return Kind::transfer; }
  Kind kind = Kind::look;
  raft::MemberChangeKind change = raft::MemberChangeKind::add_learner;  ///< change
  NodeId node;                                                          ///< change, transfer
  std::string address;  ///< add_learner: "host:port" of its peer listener
  static constexpr auto fields() {
    return field_list(field("kind", &CellOrder::kind), field("change", &CellOrder::change),
                      field("node", &CellOrder::node), field("address", &CellOrder::address));
  }
};

}  // namespace troupe
