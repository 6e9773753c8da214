// The log: head, entries with their commands' names, checksums, gaps.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <deque>

#include "cmd/troupe/cli.hpp"
#include "cmd/troupe/inspect_report.hpp"
#include "storage/kv/rocks_store.hpp"
#include "storage/log/log_codec.hpp"
#include "storage/log/log_store.hpp"
#include "storage/model/command.hpp"
#include "storage/snapshot/node_folder.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t last_printed = 10;

struct EntryRow {
  std::uint64_t index = 0, term = 0;
  std::string kind;
  std::string command;  ///< of a command
  std::string caller;
  Instant stamp;
  std::uint64_t bytes = 0;
  static constexpr auto fields() {
    using E = EntryRow;
    return field_list(field("index", &E::index), field("term", &E::term), field("kind", &E::kind),
                      field("command", &E::command), field("caller", &E::caller), field("stamp", &E::stamp),
                      field("bytes", &E::bytes));
  }
};

struct Summary {
  LogHead head;
  std::uint64_t entries = 0, bytes = 0;
  std::uint64_t first = 0, last = 0;
  static constexpr auto fields() {
    using S = Summary;
    return field_list(field("head", &S::head), field("entries", &S::entries), field("bytes", &S::bytes),
                      field("first", &S::first), field("last", &S::last));
  }
};

std::string members_text(const std::vector<NodeId>& nodes) {
  std::string text;
  for (const NodeId node : nodes) text += (text.empty() ? "" : ",") + to_text(node);
  return text.empty() ? "-" : text;
}

class LogInspection {
 public:
  LogInspection(const Inspect& args, const InspectOutput& output) : args_(args), report_(args, output) {}

  int run() {
    const std::string own = args_.folder + "/log";
    const bool is_node = system_files().list(own).ok();
    const auto store = open_rocks_read_only(
        {.path = is_node ? own : args_.folder, .role = RocksConfig::Role::log, .tables = LogStore::tables()});
    if (!store.ok()) return report_.fail(store.error());
    read_head(*store.value());
    if (auto walked = walk(*store.value()); !walked.ok()) report_.problem(walked.error().message);
    finish_tail();
    for (const EntryRow& row : newest_) print(row);
    report_.row("log", summary_text(), summary_);
    return report_.finish();
  }

 private:
  void read_head(const KvStore& store) {
    const auto record = store.get(LogStore::meta_table, "head");
    if (!record.ok()) return report_.problem("log head: " + record.error().message);
    if (!record.value()) return;
    const auto head = log_head(*record.value());
    if (!head.ok()) return report_.problem(head.error().message);
    summary_.head = head.value();
    has_head_ = true;
    last_ = summary_.head.edge;
  }

  Result<void> walk(const KvStore& store) {
    const auto cursor = store.scan(LogStore::entries_table, Bytes(8, '\0'), Bytes(9, '\xff'));
    for (; cursor->valid(); cursor->next()) {
      ++summary_.entries;
      summary_.bytes += cursor->value().size();
      const auto entry = log_entry(cursor->key(), cursor->value());
      if (entry.ok())
        look_at(entry.value());
      else
        report_.problem(entry.error().message);
      if (!entry.ok() && cursor->key().size() == 8) last_.index = log_key_index(cursor->key());
    }
    return cursor->status();
  }

  void look_at(const raft::Entry& entry) {
    if (summary_.first == 0) summary_.first = entry.index.value;
    summary_.last = entry.index.value;
    if (entry.index != last_.index.next())
      report_.problem(fmt::format("a gap: entry {} follows {}", entry.index.value, last_.index.value));
    if (entry.term < last_.term)
      report_.problem(fmt::format("entry {} goes back from term {} to {}", entry.index.value,
                                  last_.term.value, entry.term.value));
    last_ = {entry.index, entry.term};
    EntryRow row{entry.index.value, entry.term.value, kind_of(entry), {}, {}, entry.stamp, entry.data.size()};
    if (entry.kind == raft::EntryKind::command) name_command(entry, row);
    if (args_.from || args_.to) {
      if (row.index >= args_.from.value_or(0) && row.index <= args_.to.value_or(UINT64_MAX)) print(row);
      return;
    }
    newest_.push_back(std::move(row));
    if (newest_.size() > last_printed) newest_.pop_front();
  }

  static std::string kind_of(const raft::Entry& entry) {
    switch (entry.kind) {
      case raft::EntryKind::noop:
        return "noop";
      case raft::EntryKind::command:
        return "command";
      case raft::EntryKind::config:
        return "config";
    }
    return {};
  }

  void name_command(const raft::Entry& entry, EntryRow& row) {
    const auto command = decode_command(entry.data.view());
    if (command.ok()) {
      row.command = command_name(command.value());
      row.caller = command.value().caller;
    } else if (command.error().code == ErrorCode::unavailable) {
      row.command = "unknown";  // Of a newer release: no damage.
    } else {
      report_.problem(fmt::format("entry {}: {}", entry.index.value, command.error().message));
    }
  }

  void finish_tail() {
    if (!has_head_ && summary_.entries > 0) return report_.problem("there are entries, but no head");
    if (last_ != summary_.head.tail)
      report_.problem(fmt::format("the log ends at {} of term {}, was written up to {} of term {}",
                                  last_.index.value, last_.term.value, summary_.head.tail.index.value,
                                  summary_.head.tail.term.value));
  }

  void print(const EntryRow& row) {
    report_.row("entry",
                fmt::format("{:>10} term {:<5} {} {:<8} {:<16} {:>7} B  {}", row.index, row.term,
                            to_text(row.stamp), row.kind, row.command, row.bytes, row.caller),
                row);
  }

  std::string summary_text() const {
    const LogHead& head = summary_.head;
    return fmt::format(
        "head: term {}, voted for {}, voters {}, learners {}, begins behind {} of term {}, ends at {} of "
        "term {}\n"
        "{} entries, {} bytes",
        head.hard.term.value, head.hard.voted_for.value, members_text(head.membership.voters),
        members_text(head.membership.learners), head.edge.index.value, head.edge.term.value,
        head.tail.index.value, head.tail.term.value, summary_.entries, summary_.bytes);
  }

  const Inspect& args_;
  InspectReport report_;
  Summary summary_;
  bool has_head_ = false;
  LogEdge last_;
  std::deque<EntryRow> newest_;
};

}  // namespace

int inspect_log(const Inspect& args, const InspectOutput& output) {
  return LogInspection(args, output).run();
}

}  // namespace troupe::cli
