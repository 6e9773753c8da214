#pragma once
// One service job in every shard, whose size tells whether somebody cares for the shard's entities.

#include <cstdint>
#include <map>
#include <string>

#include "cmd/troupe/bench_cell.hpp"

namespace troupe::cli {

/// A changed size is only a wish: the tasks follow when the job's actor is awake on the shard's owner. One
/// thread.
class WatchedJobs {
 public:
  explicit WatchedJobs(BenchCell& cell) : cell_(cell) {}
  /// Errors: unavailable.
  Result<void> create();
  /// How many shards with a job this node owns, as told at that port.
  std::size_t owned_by(std::uint32_t node, std::uint16_t port);
  /// All nodes own as many, but for one, as told at that port: none is on its way.
  bool are_shards_spread(std::uint16_t port) const;
  /// Notes whose shards the victim has now.
  Result<void> prepare(std::uint32_t victim);
  /// Asks another node for a new size of each of those jobs. False: one was refused for too long.
  bool change(std::uint32_t victim);
  /// Every one of them has its new size, as another node sees it.
  bool is_cared_for(std::uint32_t victim);

 private:
  struct Job {
    std::string id;
    std::uint32_t tasks = 0;  ///< wanted
    bool watched = false;     ///< the victim's, and not yet seen to follow
  };
  std::uint16_t other_port(std::uint32_t victim) const { return cell_.http_port(victim == 1 ? 2 : 1); }
  Result<std::map<std::uint16_t, std::uint32_t>> owners(std::uint16_t port) const;

  BenchCell& cell_;
  std::map<std::uint16_t, Job> jobs_;  ///< by shard
};

}  // namespace troupe::cli
