#pragma once
// Who a log belongs to: kept in the log's own database, so that whoever loses the log loses the name it voted
// under.

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/kv/kv_store.hpp"
#include "storage/log/log_store.hpp"

namespace troupe {

/// Names one log on one disk: drawn when the log is made, never changed. 0: none.
using DiskId = std::uint64_t;

/// What a node knows of another's disk.
struct PeerDisk {
  NodeId node;
  DiskId disk = 0;
  bool enrolled = false;  ///< it has said that it is
  bool knows_us = false;  ///< it has said that it knows this node by this disk
  static constexpr auto fields() {
    return field_list(field("node", &PeerDisk::node), field("disk", &PeerDisk::disk),
                      field("enrolled", &PeerDisk::enrolled), field("knows_us", &PeerDisk::knows_us));
  }
  friend bool operator==(const PeerDisk&, const PeerDisk&) = default;
};

struct DiskRecord {
  NodeId node;
  DiskId disk = 0;
  bool enrolled = false;  ///< a majority of the others knows this disk: from then on it may vote
  /// Not 0: what stood in the log was damaged and put aside. The node may not vote before its log holds an
  /// entry of a later term than this one, the last in which it promised anything.
  Term mute_through;
  std::vector<PeerDisk> peers;  ///< ascending; never forgotten, since numbers are not used twice
  static constexpr auto fields() {
    using R = DiskRecord;
    return field_list(field("node", &R::node), field("disk", &R::disk), field("enrolled", &R::enrolled),
                      field("mute_through", &R::mute_through), field("peers", &R::peers));
  }
  friend bool operator==(const DiskRecord&, const DiskRecord&) = default;
};

/// Nothing: the log is new, or of a release that knew no such record. Errors: io, corrupt.
Result<std::optional<DiskRecord>> read_disk_record(const KvStore& log);
/// Durable when it returns. Thread-safe beside the log's writer. Errors: io.
Result<void> write_disk_record(KvStore& log, const DiskRecord& record);

/// What the log's head says, whatever has become of its entries. Nothing: the log is new. Errors: io,
/// corrupt.
Result<std::optional<LogHead>> read_log_head(const KvStore& log);
/// A new log that has promised nothing but this term. Errors: io.
Result<void> write_first_head(KvStore& log, const raft::HardState& hard);

}  // namespace troupe
