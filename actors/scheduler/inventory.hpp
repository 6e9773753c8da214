#pragma once
// The hosts and what they have free, arranged so that a class of tasks finds a place without a walk over all.

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

#include <array>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "actors/scheduler/constraints/constraint.hpp"
#include "actors/scheduler/free_tree.hpp"
#include "actors/scheduler/improvements.hpp"
#include "actors/scheduler/neighbours.hpp"
#include "actors/scheduler/search_starts.hpp"
#include "actors/scheduler/vain_searches.hpp"

namespace troupe::scheduler {

struct Pool;
struct Part;
struct Demand;
struct Score;

struct Host {
  /// Its place in one part of a pool.
  struct Seat {
    Pool* pool = nullptr;
    Part* part = nullptr;
    std::size_t place = 0;
  };
  HostFacts facts;
  std::uint64_t life = 0;        ///< told apart from a host of the same number that was removed
  std::uint32_t slot = no_slot;  ///< none until the next pass
  Resources assumed;             ///< in flight
  Resources claimed;             ///< kept for tasks that wait for others to end here
  std::size_t claims = 0;
  std::size_t in_flight = 0;       ///< tasks
  std::uint64_t placed_since = 0;  ///< the facts were told, so that fewer launches are left
  bool is_exclusive = false;       ///< a task that wants the host alone is placed or in flight
  bool is_exclusive_known = false;
  std::uint32_t trouble = 0;  ///< launches that failed lately; halved by each that did not
  EventId last_delta;         ///< of the last placement or end counted
  std::vector<Seat> seats;
  std::array<std::uint64_t, 8> images{};  ///< of tasks placed lately, by hash; the oldest gives way
  std::size_t next_image = 0;
  std::vector<std::uint32_t> places;  ///< by kind of place

  Resources free() const;           ///< what is claimed may be more than is there: then it is negative
  Resources free_of_tasks() const;  ///< claims left out
  bool is_untouched() const { return facts.used == Resources{} && in_flight == 0 && claims == 0; }
  /// Its limit of launches is reached, or it rests after launches that failed.
  bool is_held(std::size_t more = 1) const {
    return facts.launches_left != LaunchRoom::unlimited &&
           in_flight + placed_since + more > facts.launches_left;
  }
  const Seat* seat(const Pool* pool) const;
};

/// The hosts of a pool that are in one place, or all of them.
struct Part {
  FreeTree tree;
  std::vector<Host*> hosts;  ///< by place in the tree; null: vacant
  std::vector<std::size_t> vacant;
  Improvements improvements;
  VainSearches vain_searches;
  SearchStarts search_starts;
};

/// The hosts that one set of needs allows; in parts by place where relations ask for it.
struct Pool {
  static constexpr std::size_t not_split = 0;
  Needs needs;
  std::string key;
  std::size_t split = not_split;             ///< the kind of place
  std::vector<std::unique_ptr<Part>> parts;  ///< by place; the first one if not split
  /// Hosts by kind of place and place: of the kinds that spreads ask for.
  std::map<std::size_t, std::vector<std::uint32_t>> population;
  std::size_t users = 0;         ///< demands
  std::vector<Part*> unsettled;  ///< parts with improvements that are not numbered yet
  Resources improved_free;       ///< the most of each that a host that improved has free
  bool has_improved = false;
};

/// A relation, and whom it is about.
struct BoundRelation {
  Relation what;
  FollowedJob* job = nullptr;
  std::size_t kind = 0;
  std::uint32_t least = 0;  ///< of a spread, during one search: what the emptiest place has
};

/// How far a class has searched one part. What it knows holds but for places that have improved since, which
/// are looked at again, and no others.
struct Cursor {
  bool is_begun = false;
  std::size_t at = 0;                ///< pack: no place before it has enough; spread: where to begin
  bool has_no_room = false;          ///< no place at all has enough
  std::uint64_t seen = 0;            ///< of the part's improvements, when that was found
  bool is_exhausted = false;         ///< no place takes it, be it for want of room or for its neighbours
  std::uint64_t exhausted_seen = 0;  ///< when that was found
  std::uint64_t leavings = 0;        ///< of the jobs it relates to, likewise
  std::uint64_t layout = 0;          ///< likewise
};

/// A pool and how far a class has searched it.
struct Search {
  Pool* pool = nullptr;
  std::vector<Cursor> cursors;  ///< by part
};

struct WeighedScore {
  const Score* score = nullptr;
  int weight = 1;
};

/// What a class asks for.
struct Demand {
  Resources resources;
  Wishes wishes;
  JobId job;  ///< nil: its tasks stand in no relation
  std::uint64_t image = 0;
  Search all;        ///< the hosts that its needs allow
  Search preferred;  ///< those that its soft constraints want, too; no pool: it has none
  std::vector<BoundRelation> relations;
  std::uint64_t layout = 0;  ///< of the map, during one search
  std::vector<WeighedScore> scores;
  bool rotates = false;      ///< searches go round, rather than from the first place that may have enough
  bool can_exhaust = false;  ///< a part that had no place has none until it improves or a neighbour leaves
};

/// Of a placement in flight.
struct Ticket {
  HostId host;
  std::uint64_t life = 0;
};

/// Owner: the engine. Pure, deterministic; new hosts are taken in by number, whatever the order in which they
/// were told. Changes that could help a class are collected per pool.
class Inventory {
 public:
  static constexpr int good_enough = 975;            ///< of 1,000: no better host is looked for
  static constexpr std::size_t candidates_max = 8;   ///< otherwise the best of so many,
  static constexpr std::size_t effort_max = 128;     ///< or of those among so many nodes more than the first
  static constexpr std::size_t idle_pools_max = 64;  ///< kept for the next class that asks for the same

  explicit Inventory(Lookups lookups) : lookups_(std::move(lookups)) {}

  void upsert(const HostFacts& facts);
  void remove(HostId id);
  /// To be called before a pass: takes in the hosts that are new.
  void settle_layout();
  /// Likewise, and settles what has improved.
  void settle() {
    settle_layout();
    if (std::exchange(is_unsettled_, false)) settle_improvements();
  }

  Ticket assume(const Host& host, const TaskId& task, const JobId& job, Demand& demand);
  /// A placement that will not be.
  void give_back(const Ticket& ticket, const TaskId& task, const JobId& job, const Demand& demand);
  /// A placement that was only tried: nothing has become better by it. With each go the cursors of its
  /// search.
  void undo(const Ticket& ticket, const TaskId& task, const JobId& job, Demand& demand);
  /// A placement that is counted elsewhere: nothing becomes free by it. False: the host was removed.
  bool drop(const Ticket& ticket, const Demand& demand);
  /// A placement that came true by that event.
  void count(HostId id, const TaskId& task, const JobId& job, const Demand& demand, EventId at);
  void ended(const EndedTask& task);
  void moved(const TaskId& task, const JobId& from, const JobId& to, HostId host);

  /// Keeps room on a host for a task, of what is to become free there.
  Ticket claim(const Host& host, const TaskId& task, const JobId& job, const Demand& demand);
  void give_up_claim(const Ticket& ticket, const TaskId& task, const JobId& job, const Demand& demand);
  /// A claim that was only tried: nothing has become better by it.
  void undo_claim(const Ticket& ticket, const TaskId& task, const JobId& job, const Demand& demand);
  enum class Claim : std::uint8_t { waits, is_free, is_void };
  /// waits: for others to end there, or until the host may launch again. void: the host is gone, or takes
  /// such tasks no more. `count`: so many claims there at once.
  Claim look_at_claim(const Ticket& ticket, const Demand& demand, std::int64_t count = 1);
  /// From a claim that is free to a placement in flight; the host's eligibility as it is now.
  const Host& redeem_claim(const Ticket& ticket, const Demand& demand);
  /// Hosts with claims that have changed since the last call.
  std::set<HostId> take_changed_claims() { return std::exchange(changed_claims_, {}); }

  /// While it lives, what is found is not remembered for others: places are taken that may be given back as
  /// if nobody had taken them.
  class Trial {
   public:
    explicit Trial(Inventory& inventory)
        : inventory_(inventory), before_(std::exchange(inventory.is_trying_, true)) {}
    ~Trial() { inventory_.is_trying_ = before_; }
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

   private:
    Inventory& inventory_;
    const bool before_;
  };

  void bind(Demand& demand, const JobId& job);
  void unbind(Demand& demand);

  /// Might it stand there, if tasks that stand there ended?
  bool could_take(const Host& host, const Demand& demand);
  /// The host behind a number, or null: for walks over all hosts of a pool.
  static std::size_t walk_length(const Pool& pool);
  static const Host* at_step(const Pool& pool, std::size_t step);
  /// A host that takes the demand now: the best of those looked at.
  const Host* find(Demand& demand, std::size_t& looked_at);
  /// To be called before those below, once as long as nothing changes.
  void prepare(Demand& demand);
  bool takes(const Host& host, const Demand& demand);
  /// Why not; nothing if it takes it.
  std::optional<Lack> reason(const Host& host, const Demand& demand);
  /// Each reason why not, in the order in which they are asked.
  std::vector<Lack> lacks(const Host& host, const Demand& demand);

  /// May a demand that found nothing find something there, for what has improved since?
  static bool may_help(Search& search, const Demand& demand, std::size_t& looked_at);
  std::vector<Pool*>& improved_pools() { return improved_pools_; }
  void clear_improved();
  /// Have places emptied or moved since the last call? Then every relation may allow more than before.
  bool take_map_change() { return std::exchange(map_changed_, false); }
  JobBook& book() { return book_; }
  const absl::btree_map<HostId, std::unique_ptr<Host>>& hosts() const { return hosts_; }

 private:
  struct Best {
    const Host* host = nullptr;
    std::size_t place = 0;
    int score = -1;
    std::size_t candidates = 0;
    std::size_t looked_at_max = SIZE_MAX;  ///< from the first candidate on
    bool is_enough() const { return score >= good_enough || candidates >= candidates_max; }
  };
  struct Choice {
    std::size_t preference = 0;  ///< the least first
    std::uint32_t place = 0;
  };

  Host* host(HostId id);
  void learn_exclusive(Host& host);
  void settle_improvements();
  void refresh(Host& host);
  void improve(const Host& host);
  std::vector<std::uint32_t> places_of(const Host& host);
  void draw_map();

  Pool* join_pool(const Needs& needs, std::size_t split);
  void leave_pool(Pool* pool);
  void drop_oldest_idle();
  void fill(Pool& pool);
  void place_in_pools(Host& host);
  void join(Pool& pool, Host& host);
  void leave(Pool& pool, Host& host);
  static void populate(Pool& pool, const Host& host, std::uint32_t by);
  void track(Pool& pool, std::size_t kind);

  void bring_up_to_date(FollowedJob& job, std::size_t kind);
  void shift(FollowedJob& job, JobBook::Moved moved);
  static std::uint32_t least(const BoundRelation& relation, const Pool& pool);
  static bool allows(const BoundRelation& relation, const Demand& demand, std::uint32_t place);
  static bool is_allowed(const Host& host, const Demand& demand);
  static Lack relation_lack(const BoundRelation& relation, const Host& host);

  const Host* find_in(Search& search, Demand& demand, std::size_t& looked_at);
  const Host* find_beside(const FollowedJob& job, const Pool& pool, Demand& demand, std::size_t& looked_at);
  static std::vector<Choice> choices(const Pool& pool, const Demand& demand);
  const Host* best_in(Part& part, Cursor& cursor, const Demand& demand, std::size_t& looked_at);
  void look_at_improved(Part& part, Cursor& cursor, const Demand& demand, Best& best, std::size_t& looked_at);
  void look_at_all(Part& part, Cursor& cursor, const Demand& demand, Best& best, std::size_t& looked_at);
  void found_no_room(Part& part, Cursor& cursor, const Demand& demand) const;
  Host* usable(Host* host);
  static void keep_starts(const Search& search, const Demand& demand);
  static bool consider(const Host& host, std::size_t place, const Demand& demand, Best& best);

  Lookups lookups_;
  absl::btree_map<HostId, std::unique_ptr<Host>> hosts_;
  absl::flat_hash_map<HostId, Host*> by_id_;  ///< the same, looked up and never walked
  absl::btree_map<HostId, Host*> fresh_;      ///< not taken in yet
  std::vector<Host*> slots_;
  std::set<std::uint32_t> vacant_slots_;
  std::map<std::string, Host*> by_name_;
  std::map<std::string, std::unique_ptr<Pool>> pools_;
  std::vector<Pool*> idle_pools_;  ///< the longest idle first
  std::vector<Pool*> improved_pools_;
  Topologies topologies_;
  JobBook book_;
  std::uint64_t layout_ = 1;  ///< grows when a host's place on the map changes
  std::uint64_t lives_ = 0;
  std::set<HostId> changed_claims_;
  bool map_changed_ = false;
  bool is_trying_ = false;
  bool is_unsettled_ = false;
};

}  // namespace troupe::scheduler
