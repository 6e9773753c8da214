#pragma once
// The table of all commands. A test walks it: every number has a row, every row a body, golden bytes and a
// proof that applying it twice is harmless.

#include <cstdint>
#include <span>
#include <string_view>

namespace troupe {

enum class FenceKind : std::uint8_t {
  none,            ///< users; safe by precondition and request id
  term,            ///< the leader, for itself; never forwarded to another node
  epoch,           ///< the owner of the shard
  optional_epoch,  ///< users without, actors with
  session,         ///< inside the body, per host
};

struct CommandRow {
  std::uint16_t number;
  std::string_view name;
  FenceKind fence;
  std::uint32_t level;  ///< first feature level that has it
  std::string_view precondition;
  std::string_view why_twice_is_harmless;
};

std::span<const CommandRow> command_table();
/// A bug if there is none.
const CommandRow& command_row(std::uint16_t number);

}  // namespace troupe
