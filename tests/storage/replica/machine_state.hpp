#pragma once
// The small state machine of the driver's tests: registers, sessions, and a hash of all that was applied.

#include <map>

#include "storage/base/result.hpp"
#include "tests/storage/raft/state.hpp"

namespace troupe {

/// What an entry may carry. Anything else is plain text and only moves the hash.
struct MachineCommand {
  raft::test::Command write;
  std::uint32_t level = 0;     ///< feature level that its meaning needs
  std::uint32_t raise_to = 0;  ///< not 0: raises the state's level, and writes nothing
  static constexpr auto fields() {
    return field_list(field("write", &MachineCommand::write), field("level", &MachineCommand::level),
                      field("raise_to", &MachineCommand::raise_to));
  }
};

/// A value; equal logs give equal states.
struct MachineState {
  Index index;
  Term term;                    ///< of the entry at index
  std::uint64_t chain = 0;      ///< of everything applied, in order
  raft::Membership membership;  ///< of the newest configuration applied; empty: none was
  bool has_membership = false;
  Instant now;              ///< the newest stamp
  std::uint32_t level = 0;  ///< feature level
  std::map<std::uint32_t, std::uint64_t> values;
  std::map<raft::test::ClientId, std::uint64_t> sessions;  ///< newest sequence applied
  static constexpr auto fields() {
    return field_list(field("index", &MachineState::index), field("term", &MachineState::term),
                      field("chain", &MachineState::chain), field("membership", &MachineState::membership),
                      field("has_membership", &MachineState::has_membership),
                      field("now", &MachineState::now), field("level", &MachineState::level),
                      field("values", &MachineState::values), field("sessions", &MachineState::sessions));
  }
  friend bool operator==(const MachineState&, const MachineState&) = default;

  /// By a build that knows levels up to `known`. Error unavailable: the entry raises the level beyond that,
  /// what follows may mean anything, and the node must stop.
  Result<void> apply(const raft::Entry& entry, std::uint32_t known);

 private:
  void execute(const MachineCommand& command, std::uint32_t known);
};

}  // namespace troupe
