#pragma once
// How much of the log is kept, and when the state must be flushed so that the log can be cut.

#include <deque>
#include <map>
#include <optional>

#include "storage/log/log_cache.hpp"
#include "storage/raft/types.hpp"

namespace troupe {

struct LogRetention {
  std::uint64_t entries_max = 1'000'000;               ///< behind what is flushed
  std::uint64_t bytes_max = std::uint64_t{256} << 20;  ///< the same
  std::uint64_t pinned_bytes_max = std::uint64_t{4}
                                   << 30;               ///< of the whole log, beyond which pins are ignored
  std::uint64_t flush_bytes = std::uint64_t{64} << 20;  ///< of the log, not yet in the state's files
  milliseconds flush_every{60'000};
};

/// What somebody who may block should do with the state: then tell the driver what is flushed.
enum class StateCare : std::uint8_t {
  none,
  look,   ///< at what is flushed
  flush,  ///< and look
};

/// Part of the driver; a value. What is not in the state's files stays in the log, always. Behind that the
/// retention counts, for followers that lag. A pin keeps what follows a snapshot under way, unless the log
/// grows beyond its bound: its receiver then needs another snapshot.
class LogKeeper {
 public:
  LogKeeper(LogRetention retention, raft::Membership at_edge, Index flushed)
      : retention_(retention), at_edge_(std::move(at_edge)), flushed_(flushed) {}

  void committed(const raft::Entry& entry);  ///< remembers configurations; in order, again after a restart
  void flushed(Index index, Moment now);
  void pin(NodeId receiver, Index snapshot) { pins_[receiver] = snapshot; }
  void unpin(NodeId receiver) { pins_.erase(receiver); }
  /// Where the log may be cut; nothing when that would not be worth a write.
  std::optional<Index> edge(const LogCache& log, Index applied) const;
  /// The log is cut there: the membership as of that entry.
  const raft::Membership& cut(Index edge);
  /// At most one care is under way: the next one comes after flushed().
  StateCare care(const LogCache& log, Index applied, Moment now);
  Index flushed() const { return flushed_; }
  std::size_t pins() const { return pins_.size(); }

 private:
  struct Config {
    Index index;
    raft::Membership membership;
  };
  const LogRetention retention_;
  raft::Membership at_edge_;
  std::deque<Config> configs_;  ///< behind the edge, ascending
  Index flushed_;
  Moment flushed_at_;
  bool caring_ = false;
  std::map<NodeId, Index> pins_;
};

}  // namespace troupe
