#pragma once
// The state machine of the simulation: for each client the last write that took effect.

#include <map>

#include "storage/base/msgpack.hpp"
#include "storage/raft/ready.hpp"

namespace troupe::raft::test {

struct Write {
  std::uint64_t client = 0;
  std::uint64_t sequence = 0;
  static constexpr auto fields() {
    return field_list(field("client", &Write::client), field("sequence", &Write::sequence));
  }
};

/// A value; equal logs give equal registers. A repeated write takes effect once.
struct Register {
  Index applied;
  Term term;      ///< of the entry at applied
  Term known_in;  ///< highest term the node was in; a snapshot brings its own
  Membership membership;
  std::map<std::uint64_t, std::uint64_t> newest;  ///< by client
  std::uint64_t effects = 0;
  std::uint64_t chain = 0;  ///< hash of all that took effect, in order
  static constexpr auto fields() {
    return field_list(field("applied", &Register::applied), field("term", &Register::term),
                      field("known_in", &Register::known_in), field("membership", &Register::membership),
                      field("newest", &Register::newest), field("effects", &Register::effects),
                      field("chain", &Register::chain));
  }
  friend bool operator==(const Register&, const Register&) = default;
  void apply(const Entry& entry);
};

}  // namespace troupe::raft::test
