#include "storage/snapshot/self_repair.hpp"

#include <algorithm>
#include <utility>

#include "storage/state/position.hpp"

namespace troupe {
namespace {

/// What a repair must know to begin and to end.
struct RepairRecord {
  raft::HardState hard;  ///< of the new log
  DiskRecord disk;       ///< of the new log
  std::string why;
  bool is_second = false;     ///< the repair before it had not come to its end
  bool is_set_aside = false;  ///< what stands at the log's place is the new one
  static constexpr auto fields() {
    using R = RepairRecord;
    return field_list(field("hard", &R::hard), field("disk", &R::disk), field("why", &R::why),
                      field("is_second", &R::is_second), field("is_set_aside", &R::is_set_aside));
  }
};

constexpr char repair_version = 1;
constexpr char promise_version = 1;

Error unsafe(const std::string& what) {
  return Error{
      ErrorCode::precondition_failed,
      what +
          ": this node cannot know any more what it promised. Remove it (troupe cell members remove), and "
          "start a new one on an empty folder, with a number that was never used and 'join: true'; a cell "
          "of one node is restored from a backup"};
}

Result<void> write_repair(NodeFolder& folder, const RepairRecord& record) {
  return folder.note_repair(seal_record(repair_version, packed(record)));
}

Result<std::optional<RepairRecord>> read_repair(const NodeFolder& folder) {
  const auto bytes = folder.repair();
  if (!bytes.ok()) return bytes.error();
  if (!bytes.value()) return std::optional<RepairRecord>();
  const auto body = open_record(repair_version, *bytes.value(), "REPAIR");
  if (!body.ok()) return body.error();
  auto record = unpacked<RepairRecord>(body.value());
  if (!record.ok()) return record.error();
  return std::optional<RepairRecord>(std::move(record).value());
}

/// What is known of the log for sure: its own record, and what it may have promised.
struct LogKnown {
  DiskRecord disk;
  Term last;  ///< behind this term it promised nothing
};

/// A state that stands further tells of a log that forgot its end, and perhaps its last vote.
Result<void> check_state(const NodeFolder& folder, const LogHead& head, const RepairSeams& seams) {
  const auto state = seams.open_state(folder.state_path());
  if (!state.ok()) return {};
  const auto position = read_position(*state.value());
  if (position.ok() && position.value().index > head.tail.index)
    return Error{ErrorCode::corrupt, "the log ends before the state does"};
  return {};
}

Result<LogKnown> read_log(const NodeFolder& folder, const RepairSeams& seams) {
  const auto log = seams.open_log(folder.log_path());
  if (!log.ok()) return log.error();
  const auto head = read_log_head(*log.value());
  if (!head.ok()) return head.error();
  const auto disk = read_disk_record(*log.value());
  if (!disk.ok()) return disk.error();
  if (!head.value() || !disk.value()) return Error{ErrorCode::corrupt, "the log is gone"};
  if (auto checked = check_state(folder, *head.value(), seams); !checked.ok()) return checked.error();
  const Term last = std::max({head.value()->hard.term, head.value()->tail.term, disk.value()->mute_through});
  return LogKnown{*disk.value(), last};
}

/// From the log itself, else from the copy beside it, whose term is a bound.
Result<LogKnown> what_is_known(const NodeFolder& folder, const RepairSeams& seams) {
  auto known = read_log(folder, seams);
  // A disk that does not answer now may do so at the next start: only what is damaged is given up.
  if (known.ok() || known.error().code != ErrorCode::corrupt) return known;
  auto kept = kept_promise(folder);
  if (!kept.ok()) return kept.error();
  if (!kept.value()) return unsafe(known.error().message);
  LogKnown copy{std::move(*kept.value()), {}};
  copy.last = std::exchange(copy.disk.mute_through, Term{});
  return copy;
}

Result<RepairRecord> plan(const NodeFolder& folder, const std::string& why, const RepairSeams& seams) {
  auto known = what_is_known(folder, seams);
  if (!known.ok()) return known.error();
  if (known.value().disk.peers.empty()) return unsafe("no other node was ever heard here");
  const Term last = known.value().last;
  RepairRecord record;
  record.why = why;
  record.disk = std::move(known.value().disk);
  record.is_second = record.disk.mute_through != Term{};
  record.disk.mute_through = last;
  // In the next term nothing was promised at all. The leader of an earlier one, hearing of it, makes way for
  // another, which takes nothing of what this node once had for granted.
  record.hard = {last.next(), NodeId{}};
  return record;
}

Result<void> make_log(const NodeFolder& folder, const RepairRecord& record, const RepairSeams& seams) {
  const auto log = seams.open_log(folder.log_path());
  if (!log.ok()) return log.error();
  if (auto written = write_first_head(*log.value(), record.hard); !written.ok()) return written;
  return write_disk_record(*log.value(), record.disk);
}

}  // namespace

Result<void> keep_promise(NodeFolder& folder, const DiskRecord& copy) {
  return folder.note_promise(seal_record(promise_version, packed(copy)));
}

Result<std::optional<DiskRecord>> kept_promise(const NodeFolder& folder) {
  const auto bytes = folder.promise();
  if (!bytes.ok()) return bytes.error();
  if (!bytes.value()) return std::optional<DiskRecord>();
  const auto body = open_record(promise_version, *bytes.value(), "PROMISED");
  if (!body.ok()) return std::optional<DiskRecord>();
  auto record = unpacked<DiskRecord>(body.value());
  if (!record.ok()) return std::optional<DiskRecord>();
  return std::optional<DiskRecord>(std::move(record).value());
}

Result<void> repair_folder(NodeFolder& folder, const std::string& why, const RepairSeams& seams) {
  const auto record = plan(folder, why, seams);
  if (!record.ok()) return record.error();
  if (auto noted = write_repair(folder, record.value()); !noted.ok()) return noted;
  return resume_repair(folder, seams);
}

Result<void> resume_repair(NodeFolder& folder, const RepairSeams& seams) {
  auto found = read_repair(folder);
  if (!found.ok()) return found.error();
  if (!found.value()) return {};
  RepairRecord& record = *found.value();
  if (!record.is_set_aside) {
    const auto aside = record.is_second ? NodeFolder::Aside::yields : NodeFolder::Aside::replaces;
    if (auto done = folder.set_aside(record.why, aside); !done.ok()) return done;
    record.is_set_aside = true;
    if (auto noted = write_repair(folder, record); !noted.ok()) return noted;
  }
  if (auto made = make_log(folder, record, seams); !made.ok()) return made;
  return folder.end_repair();
}

}  // namespace troupe
