#include "storage/log/log_store.hpp"

#include "storage/log/disk_record.hpp"
#include "storage/log/log_codec.hpp"

namespace troupe {
namespace {

const Bytes entries_low = Bytes(8, '\0');
const Bytes entries_high = Bytes(9, '\xff');  ///< above every key

Error damaged(const std::string& what) { return Error{ErrorCode::corrupt, what}; }

}  // namespace

/// Follows the entries from the edge; each must continue the one before.
class LogContinuity {
 public:
  explicit LogContinuity(LogEdge edge) : last_(edge), found_{{}, LogSizes(edge.index), {}} {}

  Result<void> next(const raft::Entry& entry) {
    if (entry.index != last_.index.next())
      return damaged("log has a gap: entry " + to_text(entry.index) + " follows " + to_text(last_.index));
    if (entry.term < last_.term)
      return damaged("log entry " + to_text(entry.index) + " goes back from term " + to_text(last_.term) +
                     " to " + to_text(entry.term));
    if (found_.runs.empty() || found_.runs.back().term != entry.term)
      found_.runs.push_back({entry.index, entry.term});
    last_ = {entry.index, entry.term};
    found_.sizes.append(entry.index, entry.bytes());
    if (entry.kind == raft::EntryKind::config) found_.configs.push_back(entry);
    return {};
  }
  LogEdge last() const { return last_; }
  LogStore::Found take() && { return std::move(found_); }

 private:
  LogEdge last_;
  LogStore::Found found_;
};

namespace {

Result<LogContinuity> check_entries(const KvStore& store, const LogHead& head) {
  LogContinuity continuity(head.edge);
  // Not what was cut: dropping files may bring older values back there.
  const auto cursor = store.scan(LogStore::entries_table, log_key(head.edge.index.next()), entries_high);
  for (; cursor->valid(); cursor->next()) {
    const auto entry = log_entry(cursor->key(), cursor->value());
    if (!entry.ok()) return entry.error();
    if (auto continued = continuity.next(entry.value()); !continued.ok()) return continued.error();
  }
  if (auto walked = cursor->status(); !walked.ok()) return walked.error();
  if (continuity.last() != head.tail)
    return damaged("log ends at entry " + to_text(continuity.last().index) + " of term " +
                   to_text(continuity.last().term) + ", was written up to " + to_text(head.tail.index) +
                   " of term " + to_text(head.tail.term));
  if (head.tail.term > head.hard.term)
    return damaged("log has entries of term " + to_text(head.tail.term) + ", but the node's term is " +
                   to_text(head.hard.term));
  return continuity;
}

/// Turns writes into one batch while following what the head becomes.
class GroupBuilder {
 public:
  GroupBuilder(const LogStore& log, LogHead head) : log_(log), head_(std::move(head)) {}

  Result<void> add(const LogWrite& write) {
    if (write.hard) head_.hard = *write.hard;
    if (write.membership) head_.membership = *write.membership;
    if (write.compact) {
      if (auto compacted = compact(*write.compact); !compacted.ok()) return compacted;
    }
    if (write.truncate_from) {
      if (auto truncated = truncate(*write.truncate_from); !truncated.ok()) return truncated;
    }
    for (const raft::Entry& entry : write.append) append(entry);
    return {};
  }

  const KvBatch& finish() {
    batch_.put(LogStore::meta_table, log_head_key(), log_head_record(head_));
    return batch_;
  }
  const LogHead& head() const { return head_; }

 private:
  void append(const raft::Entry& entry) {
    TROUPE_CHECK(entry.index == head_.tail.index.next());
    TROUPE_CHECK(entry.term >= head_.tail.term && entry.term <= head_.hard.term);
    batch_.put_written(LogStore::entries_table, log_key(entry.index),
                       [&](Bytes& bytes) { append_log_record(bytes, entry); });
    if (appended_.empty() || appended_.back().term != entry.term)
      appended_.push_back({entry.index, entry.term});
    head_.tail = {entry.index, entry.term};
  }

  Result<void> truncate(Index from) {
    TROUPE_CHECK(from > head_.edge.index);
    if (from > head_.tail.index) return {};
    const Index kept{from.value - 1};
    const auto term = term_of(kept);
    if (!term.ok()) return term.error();
    while (!appended_.empty() && appended_.back().first >= from) appended_.pop_back();
    batch_.erase_range(LogStore::entries_table, log_key(from), entries_high);
    head_.tail = {kept, term.value()};
    return {};
  }

  Result<void> compact(LogEdge edge) {
    if (edge.index <= head_.edge.index) return {};
    bool keeps_rest = false;
    if (edge.index <= head_.tail.index) {
      const auto term = term_of(edge.index);
      if (!term.ok()) return term.error();
      keeps_rest = term.value() == edge.term;
    }
    batch_.erase_range(LogStore::entries_table, entries_low,
                       keeps_rest ? log_key(edge.index.next()) : entries_high);
    head_.edge = edge;
    if (keeps_rest) return {};
    head_.tail = edge;
    appended_.clear();
    return {};
  }

  /// Of an entry between edge and tail, which may be in this batch only.
  Result<Term> term_of(Index index) const {
    if (index == head_.edge.index) return head_.edge.term;
    if (index == head_.tail.index) return head_.tail.term;
    for (auto run = appended_.rbegin(); run != appended_.rend(); ++run)
      if (run->first <= index) return run->term;
    const auto stored = log_.read(index, index.next(), 0);
    if (!stored.ok()) return stored.error();
    return stored.value().front().term;
  }

  const LogStore& log_;
  LogHead head_;
  KvBatch batch_;
  std::vector<TermRun> appended_;  ///< by this batch
};

}  // namespace

std::size_t LogWrite::bytes() const {
  std::size_t sum = 64;  // the head record
  for (const raft::Entry& entry : append) sum += entry.bytes();
  return sum;
}

LogStore::LogStore(KvStore& store, LogHead head, Found found)
    : store_(store), found_(std::move(found)), head_(std::move(head)) {}

Result<std::unique_ptr<LogStore>> LogStore::open(KvStore& store) {
  auto head = read_log_head(store);
  if (!head.ok()) return head.error();
  const LogHead found = head.value().value_or(LogHead{});
  auto checked = check_entries(store, found);
  if (!checked.ok()) return checked.error();
  return std::unique_ptr<LogStore>(new LogStore(store, found, std::move(checked).value().take()));
}

LogHead LogStore::head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}

Result<void> LogStore::write(std::span<const LogWrite> group) {
  if (group.empty()) return {};
  GroupBuilder builder(*this, head());
  for (const LogWrite& write : group)
    if (auto added = builder.add(write); !added.ok()) return added;
  if (auto written = store_.write(builder.finish(), Durability::synced); !written.ok()) return written;
  const std::lock_guard lock(mutex_);
  head_ = builder.head();
  return {};
}

Result<std::vector<raft::Entry>> LogStore::read(Index low, Index high, std::size_t max_bytes) const {
  std::vector<raft::Entry> entries;
  std::size_t bytes = 0;
  const auto cursor = store_.scan(entries_table, log_key(low), log_key(high));
  for (Index wanted = low; wanted < high; wanted = wanted.next(), cursor->next()) {
    if (!cursor->valid()) {
      if (auto walked = cursor->status(); !walked.ok()) return walked.error();
      return damaged("log entry " + to_text(wanted) + " is missing");
    }
    auto entry = log_entry(cursor->key(), cursor->value());
    if (!entry.ok()) return entry.error();
    if (entry.value().index != wanted) return damaged("log entry " + to_text(wanted) + " is missing");
    bytes += entry.value().bytes();
    if (!entries.empty() && bytes > max_bytes) break;
    entries.push_back(std::move(entry).value());
  }
  return entries;
}

Result<void> LogStore::free_space() {
  return store_.drop_files(entries_table, entries_low, log_key(head().edge.index.next()));
}

}  // namespace troupe
