#pragma once
// How a node whose log or state is damaged goes on by itself: what it has is set aside, and it begins with an
// empty log under its own name, keeping its promise never to vote below what it had.
//
//   PROMISED        a copy of the log's disk record, with a term that the node promised nothing behind
//   REPAIR          written first: what must survive of the damaged log
//   damaged-log/, damaged-state/, damaged-why    for `inspect`; of the last repair only
//
// Why that is safe is told in README.md.

#include <functional>
#include <memory>

#include "storage/kv/kv_store.hpp"
#include "storage/log/disk_record.hpp"
#include "storage/snapshot/node_folder.hpp"

namespace troupe {

struct RepairSeams {
  using Open = std::function<Result<std::unique_ptr<KvStore>>(const std::string& path)>;
  Open open_log;    ///< LogStore::tables()
  Open open_state;  ///< keys::table_names()
};

/// The copy, kept beside the log while the node runs (DiskBook::Keep). Any thread, one at a time. Error: io.
Result<void> keep_promise(NodeFolder& folder, const DiskRecord& copy);
/// Nothing: there is none, or it is damaged. Error: io.
Result<std::optional<DiskRecord>> kept_promise(const NodeFolder& folder);

/// With all databases closed. Errors: precondition_failed (it is not safe here: what the node once promised
/// cannot be read any more; it says what to do), io. A crash anywhere is mended by resume_repair().
Result<void> repair_folder(NodeFolder& folder, const std::string& why, const RepairSeams& seams);

/// At every start, before the databases are opened: finishes what an earlier life began. Errors: io, corrupt.
Result<void> resume_repair(NodeFolder& folder, const RepairSeams& seams);

}  // namespace troupe
