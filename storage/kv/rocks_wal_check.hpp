#pragma once
// Was the end of a write-ahead log torn by a crash, or damaged after it was synced?

#include <string>

#include "storage/base/result.hpp"

namespace troupe {

/// RocksDB takes a record whose length runs past the end of the file for one that a crash tore, and drops it
/// and all behind it without a word; the length is not under its checksum, so one flipped bit does that to
/// synced records. This check reads the files before RocksDB does and tells the two apart: a record that was
/// torn is the last one, so nothing whole may begin behind it, nor may it be whole itself under another
/// length. Holds for stores whose every batch is synced before the next is written. Errors: io, corrupt.
Result<void> check_wal_files(const std::string& folder);

}  // namespace troupe
