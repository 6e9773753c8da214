#include "tests/storage/replica/machine_state.hpp"

#include "storage/base/check.hpp"
#include "storage/base/msgpack.hpp"
#include "storage/raft/mutant.hpp"

namespace troupe {
namespace {

constexpr std::uint64_t fnv_prime = 1099511628211ULL;

std::uint64_t mixed(std::uint64_t chain, BytesView bytes) {
  for (const char byte : bytes) chain = (chain ^ static_cast<unsigned char>(byte)) * fnv_prime;
  return chain;
}

}  // namespace

Result<void> MachineState::apply(const raft::Entry& entry, std::uint32_t known) {
  TROUPE_CHECK(entry.index == index.next());
  if (entry.kind == raft::EntryKind::command) {
    if (const auto command = unpacked<MachineCommand>(entry.data.view()); command.ok()) {
      if (command.value().raise_to > known)
        return Error{ErrorCode::unavailable,
                     "the cell's feature level is above this build's; upgrade this node"};
      execute(command.value(), known);
    }
  }
  index = entry.index;
  term = entry.term;
  now = std::max(now, entry.stamp);
  chain = mixed(chain, std::string(entry.data.view()) + to_text(entry.term));
  if (entry.kind != raft::EntryKind::config) return {};
  membership = unpacked<raft::Membership>(entry.data.view()).value();
  has_membership = true;
  return {};
}

void MachineState::execute(const MachineCommand& command, std::uint32_t known) {
  if (command.raise_to == level + 1) level = command.raise_to;
  if (command.raise_to != 0 || command.level > level) return;
  // A build that knows less would do the same but for what it does not know.
  if (command.level <= known) chain = mixed(chain, std::to_string(command.level));
  std::uint64_t& newest = sessions[command.write.client];
  if (command.write.sequence <= newest && !raft::mutated(raft::Mutant::retries_count_twice)) return;
  newest = command.write.sequence;
  values[command.write.key] = command.write.value;
}

}  // namespace troupe
