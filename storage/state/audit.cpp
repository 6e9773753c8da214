// The audit: every mutation that somebody asked for, refused ones too, chained in log order.

#include <mutex>

#include "storage/model/audit_chain.hpp"
#include "storage/state/apply.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/put_record.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe {
namespace {

constexpr int forgotten_per_entry_max =
    4;  // Bounds an entry's work when the limit was lowered; it catches up.

/// Of an item of a batch too: a user's command has one.
std::optional<Error> refusal_of(const Outcome& outcome) {
  if (outcome.error) return outcome.error;
  if (outcome.refused.empty()) return std::nullopt;
  return Error{outcome.refused.front().code, outcome.refused.front().message};
}

}  // namespace

void StateMachine::audit(const Command& command, const raft::Entry& entry, const Outcome& outcome,
                         KvBatch& batch) {
  if (command.caller.empty()) return;  // The cell's own.
  CellTables& cell = tables_.cell;
  AuditHead head = cell.audit;
  AuditRecord record;
  record.ordinal = ++head.last;
  record.index = entry.index;
  record.at = cell.record.now;
  record.command = command.number();
  record.caller = clipped(command.caller);
  record.reason = clipped(command.reason);
  record.request = clipped(command.request);
  record.subject = clipped(subject_of(command.body));
  if (const auto refusal = refusal_of(outcome)) {
    record.refused = true;
    record.error = refusal->code;
    record.message = clipped(refusal->message);
  }
  record.digest = digest_of(entry.data.view());
  record.chain = head.chain = audit_chain(head.chain, record);
  put_record(batch, keys::index, keys::audit(record.ordinal), record);
  const std::uint64_t kept_max = std::max<std::uint64_t>(cell.record.policy.audit_max, 1);
  for (int n = 0; n < forgotten_per_entry_max && head.last - head.first >= kept_max; ++n)
    batch.erase(keys::index, keys::audit(head.first++));
  const std::uint64_t share = put_record(batch, keys::meta, keys::audit_head(), head);
  const std::unique_lock lock(cell.mutex);
  tables_.shift_cell_hash(share - cell.audit_hash);
  cell.audit_hash = share;
  cell.audit = std::move(head);
}

AuditHead Reads::audit_head() const {
  const std::shared_lock lock(tables_.cell.mutex);
  return tables_.cell.audit;
}

Result<std::vector<AuditRecord>> Reads::audit(std::uint64_t from, std::size_t limit) const {
  std::vector<AuditRecord> records;
  const auto cursor = store_.scan(keys::index, keys::audit(from), keys::audit(UINT64_MAX));
  for (; cursor->valid() && records.size() < limit; cursor->next()) {
    auto record = unpacked<AuditRecord>(cursor->value());
    if (!record.ok()) return Error{ErrorCode::corrupt, "an entry of the audit does not decode"};
    records.push_back(std::move(record).value());
  }
  if (auto status = cursor->status(); !status.ok()) return status.error();
  return records;
}

}  // namespace troupe
