#pragma once
// The hosts and what they have free, arranged so that a class of tasks finds a place without a walk over all.

#include <map>
#include <memory>
#include <set>
#include <unordered_set>
#include <vector>

#include "actors/scheduler/free_tree.hpp"
#include "actors/scheduler/predicates.hpp"

namespace troupe::scheduler {

struct Pool;

struct Host {
  HostFacts facts;
  Resources assumed;                           ///< in flight
  std::map<JobId, std::uint32_t> unique_used;  ///< live tasks of jobs that want unique hosts
  std::map<JobId, std::uint32_t> unique_assumed;
  std::unordered_set<TaskId> assumed_tasks;
  bool is_exclusive = false;            ///< a task that wants the host alone is placed or in flight
  EventId last_delta;                   ///< of the last placement or end counted
  std::map<Pool*, std::size_t> places;  ///< its place in each pool that it is in

  Resources free() const;
  bool is_untouched() const { return facts.used == Resources{} && assumed_tasks.empty(); }
  bool has_unique(const JobId& job) const {
    return unique_used.count(job) != 0 || unique_assumed.count(job) != 0;
  }
};

/// The hosts that one set of constraints allows, with a tree over their free resources.
struct Pool {
  Needs needs;
  FreeTree tree;
  std::vector<Host*> places;  ///< null: vacant
  std::vector<std::size_t> vacant;
  std::size_t next = 0;   ///< where the next search starts: spreads tasks over the hosts
  std::size_t users = 0;  ///< classes
};

/// What a class asks for.
struct Demand {
  Resources resources;
  Needs needs;
  JobId unique_job;  ///< nil: not unique
  Pool* pool = nullptr;
};

/// Owner: the engine. Pure, deterministic. Changes that could help a class are collected as `improved`.
class Inventory {
 public:
  static constexpr std::size_t improved_max =
      32;  ///< followed one by one; of more only the fact is remembered

  void upsert(const HostFacts& facts);
  void remove(HostId id);
  void assume(HostId id, const TaskId& task, const Demand& demand);
  void release(HostId id, const TaskId& task, const Demand& demand);
  /// An assumption that came true by that event.
  void confirm(HostId id, const TaskId& task, const Demand& demand, EventId at);
  void ended(HostId id, const JobId& job, const Resources& resources, EventId at);

  Pool* join_pool(const Needs& needs);
  void leave_pool(Pool* pool);

  /// A host that takes the demand now.
  const Host* find(const Demand& demand, std::size_t& looked_at);
  bool takes(const Host& host, const Demand& demand) const;
  /// Why not; nothing if it takes it.
  std::optional<std::string> reason(const Host& host, const Demand& demand) const;

  /// May a demand that found nothing find something since the last clear_improved()?
  bool may_help(const Demand& demand) const;
  bool has_improved() const { return all_improved_ || !improved_.empty(); }
  void clear_improved();
  const std::map<HostId, std::unique_ptr<Host>>& hosts() const { return hosts_; }

 private:
  Host* host(HostId id);
  void refresh(Host& host);
  void place_in_pools(Host& host);
  void join(Pool& pool, Host& host);
  void leave(Pool& pool, Host& host);
  void improve(const Host& host);
  bool drop_assumption(Host& host, const TaskId& task, const Demand& demand);

  std::map<HostId, std::unique_ptr<Host>> hosts_;
  std::map<std::string, std::unique_ptr<Pool>> pools_;
  std::set<HostId> improved_;
  bool all_improved_ = false;
};

}  // namespace troupe::scheduler
