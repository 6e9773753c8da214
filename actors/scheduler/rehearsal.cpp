// What would become of tasks that nobody has made: they are placed, looked at, and taken back. And whether
// places that were told once would do.

#include <cstring>
#include <set>
#include <utility>

#include "actors/scheduler/engine_state.hpp"

namespace troupe::scheduler {
namespace {

/// Never a task's id, as long as its job's id is nobody's.
TaskId stand_in(const JobId& job, std::size_t number) {
  TaskId id;
  id.bytes = job.bytes;
  const auto low = static_cast<std::uint32_t>(number);
  std::memcpy(id.bytes.data(), &low, sizeof low);
  return id;
}

}  // namespace

class RehearsalRun {
 public:
  RehearsalRun(Engine::State& engine, const QueuedTask& like, Instant now)
      : engine_(engine),
        like_(like),
        now_(now),
        kind_(engine.queue.join(like)),
        asks_from_(kind_->asks_from),
        hosts_asked_(std::exchange(kind_->hosts_asked, 0)) {}
  ~RehearsalRun() {
    for (auto taken = taken_.rbegin(); taken != taken_.rend(); ++taken) take_back(*taken);
    kind_->asks_from = asks_from_;
    kind_->hosts_asked = hosts_asked_;
    engine_.queue.leave(kind_);
  }
  RehearsalRun(const RehearsalRun&) = delete;
  RehearsalRun& operator=(const RehearsalRun&) = delete;

  Rehearsal run(std::size_t count) {
    Rehearsal out;
    while (out.places.size() < count && take_one(out)) {
    }
    if (out.places.size() < count) out.waits = why();
    // A gang starts whole: where one has no place, all wait.
    if (kind_->gang > 0 && out.waits) out.places.clear();
    return out;
  }
  std::vector<BrokenPromise> verify(const std::vector<PromisedPlace>& places) {
    std::vector<BrokenPromise> broken;
    for (std::size_t n = 0; n < places.size(); ++n) {
      engine_.inventory.prepare(kind_->demand);
      const auto at = engine_.inventory.hosts().find(places[n].host);
      if (at == engine_.inventory.hosts().end())
        broken.push_back({n, {}, "the host is gone"});
      else if (auto why = keep(*at->second, places[n].victims))
        broken.push_back({n, at->second->facts.name, std::move(*why)});
    }
    return broken;
  }

 private:
  struct Taken {
    TaskId task;
    Ticket ticket;
    bool claims = false;
    std::vector<RunningTask> victims;
  };

  bool take_one(Rehearsal& out) {
    if (looked_at_ >= Budget{}.evaluations_max || kind_->group->facts.launches_left == 0) return false;
    const TaskId task = stand_in(like_.job, taken_.size());
    Demand& demand = kind_->demand;
    const bool is_capped = kind_->group->is_capped_for(demand.resources);
    const Host* host = is_capped ? nullptr : engine_.inventory.find(demand, looked_at_);
    if (host != nullptr) {
      out.places.push_back({host->facts.id, host->facts.name, host->facts.eligibility, {}, false});
      taken_.push_back({task, engine_.inventory.assume(*host, task, like_.job, demand), false, {}});
      engine_.queue.fly(kind_);
      return true;
    }
    if (!engine_.lookups.running_on || demand.wishes.exclusive_host) return false;
    const TaskClass::Hold before = std::exchange(
        kind_->hold, is_capped ? TaskClass::Hold::group_is_full : TaskClass::Hold::fits_nowhere);
    const Preemptor::Choice choice = engine_.preemptor.find(*kind_, now_, hosts_left_);
    kind_->hold = before;
    if (choice.how != Preemptor::Search::found) return false;
    const HostFacts& facts = choice.host->facts;
    out.places.push_back({facts.id, facts.name, facts.eligibility, choice.victims, true});
    taken_.push_back(
        {task, engine_.inventory.claim(*choice.host, task, like_.job, demand), true, choice.victims});
    engine_.preemptor.remember(choice.victims);
    engine_.queue.fly(kind_);
    return true;
  }

  std::optional<std::string> keep(const Host& host, const std::vector<TaskId>& victims) {
    const TaskId task = stand_in(like_.job, taken_.size());
    Demand& demand = kind_->demand;
    if (victims.empty()) {
      if (const auto lack = engine_.inventory.reason(host, demand)) return lack->reason + ": " + lack->detail;
      taken_.push_back({task, engine_.inventory.assume(host, task, like_.job, demand), false, {}});
    } else {
      ending_.insert(victims.begin(), victims.end());
      if (auto why = lack_behind(host)) return why;
      taken_.push_back({task, engine_.inventory.claim(host, task, like_.job, demand), true, {}});
    }
    engine_.queue.fly(kind_);
    return std::nullopt;
  }
  /// What the host would lack though all who are to end there had ended.
  std::optional<std::string> lack_behind(const Host& host) {
    const Demand& demand = kind_->demand;
    if (const auto lack = first_failure(host.facts, demand.wishes.needs))
      return lack->reason + ": " + lack->detail;
    if (!engine_.inventory.could_take(host, demand))
      return "such a task may not stand there now, whoever ends";
    std::vector<RunningTask> running;
    if (engine_.lookups.running_on) engine_.lookups.running_on(host.facts.id, running);
    Resources room = host.free();
    for (const RunningTask& other : running)
      if (other.is_leaving || ending_.contains(other.task)) room += other.descriptor->resources;
    if (demand.resources.fits_into(room)) return std::nullopt;
    return "it would have no room though all who are to end had ended";
  }

  void take_back(const Taken& taken) {
    if (taken.claims)
      engine_.inventory.give_up_claim(taken.ticket, taken.task, like_.job, kind_->demand);
    else
      engine_.inventory.undo(taken.ticket, taken.task, like_.job, kind_->demand);
    for (const RunningTask& victim : taken.victims) engine_.preemptor.told(victim.task);
    engine_.queue.land(kind_);
  }

  Explanation why() {
    Explanation out;
    out.standing = Explanation::Standing::waiting;
    out.hosts = engine_.inventory.hosts().size();
    out.gang = out.gang_waiting = kind_->gang;
    out.position = engine_.queue.before(*kind_, turn_of(like_));
    explain(*kind_, out);
    explain_hosts(engine_.inventory, *kind_, *like_.descriptor, out);
    out.preemption.kind = engine_.preemptor.has_right(*kind_) ? PreemptionStanding::Kind::no_victims
                                                              : PreemptionStanding::Kind::no_right;
    return out;
  }

  Engine::State& engine_;
  const Inventory::Trial trial_{engine_.inventory};
  const QueuedTask& like_;
  const Instant now_;
  TaskClass* kind_;
  // Of a class whose tasks wait: where its own look for victims goes on.
  const std::size_t asks_from_;
  const std::size_t hosts_asked_;
  // All its tasks together look no further than one pass does.
  std::size_t looked_at_ = 0;
  std::size_t hosts_left_ = Budget{}.preemption_hosts_max;
  std::vector<Taken> taken_;
  std::set<TaskId> ending_;  ///< for promised places
};

Rehearsal Engine::rehearse(const QueuedTask& like, std::size_t count, Instant now) {
  TROUPE_CHECK(like.descriptor != nullptr);
  state_->preemptor.begin_pass();
  return RehearsalRun(*state_, like, now).run(count);
}

std::vector<BrokenPromise> Engine::verify(const QueuedTask& like, const std::vector<PromisedPlace>& places) {
  TROUPE_CHECK(like.descriptor != nullptr);
  return RehearsalRun(*state_, like, {}).verify(places);
}

}  // namespace troupe::scheduler
