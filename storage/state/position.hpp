#pragma once
// Where a state database stands, readable without loading it: checkpoints, backups and `inspect` ask.

#include <optional>

#include "storage/kv/kv_store.hpp"
#include "storage/raft/types.hpp"

namespace troupe {

/// Written into every table by every batch; a store whose tables disagree has been torn.
struct StatePosition {
  Index index;
  Term term;
  /// Of everything at this index (state_hash.hpp); nothing in stores of releases that kept none.
  std::optional<std::uint64_t> hash;
  static constexpr auto fields() {
    return field_list(field("index", &StatePosition::index), field("term", &StatePosition::term),
                      field("hash", &StatePosition::hash));
  }
  friend bool operator==(const StatePosition&, const StatePosition&) = default;
};

/// {0, 0} for an empty store. Errors: io; corrupt when the tables stand at different positions.
Result<StatePosition> read_position(const KvStore& store);
/// Of one table alone. Errors: io, corrupt.
Result<StatePosition> read_position(const KvStore& store, Table table);
/// The membership that the last applied configuration entry gave; nullopt: none was ever applied, and the
/// cell's first configuration holds. Errors: io, corrupt.
Result<std::optional<raft::Membership>> read_membership(const KvStore& store);
/// For a restored state, outside of any log: the membership is this one, at the same position. The store must
/// not be in use. Errors: io, corrupt.
Result<void> rewrite_membership(KvStore& store, const raft::Membership& membership);
/// The same of the cell's name. Errors: precondition_failed (it was never bootstrapped), io, corrupt.
Result<void> rename_cell(KvStore& store, const std::string& name);
/// Of the cell; empty before bootstrap. Errors: io, corrupt.
Result<std::string> read_cell_name(const KvStore& store);

}  // namespace troupe
