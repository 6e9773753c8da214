#pragma once
// Deliberate bugs of the driver, for its test build alone: each must be found by a test. Elsewhere they
// compile to nothing.

#include <cstdint>

namespace troupe::replica {

// X(name, what it does)
#define TROUPE_REPLICA_MUTANT_LIST(X)                                                     \
  X(compact_unflushed, "cuts the log up to what is applied, flushed or not")              \
  X(compact_keeps_config, "cuts the log without keeping the membership that stood there") \
  X(answer_before_sync, "what waits for durability is said at once")                      \
  X(persisted_before_sync, "tells the core that writes are durable when they are queued") \
  X(failed_write_counts, "a write that failed counts as durable")                         \
  X(failed_flush_counts, "a flush that failed counts as done")                            \
  X(read_before_apply, "answers a read once it is granted, applied or not")               \
  X(lease_by_receipt, "whatever comes from the leader renews the lease, however old")     \
  X(lease_by_any_word, "who asked for a vote in vain has its lease confirmed")            \
  X(stall_counts, "all of a stall counts as the others' silence")                         \
  X(stamp_any_time, "stamps whatever its clock says")                                     \
  X(install_stale, "takes a snapshot older than what it has")                             \
  X(install_in_unsynced_term, "takes a snapshot in a term that a crash would forget")     \
  X(install_in_any_term, "takes a snapshot in an earlier term than it is known in")       \
  X(install_keeps_log, "keeps its own log where the snapshot's has another term")

enum class Mutant : std::uint8_t {
  none,
#define X(name, what) name,
  TROUPE_REPLICA_MUTANT_LIST(X)
#undef X
};

#ifdef TROUPE_REPLICA_MUTANTS
inline Mutant active_mutant = Mutant::none;
inline bool mutated(Mutant mutant) { return active_mutant == mutant; }
#else
constexpr bool mutated(Mutant) { return false; }
#endif

}  // namespace troupe::replica
