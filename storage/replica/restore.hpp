#pragma once
// What a restart finds on disk, as the core wants it.

#include "storage/log/log_store.hpp"
#include "storage/raft/ready.hpp"

namespace troupe {

/// Of the log and of the state's applied index. `initial` is the membership of a cell at its beginning; it
/// counts while the log has everything. Errors: io; corrupt (log and state do not fit together: the node must
/// be repaired from a peer and must not vote).
Result<raft::Restored> restore(const LogStore& log, Index applied, const raft::Membership& initial);

/// After a snapshot was installed, also when a crash came between: the log begins behind it, unless it holds
/// that very entry or begins later. A log that was cut must be opened again. Error: io.
enum class LogBegins : std::uint8_t { as_it_did, behind_the_snapshot };
Result<LogBegins> begin_log_behind(LogStore& log, LogEdge snapshot, const raft::Membership& membership);

}  // namespace troupe
