#include "storage/snapshot/skip.hpp"

#include <algorithm>

#include "storage/log/log_codec.hpp"
#include "storage/log/log_store.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe {

Result<SkippedEntry> record_skip(NodeFolder& folder, const KvStore& log, Index index, const std::string& who,
                                 const std::string& why, Instant now) {
  const auto record = log.get(LogStore::entries_table, log_key(index));
  if (!record.ok()) return record.error();
  if (!record.value()) return Error{ErrorCode::not_found, "the log has no entry " + to_text(index)};
  const auto entry = log_entry(log_key(index), *record.value());
  if (!entry.ok()) return entry.error();
  if (entry.value().kind != raft::EntryKind::command)
    return Error{ErrorCode::precondition_failed, "entry " + to_text(index) + " is no command"};
  SkippedEntry skipped{index, entry.value().term, entry_hash(entry.value()), who, why, now};
  if (auto added = folder.add_skipped(skipped); !added.ok()) return added.error();
  return skipped;
}

Result<void> check_deaths(const std::optional<Index>& paused_before,
                          const std::vector<SkippedEntry>& skipped) {
  if (!paused_before) return {};
  if (std::ranges::count(skipped, *paused_before, &SkippedEntry::index) > 0) return {};
  const std::string entry = to_text(*paused_before);
  return Error{
      ErrorCode::unavailable,
      "this node died twice while it applied entry " + entry +
          ": it is paused before it and does not vote. If all nodes die there, record on each `troupe "
          "cell skip DIR --entry " +
          entry + " --why TEXT`; if only this one does, repair it from a peer"};
}

}  // namespace troupe
