#pragma once
// Which disk each node speaks from, so that a node that lost its disk is not taken for the one that voted.
// README.md has the argument.

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "storage/log/disk_record.hpp"

namespace troupe {

/// May this node vote and stand for election?
enum class VoteStanding : std::uint8_t {
  votes,
  unknown,    ///< too few of the others know its disk yet
  repairing,  ///< its log was damaged, and what it has now may lack what it once acknowledged
};

/// Part of the driver: its thread alone, but for standing(). What it answers is durable. Its store outlives
/// it.
class DiskBook {
 public:
  static constexpr std::size_t peers_max = 4'096;  ///< beyond: the newcomer is a stranger
  static constexpr std::uint64_t terms_ahead =
      1'000;  ///< so seldom is the copy outside the log written for terms

  /// Keeps a copy outside of the log, for when that is damaged; in it `mute_through` is a term that nothing
  /// was promised behind. Durable when it returns; may be empty.
  using Keep = std::function<Result<void>(const DiskRecord& copy)>;

  /// Makes the record if there is none: of a log that is empty a new disk, else one of an earlier release,
  /// which has voted already. `drawn`: for a new one. Errors: io, corrupt; precondition_failed: the log is of
  /// another node.
  /// `kept`: the copy, if there is one; without a record it tells of a log that is gone: corrupt.
  static Result<std::unique_ptr<DiskBook>> open(KvStore& log, NodeId self, const LogHead& head, DiskId drawn,
                                                Keep keep = {}, const std::optional<DiskRecord>& kept = {});

  DiskId disk() const { return record_.disk; }
  bool enrolled() const { return record_.enrolled; }
  Term mute_through() const { return record_.mute_through; }
  DiskId disk_of(NodeId peer) const;  ///< 0: unknown
  const std::vector<PeerDisk>& known() const { return record_.peers; }

  enum class Heard : std::uint8_t {
    known,
    learned,   ///< for the first time, or in place of one that never might vote
    stranger,  ///< another disk than the one known: not to be listened to
    refused,   ///< the peer knows this node by another disk: this one must stop
  };
  struct Said {
    NodeId from;
    DiskId disk = 0;
    bool enrolled = false;
    DiskId to_disk = 0;
  };
  Result<Heard> hear(const Said& said);
  /// Of somebody else, by way of a peer. refused: it is about this node.
  Result<Heard> hear_of(const PeerDisk& told);
  /// Once a majority of the other voters knows this disk. Error: io.
  Result<void> enroll(const std::vector<NodeId>& voters);
  /// The log holds a later term. Error: io.
  Result<void> healed();
  /// Before anything is promised in this term. Error: io.
  Result<void> will_promise(Term term);

  /// Any thread.
  VoteStanding standing() const { return standing_.load(); }

 private:
  DiskBook(KvStore& log, DiskRecord record, Keep keep);
  Result<void> write();
  Result<void> keep_copy();
  Result<Heard> learn(const PeerDisk& peer);
  PeerDisk* find(NodeId peer);
  void publish();

  KvStore& log_;
  DiskRecord record_;
  const Keep keep_;
  Term bound_;  ///< of the copy
  std::atomic<VoteStanding> standing_{VoteStanding::votes};
};

/// For people: why a node does not vote; empty: it does.
std::string standing_text(VoteStanding standing);

}  // namespace troupe
