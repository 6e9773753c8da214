// A backup, or what a node has received of a snapshot: the manifest, and each file against it.

#include <fmt/core.h>

#include "cmd/troupe/inspect_report.hpp"
#include "storage/snapshot/backup.hpp"
#include "storage/snapshot/node_folder.hpp"

namespace troupe::cli {
namespace {

struct FileRow {
  std::string name;
  std::uint64_t size = 0, present = 0;
  bool is_sound = false;
  static constexpr auto fields() {
    return field_list(field("name", &FileRow::name), field("size", &FileRow::size),
                      field("present", &FileRow::present), field("is_sound", &FileRow::is_sound));
  }
};

class SnapshotInspection {
 public:
  SnapshotInspection(const Inspect& args, const InspectOutput& output) : args_(args), report_(args, output) {}

  int run() {
    auto manifest = find();
    if (!manifest.ok()) return report_.fail(manifest.error());
    for (const SnapshotFile& file : manifest.value().files) look_at(file);
    print(manifest.value());
    return report_.finish();
  }

 private:
  Result<SnapshotManifest> find() {
    FileDoor& files = system_files();
    auto backup = read_backup_manifest(files, args_.folder);
    files_folder_ = args_.folder + "/files";
    if (backup.ok() || backup.error().code != ErrorCode::not_found) return backup;
    const auto node = NodeFolder::look(files, args_.folder);
    if (!node.ok()) return node.error();
    auto incoming = node.value().incoming();
    if (!incoming.ok()) return incoming.error();
    if (!incoming.value())
      return Error{ErrorCode::not_found, args_.folder + " is no backup, and receives no snapshot"};
    files_folder_ = node.value().incoming_path();
    is_incoming_ = true;
    return *incoming.value();
  }

  void look_at(const SnapshotFile& file) {
    const auto found = describe_file(system_files(), files_folder_, file.name);
    FileRow row{file.name, file.size, found.ok() ? found.value().size : 0,
                found.ok() && found.value() == file};
    // What is still to come is no damage.
    const bool is_to_come = is_incoming_ && row.present < row.size;
    if (!row.is_sound && !is_to_come)
      report_.problem(file.name +
                      (found.ok() ? ": not what the manifest says" : ": " + found.error().message));
    received_ += row.present;
    report_.row("file",
                fmt::format("{:<24} {:>12} B  {}", row.name, row.size,
                            row.is_sound ? "sound" : (is_to_come ? "to come" : "DAMAGED")),
                row);
  }

  void print(const SnapshotManifest& manifest) {
    std::string voters;
    for (const NodeId node : manifest.membership.voters)
      voters += (voters.empty() ? "" : ",") + to_text(node);
    report_.row("snapshot",
                fmt::format("snapshot of cell {} at {} of term {}, voters {}, state hash {:016x}\n"
                            "{} files, {} of {} bytes present{}",
                            manifest.cell, manifest.index.value, manifest.term.value, voters,
                            manifest.state_hash, manifest.files.size(), received_, manifest.bytes(),
                            is_incoming_ ? " (being received)" : ""),
                manifest);
  }

  const Inspect& args_;
  InspectReport report_;
  std::string files_folder_;
  bool is_incoming_ = false;
  std::uint64_t received_ = 0;
};

}  // namespace

int inspect_snapshot(const Inspect& args, const InspectOutput& output) {
  return SnapshotInspection(args, output).run();
}

}  // namespace troupe::cli
