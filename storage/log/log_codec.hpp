#pragma once
// Bytes of the log's records. Numbers are little-endian, keys big-endian so that they sort.

#include "storage/log/log_store.hpp"

namespace troupe {

Bytes log_key(Index index);
Index log_key_index(BytesView key);

/// version (1) ∥ XXH3-64 of the rest (8) ∥ index (8) ∥ term (8) ∥ stamp (8) ∥ kind (1) ∥ data
Bytes log_record(const raft::Entry& entry);
void append_log_record(Bytes& out, const raft::Entry& entry);
/// Errors: corrupt (version, checksum, kind, or an index other than the key's).
Result<raft::Entry> log_entry(BytesView key, BytesView record);

/// version (1) ∥ XXH3-64 of the rest (8) ∥ msgpack
Bytes log_head_record(const LogHead& head);
Result<LogHead> log_head(BytesView record);  ///< Errors: corrupt.
Bytes log_head_key();                        ///< in the meta table

/// Another record beside the head, sealed as that is.
Bytes seal_log_record(const Bytes& body);
Result<BytesView> open_log_record(BytesView record);  ///< Errors: corrupt.

}  // namespace troupe
