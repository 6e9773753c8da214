#pragma once
// The folder of one node: which state is the current one, what is being received, what went wrong.
//
//   log/                 the log database
//   state/, state-N/     state databases; CURRENT names the one that counts, without CURRENT it is state/
//   incoming/            files of a snapshot that is being received; incoming.manifest says of which
//   checkpoints/N/       own checkpoints, while somebody receives them
//   SKIPPED              entries that an operator had left out (apply_guard.hpp)
//   APPLYING             the entry being applied, for counting deaths (death_book.hpp)
//   FAULT                why this node must be repaired from a peer before it may vote again
//   PROMISED             what must be known of the log when it is damaged (self_repair.hpp)
//   REPAIR               it is being repaired
//   damaged-…            what the last repair set aside

#include <optional>
#include <string>

#include "storage/snapshot/manifest.hpp"
#include "storage/state/apply_guard.hpp"

namespace troupe {

/// The state that counts. Of an installed one, where it came from: the log begins behind `index`.
struct CurrentState {
  std::string folder = "state";
  std::uint64_t number = 0;  ///< grows with each installation; 0: never installed
  Index index;               ///< 0: never installed
  Term term;
  raft::Membership membership;  ///< as of index
  static constexpr auto fields() {
    using C = CurrentState;
    return field_list(field("folder", &C::folder), field("number", &C::number), field("index", &C::index),
                      field("term", &C::term), field("membership", &C::membership));
  }
};

/// Owned by whoever runs the node; single-threaded. Everything it answers is durable when it returns.
class NodeFolder {
 public:
  /// Makes the folder if there is none. Errors: io, corrupt (the pointer; restore it from a backup or a
  /// peer).
  static Result<NodeFolder> open(FileDoor& files, std::string root);
  /// The same, making nothing. Errors: not_found too.
  static Result<NodeFolder> look(FileDoor& files, std::string root);

  FileDoor& files() const { return *files_; }
  std::string log_path() const { return root_ + "/log"; }
  std::string state_path() const { return root_ + "/" + current_.folder; }
  std::string checkpoints_path() const { return root_ + "/checkpoints"; }
  std::string incoming_path() const { return root_ + "/incoming"; }
  /// At start: a log that ends before `index`, or has another term there, must be cut to that edge (a crash
  /// came between the switch and the cut).
  const CurrentState& current() const { return current_; }

  /// The snapshot that is being received; nullopt: none.
  Result<std::optional<SnapshotManifest>> incoming() const;
  /// Makes room for receiving this snapshot; what was received of another one goes.
  Result<void> begin_incoming(const SnapshotManifest& manifest);
  Result<void> drop_incoming();
  /// incoming/ holds the whole snapshot, verified and its files synced: from now on it is the state. The old
  /// state stays on disk until remove_leftovers(). A crash at any point leaves the old or the new one, whole.
  Result<void> switch_to_incoming();
  /// The same for files in incoming/ that did not come as a snapshot.
  Result<void> adopt_incoming(const SnapshotManifest& manifest);

  /// Other states than the current one, and old checkpoints. With the databases of those closed.
  Result<void> remove_leftovers();

  /// A local fault that only a peer can repair (divergence, damage): kept until the next installation.
  Result<void> note_fault(const std::string& why);
  Result<std::optional<std::string>> fault() const;
  /// What a restore notes until it is done: nothing repairs that.
  static constexpr const char* unfinished_restore =
      "an unfinished restore: remove this folder and restore again";

  // ---- for self_repair.cpp ----
  Result<void> note_promise(const Bytes& record);
  Result<std::optional<Bytes>> promise() const;
  Result<void> note_repair(const Bytes& record);
  Result<std::optional<Bytes>> repair() const;
  enum class Aside : std::uint8_t {
    replaces,  ///< what an earlier repair set aside
    yields,    ///< to it: that repair had not come to its end, and what is there now is worth less
  };
  /// Log and state go beside; an empty state is the current one. Repeated after a crash it goes on. With all
  /// databases closed.
  Result<void> set_aside(const std::string& why, Aside aside);
  /// The new log stands: neither fault nor repair any more.
  Result<void> end_repair();

  /// Entries that an operator had skipped: of no command, but of this folder, and kept for ever. Error:
  /// corrupt.
  Result<std::vector<SkippedEntry>> skipped() const;
  Result<void> add_skipped(const SkippedEntry& entry);
  std::string death_book_path() const { return root_ + "/APPLYING"; }

 private:
  NodeFolder(FileDoor& files, std::string root) : files_(&files), root_(std::move(root)) {}
  Result<void> move_aside(const std::string& name, const std::string& to, Aside aside);
  Result<void> point_to(CurrentState next);
  FileDoor* files_;
  std::string root_;
  CurrentState current_;
};

}  // namespace troupe
