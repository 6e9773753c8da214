#include "storage/replica/restore.hpp"

#include "storage/base/msgpack.hpp"
#include "storage/replica/mutant.hpp"

namespace troupe {
namespace {

/// The membership as of `applied`: that of the edge, and the configurations behind it.
Result<raft::Membership> membership_at(const LogStore& log, Index applied, raft::Membership membership) {
  for (const raft::Entry& entry : log.configs_at_open()) {
    if (entry.index > applied) break;
    auto read = unpacked<raft::Membership>(entry.data.view());
    if (!read.ok()) return read.error();
    membership = std::move(read).value();
  }
  return membership;
}

}  // namespace

Result<raft::Restored> restore(const LogStore& log, Index applied, const raft::Membership& initial) {
  const LogHead head = log.head();
  if (applied > head.tail.index)
    return Error{ErrorCode::corrupt,
                 "the state is ahead of the log: the log has lost entries; repair from a peer"};
  if (applied < head.edge.index)
    return Error{ErrorCode::corrupt,
                 "the log begins behind the state: the state has lost entries; repair from a peer"};
  const bool whole = head.edge.index == Index{};
  auto membership = membership_at(log, applied, whole ? initial : head.membership);
  if (!membership.ok()) return membership.error();
  return raft::Restored{head.hard, std::move(membership).value(), applied, applied};
}

Result<LogBegins> begin_log_behind(LogStore& log, LogEdge snapshot, const raft::Membership& membership) {
  const LogHead head = log.head();
  if (snapshot.index <= head.edge.index) return LogBegins::as_it_did;
  if (snapshot.index <= head.tail.index) {
    const auto entry = log.read(snapshot.index, snapshot.index.next(), 0);
    if (!entry.ok()) return entry.error();
    const bool same = entry.value().front().term == snapshot.term;
    if (same || mutated(replica::Mutant::install_keeps_log)) return LogBegins::as_it_did;
  }
  LogWrite write;
  if (snapshot.term > head.hard.term) write.hard = raft::HardState{snapshot.term, {}};
  write.membership = membership;
  write.compact = snapshot;
  if (auto written = log.write({&write, 1}); !written.ok()) return written.error();
  return LogBegins::behind_the_snapshot;
}

}  // namespace troupe
