#pragma once
// Where the tasks of jobs are, counted per place: what relations between tasks ask about.

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "actors/scheduler/needs.hpp"

namespace troupe::scheduler {

inline constexpr std::uint32_t no_slot = UINT32_MAX;

/// The kinds of places that relations name, and which place each host is. Hosts without the attribute share
/// one place.
class Topologies {
 public:
  static constexpr std::size_t hosts = 0;  ///< each host is a place of its own; its slot numbers it

  static constexpr std::size_t idle_kinds_max = 32;  ///< of more, one that nobody uses is taken again

  Topologies() : kinds_(1) {}
  /// The kind's number, made if it is new; counts a user until `release`.
  std::size_t use(const std::string& place);
  void release(std::size_t kind);
  /// Has a kind been made since the last call?
  bool take_news() { return std::exchange(has_news_, false); }
  std::size_t kinds() const { return kinds_.size(); }
  /// The number of the host's place of that kind.
  std::uint32_t place_of(std::size_t kind, const HostFacts& facts, std::uint32_t slot);

 private:
  struct Kind {
    std::string place;
    std::map<std::string, std::uint32_t> numbers;  ///< by value
    std::size_t users = 0;
  };
  std::size_t find_or_make(const std::string& place);
  std::vector<Kind> kinds_;
  bool has_news_ = false;
};
/// The value that says which zone the host is in.
const std::string& zone_of(const HostFacts& facts);

/// One job that some class asks about.
struct FollowedJob {
  JobId id;
  absl::flat_hash_map<TaskId, HostId> tasks;  ///< placed or in flight; looked up and never walked
  absl::btree_map<HostId, std::uint32_t> by_host;
  std::vector<std::vector<std::uint32_t>> by_place;  ///< by kind, then place; derived from by_host
  std::vector<bool> is_counted;                      ///< by kind
  std::uint64_t layout = 0;                          ///< that by_place was derived for
  std::uint64_t leavings = 0;                        ///< tasks that went
  std::size_t users = 0;

  std::uint32_t count(std::size_t kind, std::uint32_t place) const {
    const auto& counts = by_place[kind];
    return place < counts.size() ? counts[place] : 0;
  }
};

/// Owner: the inventory.
class JobBook {
 public:
  /// Taken over from the state when the first class asks for it.
  FollowedJob* follow(const JobId& job, const Lookups& lookups);
  void unfollow(FollowedJob* job);
  FollowedJob* find(const JobId& job) {
    if (jobs_.empty()) return nullptr;
    const auto found = jobs_.find(job);
    return found == jobs_.end() ? nullptr : found->second.get();
  }
  /// What a call changed; 0: nowhere. The caller keeps `by_place` in step.
  struct Moved {
    HostId from, to;
  };
  /// The same again changes nothing.
  Moved put(FollowedJob& job, const TaskId& task, HostId host);
  Moved erase(FollowedJob& job, const TaskId& task);
  /// Jobs whose tasks came or went since it was cleared.
  std::set<FollowedJob*>& changed() { return changed_; }

 private:
  static void count_down(FollowedJob& job, HostId host);
  absl::flat_hash_map<JobId, std::unique_ptr<FollowedJob>> jobs_;
  std::set<FollowedJob*> changed_;  ///< only asked for members: the order of addresses decides nothing
};

}  // namespace troupe::scheduler
