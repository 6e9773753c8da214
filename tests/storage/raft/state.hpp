#pragma once
// The replicated state of the tests: a few registers, and what keeps a client's repeated write from counting
// twice.

#include <array>
#include <map>
#include <optional>

#include "storage/raft/ready.hpp"

namespace troupe::raft::test {

using ClientId = std::uint32_t;
constexpr std::size_t keys = 3;

/// A client's write. A repetition has the same client and sequence.
struct Command {
  ClientId client = 0;
  std::uint64_t sequence = 0;
  std::uint8_t key = 0;
  std::uint64_t value = 0;  ///< never written twice
  static constexpr auto fields() {
    return field_list(field("client", &Command::client), field("sequence", &Command::sequence),
                      field("key", &Command::key), field("value", &Command::value));
  }
};

/// A copyable value: a copy is a checkpoint.
struct State {
  Index applied;
  Term term;
  Membership membership;
  std::array<std::uint64_t, keys> values{};
  std::map<ClientId, std::uint64_t> sessions;  ///< newest sequence applied
  void apply(const Entry& entry);
  friend bool operator==(const State&, const State&) = default;
};

/// A state on its way over the bulk link.
struct Snapshot {
  SnapshotMeta meta;
  State state;
};

}  // namespace troupe::raft::test
