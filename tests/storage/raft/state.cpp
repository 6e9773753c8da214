#include "tests/storage/raft/state.hpp"

#include "storage/base/msgpack.hpp"
#include "storage/raft/mutant.hpp"

namespace troupe::raft::test {

void State::apply(const Entry& entry) {
  applied = entry.index;
  term = entry.term;
  if (entry.kind == EntryKind::config) {
    auto next = unpacked<Membership>(entry.data.view());
    if (next.ok()) membership = std::move(next).value();
  }
  if (entry.kind != EntryKind::command) return;
  const auto command = unpacked<Command>(entry.data.view());
  if (!command.ok() || command.value().key >= keys) return;  // a scenario's plain text
  std::uint64_t& newest = sessions[command.value().client];
  if (command.value().sequence <= newest && !mutated(Mutant::retries_count_twice)) return;
  newest = command.value().sequence;
  values[command.value().key] = command.value().value;
}

}  // namespace troupe::raft::test
