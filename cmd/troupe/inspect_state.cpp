// The state: where each table stands, how much each shard holds, and whether it sums up to the stored hash.

#include <fmt/core.h>

#include "cmd/troupe/inspect_report.hpp"
#include "storage/kv/rocks_store.hpp"
#include "storage/snapshot/node_folder.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/position.hpp"
#include "storage/state/state_hash.hpp"

namespace troupe::cli {
namespace {

struct TableRow {
  std::string table;
  std::uint64_t index = 0, term = 0;
  static constexpr auto fields() {
    return field_list(field("table", &TableRow::table), field("index", &TableRow::index),
                      field("term", &TableRow::term));
  }
};
struct ShardRow {
  std::uint64_t shard = 0;
  std::uint64_t jobs = 0, slots = 0, tasks = 0, archived_jobs = 0, archived_tasks = 0;
  std::string hash;
  static constexpr auto fields() {
    using S = ShardRow;
    return field_list(field("shard", &S::shard), field("jobs", &S::jobs), field("slots", &S::slots),
                      field("tasks", &S::tasks), field("archived_jobs", &S::archived_jobs),
                      field("archived_tasks", &S::archived_tasks), field("hash", &S::hash));
  }
};
struct StateRow {
  std::string cell;
  std::string folder;
  std::uint64_t hosts = 0, groups = 0, requests = 0;
  ShardRow total;
  std::string fault;
  static constexpr auto fields() {
    using S = StateRow;
    return field_list(field("cell", &S::cell), field("folder", &S::folder), field("hosts", &S::hosts),
                      field("groups", &S::groups), field("requests", &S::requests), field("total", &S::total),
                      field("fault", &S::fault));
  }
};

std::string hash_text(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

class StateInspection {
 public:
  StateInspection(const Inspect& args, const InspectOutput& output) : args_(args), report_(args, output) {}

  int run() {
    if (auto found = find(); !found.ok()) return report_.fail(found.error());
    const auto store = open_rocks_read_only(
        {.path = state_.folder, .role = RocksConfig::Role::state, .tables = keys::table_names()});
    if (!store.ok()) return report_.fail(store.error());
    read_positions(*store.value());
    read_cell(*store.value());
    const auto anew = recompute_hash(*store.value());
    if (!anew.ok()) return report_.fail(anew.error());
    check_archive(*store.value(), anew.value());
    print(anew.value());
    if (hash_ && anew.value().hash.total() != *hash_)
      report_.problem("the records sum up to " + hash_text(anew.value().hash.total()) + ", stored is " +
                      hash_text(*hash_));
    return report_.finish();
  }

 private:
  /// A node's folder says which state counts; a state's own folder is taken as it is.
  Result<void> find() {
    FileDoor& files = system_files();
    state_.folder = args_.folder;
    if (files.size_of(args_.folder + "/IDENTITY").ok()) return {};
    const auto node = NodeFolder::look(files, args_.folder);
    if (!node.ok()) return node.error();
    state_.folder = node.value().state_path();
    const auto fault = node.value().fault();
    if (fault.ok() && fault.value())
      report_.problem("noted on this node: " + (state_.fault = *fault.value()));
    return {};
  }

  void read_positions(const KvStore& store) {
    std::optional<StatePosition> first;
    const auto names = keys::table_names();
    for (Table table = 0; table < names.size(); ++table) {
      const auto position = read_position(store, table);
      if (!position.ok()) {
        report_.problem("position of table " + names[table] + ": " + position.error().message);
        continue;
      }
      report_.row("table",
                  fmt::format("table {:<9} stands at {} of term {}", names[table],
                              position.value().index.value, position.value().term.value),
                  TableRow{names[table], position.value().index.value, position.value().term.value});
      if (first && *first != position.value()) report_.problem("table " + names[table] + " stands elsewhere");
      if (!first) first = position.value();
    }
    if (first) hash_ = first->hash;
  }

  void read_cell(const KvStore& store) {
    const auto cell = read_cell_name(store);
    if (cell.ok())
      state_.cell = cell.value();
    else
      report_.problem("the cell's record: " + cell.error().message);
  }

  void check_archive(const KvStore& store, const Recomputed& anew) {
    ArchiveSums stored;
    const auto cursor = store.scan(keys::meta, keys::meta_low('b'), keys::meta_high('b'));
    for (; cursor->valid(); cursor->next()) {
      const auto place = keys::archive_sum_place(cursor->key());
      const auto sum = unpacked<ArchiveSum>(cursor->value());
      if (place && sum.ok())
        stored[*place] = sum.value();
      else
        report_.problem("a sum of the archive does not decode");
    }
    for (const auto& [place, sum] : anew.archive) {
      const auto found = stored.find(place);
      if (found == stored.end() || found->second != sum)
        report_.problem(
            fmt::format("archive of day {}, shard {}: not what was stored", place.first, place.second.value));
    }
    for (const auto& [place, sum] : stored)
      if (!anew.archive.contains(place))
        report_.problem(fmt::format("archive of day {}, shard {}: lost", place.first, place.second.value));
  }

  void print(const Recomputed& anew) {
    std::vector<ShardRow> rows(anew.hash.shards.size());
    for (const auto& [place, sum] : anew.archive) {
      rows[place.second.value].archived_jobs += sum.jobs;
      rows[place.second.value].archived_tasks += sum.tasks;
    }
    ShardRow& total = state_.total;
    for (std::size_t n = 0; n < rows.size(); ++n) {
      ShardRow& row = rows[n];
      row.shard = n;
      row.jobs = anew.jobs[n], row.slots = anew.slots[n], row.tasks = anew.tasks[n];
      row.hash = hash_text(anew.hash.shards[n]);
      total.jobs += row.jobs, total.slots += row.slots, total.tasks += row.tasks;
      total.archived_jobs += row.archived_jobs, total.archived_tasks += row.archived_tasks;
      report_.row("shard", fmt::format("shard {:>3}  {}", n, counts_text(row)), row);
    }
    total.shard = rows.size();
    total.hash = hash_text(anew.hash.total());
    state_.hosts = anew.hosts, state_.groups = anew.groups, state_.requests = anew.requests;
    report_.row(
        "state",
        fmt::format("cell {} in {}: {} shards, {} hosts, {} groups, {} requests\n{}", state_.cell,
                    state_.folder, rows.size(), anew.hosts, anew.groups, anew.requests, counts_text(total)),
        state_);
  }

  static std::string counts_text(const ShardRow& row) {
    return fmt::format("{:>7} jobs {:>8} slots {:>8} tasks  archived {:>8} jobs {:>9} tasks  hash {}",
                       row.jobs, row.slots, row.tasks, row.archived_jobs, row.archived_tasks, row.hash);
  }

  const Inspect& args_;
  InspectReport report_;
  StateRow state_;
  std::optional<std::uint64_t> hash_;
};

}  // namespace

int inspect_state(const Inspect& args, const InspectOutput& output) {
  return StateInspection(args, output).run();
}

}  // namespace troupe::cli
