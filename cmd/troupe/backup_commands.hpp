#pragma once
// `troupe cell snapshot|backup|restore`: clients that read a node's snapshot over HTTP, and what makes a
// node's folder from it. Apart from the other clients, since they know what a snapshot consists of.

#include "cmd/troupe/cli_context.hpp"

namespace troupe::cli {

struct SnapshotTake {
  std::uint32_t node = 0;  ///< 0: the one at --address
};
/// Takes a snapshot on a node, says what it is, and lets it go: what a backup now would weigh.
int cell_snapshot(Context& context, const SnapshotTake& args);

struct Backup {
  std::string folder;      ///< new, empty, or left unfinished by an earlier try
  std::uint32_t node = 0;  ///< 0: the one at --address
};
int cell_backup(Context& context, const Backup& args);

struct Restore {
  std::string backup;
  std::string folder;      ///< new or empty
  std::uint32_t node = 1;  ///< the number of the one node
  std::string cell;        ///< empty: the backup's
};
/// Offline: asks no cell.
int cell_restore(Context& context, const Restore& args);

/// Under `cell`, which must be there, with the global options that are there.
void add_backup_commands(CLI::App& app, Surroundings& surroundings = process_surroundings());

}  // namespace troupe::cli
