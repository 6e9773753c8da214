#include "tests/storage/raft/durable/register.hpp"

#include "storage/base/check.hpp"

namespace troupe::raft::test {

void Register::apply(const Entry& entry) {
  TROUPE_CHECK(entry.index == applied.next());
  applied = entry.index;
  term = entry.term;
  if (entry.kind == EntryKind::config) {
    auto next = unpacked<Membership>(entry.data.view());
    TROUPE_CHECK(next.ok());
    membership = std::move(next).value();
  }
  if (entry.kind != EntryKind::command) return;
  const auto write = unpacked<Write>(entry.data.view());
  TROUPE_CHECK(write.ok());
  std::uint64_t& last = newest[write.value().client];
  if (write.value().sequence <= last) return;
  last = write.value().sequence;
  ++effects;
  chain = (chain ^ (write.value().client << 32 | write.value().sequence)) * 0x9e3779b97f4a7c15u +
          entry.index.value;
}

}  // namespace troupe::raft::test
