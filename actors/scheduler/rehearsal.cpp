// What would become of tasks that nobody has made: they are placed, looked at, and taken back.

#include <cstring>
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
      : engine_(engine), like_(like), now_(now), kind_(engine.queue.join(like)) {}
  ~RehearsalRun() {
    for (auto taken = taken_.rbegin(); taken != taken_.rend(); ++taken) take_back(*taken);
    engine_.queue.leave(kind_);
  }
  RehearsalRun(const RehearsalRun&) = delete;
  RehearsalRun& operator=(const RehearsalRun&) = delete;

  Rehearsal run(std::size_t count) {
    Rehearsal out;
    while (out.places.size() < count && take_one(out)) {
    }
    if (out.places.size() < count) out.waits = why();
    return out;
  }

 private:
  struct Taken {
    TaskId task;
    Ticket ticket;
    bool claims = false;
    std::vector<RunningTask> victims;
  };

  bool take_one(Rehearsal& out) {
    const TaskId task = stand_in(like_.job, taken_.size());
    Demand& demand = kind_->demand;
    const bool is_capped = kind_->group->is_capped_for(demand.resources);
    std::size_t looked_at = 0;
    const Host* host = is_capped ? nullptr : engine_.inventory.find(demand, looked_at);
    if (host != nullptr) {
      out.places.push_back({host->facts.id, host->facts.name, host->facts.eligibility, {}, false});
      taken_.push_back({task, engine_.inventory.assume(*host, task, like_.job, demand), false, {}});
      engine_.queue.fly(kind_);
      return true;
    }
    if (!engine_.lookups.running_on || demand.wishes.exclusive_host) return false;
    const TaskClass::Hold before = std::exchange(
        kind_->hold, is_capped ? TaskClass::Hold::group_is_full : TaskClass::Hold::fits_nowhere);
    std::size_t hosts_left = Budget{}.preemption_hosts_max;
    const Preemptor::Choice choice = engine_.preemptor.find(*kind_, now_, hosts_left);
    kind_->hold = before;
    kind_->hosts_asked = 0;
    if (choice.how != Preemptor::Search::found) return false;
    const HostFacts& facts = choice.host->facts;
    out.places.push_back({facts.id, facts.name, facts.eligibility, choice.victims, true});
    taken_.push_back(
        {task, engine_.inventory.claim(*choice.host, task, like_.job, demand), true, choice.victims});
    engine_.preemptor.remember(choice.victims);
    engine_.queue.fly(kind_);
    return true;
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
    out.position = engine_.queue.before(*kind_, turn_of(like_));
    explain(*kind_, out);
    explain_hosts(engine_.inventory, *kind_, *like_.descriptor, out);
    out.preemption.kind = engine_.preemptor.has_right(*kind_) ? PreemptionStanding::Kind::no_victims
                                                              : PreemptionStanding::Kind::no_right;
    return out;
  }

  Engine::State& engine_;
  const QueuedTask& like_;
  const Instant now_;
  TaskClass* kind_;
  std::vector<Taken> taken_;
};

Rehearsal Engine::rehearse(const QueuedTask& like, std::size_t count, Instant now) {
  TROUPE_CHECK(like.descriptor != nullptr);
  state_->preemptor.begin_pass();
  return RehearsalRun(*state_, like, now).run(count);
}

}  // namespace troupe::scheduler
