#pragma once
// An operator's word, recorded in a node's folder, that one entry is not to be applied.

#include "storage/base/time.hpp"
#include "storage/kv/kv_store.hpp"
#include "storage/snapshot/node_folder.hpp"

namespace troupe {

/// Names the entry by its term and bytes, as the log has it, so that no other entry at that index is ever
/// left out. Takes effect at the node's next start; every node of the cell needs it. Errors: not_found (the
/// log has no such entry), precondition_failed (it is a configuration: membership cannot be skipped), io,
/// corrupt.
Result<SkippedEntry> record_skip(NodeFolder& folder, const KvStore& log, Index index, const std::string& who,
                                 const std::string& why, Instant now);

/// May this node apply now? Errors: unavailable, with what to do: it has died twice at one entry, and nobody
/// has said that the entry is to be skipped.
Result<void> check_deaths(const std::optional<Index>& paused_before,
                          const std::vector<SkippedEntry>& skipped);

}  // namespace troupe
