// Preemption against a slow and obvious reckoning of who may end whom: what the engine plans is allowed by
// it, one after the other; nothing is ever overbooked; and when the engine has nothing more to say, no single
// task that may be ended would let another run.

#include "actors/scheduler/preemptor.hpp"
#include "tests/actors/scheduler/preemption_story.hpp"

namespace troupe::scheduler {
namespace {

using test::PreemptionStory;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    const auto hosts = static_cast<std::uint32_t>(random_.between(1, 6));
    for (std::uint32_t n = 1; n <= hosts; ++n)
      s_.add_host(n, {random_.between(1'000, 4'000), random_.between(1'000, 4'000), 0, 0, 0});
    for (const char* name : {"a", "b", "c"}) {
      groups_[name] = {random_.chance(30) ? Tier::critical : Tier::flex,
                       random_.chance(30)
                           ? Resources{}
                           : Resources{random_.between(0, 5'000), random_.between(0, 5'000), 0, 0, 0}};
    }
    groups_["d"] = {Tier::flex, {}};
    for (int n = 0; n < 8; ++n) {
      JobDescriptor d;
      d.resources = {random_.between(100, 2'000), random_.between(100, 2'000), 0, 0, 0};
      d.capacity_group = std::string(1, static_cast<char>('a' + random_.below(4)));
      if (random_.chance(20)) d.hard_constraints["uniqueHost"] = "true";
      jobs_.push_back({random_.uuid<JobId>(), std::make_shared<const JobDescriptor>(d),
                       static_cast<std::uint32_t>(random_.below(3)),
                       random_.chance(40) ? static_cast<std::uint32_t>(random_.below(3)) : UINT32_MAX});
    }
  }

  void step() {
    const auto what = random_.below(10);
    if (what < 4)
      submit();
    else if (what < 7)
      pass();
    else if (what < 9)
      end_one();
    else
      s_.now = s_.now + milliseconds(random_.between(0, 3'000));
  }
  void settle_all() {
    for (int n = 0; n < 200; ++n) {
      while (pass() > 0 || end_leaving()) {
      }
      s_.now = s_.now + Preemptor::pause_max;
      poke();
      if (pass() == 0 && !end_leaving()) break;
    }
    for (const auto& [id, task] : waiting_) expect_nobody_could_give_way(id);
  }

 private:
  struct Job {
    JobId id;
    DescriptorPtr descriptor;
    std::uint32_t priority = 0;
    std::uint32_t keep = UINT32_MAX;  ///< not fewer than so many run; UINT32_MAX: whatever
  };
  struct Group {
    Tier tier = Tier::flex;
    Resources reservation;
  };

  const Job& job_of(const JobId& id) const {
    return *std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& job) { return job.id == id; });
  }
  void tell_groups() {
    for (const auto& [name, group] : groups_)
      if (name != "d") s_.group(name, group.tier, group.reservation);
    for (const Job& job : jobs_)
      if (job.keep != UINT32_MAX) s_.left[job.id] = left(job);
  }
  std::uint32_t left(const Job& job) const {
    std::uint32_t stay = 0;
    for (const auto& [id, task] : s_.running)
      stay += task.facts.job == job.id && !task.facts.is_leaving ? 1 : 0;
    return stay > job.keep ? stay - job.keep : 0;
  }
  GroupStanding standing(const std::string& name) const {
    GroupStanding out{name, groups_.at(name).tier, groups_.at(name).reservation, {}};
    for (const auto& [id, task] : s_.running)
      if (task.facts.descriptor->capacity_group == name && !task.facts.is_leaving)
        out.used += task.facts.descriptor->resources;
    return out;
  }
  bool may_end(const Job& by, const PreemptionStory::Running& victim) const {
    const Job& theirs = job_of(victim.facts.job);
    if (victim.facts.is_leaving || (theirs.keep != UINT32_MAX && left(theirs) == 0)) return false;
    return right_to_preempt({standing(by.descriptor->capacity_group), by.priority, by.descriptor->resources},
                            {standing(theirs.descriptor->capacity_group), theirs.priority,
                             theirs.descriptor->resources}) != PreemptionRight::none;
  }
  /// As apply asks: whoever is being ended counts until it has.
  bool is_below_ceiling(const JobDescriptor& one_more) const {
    const Group& group = groups_.at(one_more.capacity_group);
    if (group.tier != Tier::critical || group.reservation == Resources{}) return true;
    GroupStanding all{one_more.capacity_group, group.tier, group.reservation, {}};
    for (const auto& [id, task] : s_.running)
      if (task.facts.descriptor->capacity_group == one_more.capacity_group)
        all.used += task.facts.descriptor->resources;
    return is_within_reservation(all, one_more.resources);
  }
  Resources free(HostId host) const {
    Resources left = s_.totals.at(host);
    for (const auto& [id, task] : s_.running)
      if (task.host == host) left -= task.facts.descriptor->resources;
    return left;
  }

  void submit() {
    const Job& job = jobs_[random_.below(jobs_.size())];
    const TaskId id = s_.random.task_of(job.id);
    s_.engine.enqueue({id, job.id, Index{1}, {Index{2}, ++submitted_}, job.descriptor, job.priority});
    s_.waiting[id] = job.descriptor;
    waiting_[id] = &job;
  }
  std::size_t pass() {
    tell_groups();
    const Plan plan = s_.place();
    for (const Placement& placement : plan.placements) {
      const Resources room = free(placement.host);
      EXPECT_TRUE(waiting_.at(placement.task)->descriptor->resources.fits_into(room)) << "overbooked";
      EXPECT_TRUE(is_below_ceiling(*waiting_.at(placement.task)->descriptor)) << "above its ceiling";
      Plan one;
      one.placements = {placement};
      const std::uint32_t priority = waiting_.at(placement.task)->priority;
      s_.take(one);
      s_.running.at(placement.task).facts.priority = priority;
      waiting_.erase(placement.task);
    }
    for (const Preemption& preemption : plan.preemptions) {
      const Job& by = *waiting_.at(preemption.task);
      if (random_.chance(10)) {
        s_.engine.refuse_preemption(s_.now, preemption, {ErrorCode::conflict, "no"});
        continue;
      }
      for (const Victim& victim : preemption.victims) {
        auto& running = s_.running.at(victim.task);
        EXPECT_EQ(running.host, preemption.host);
        EXPECT_TRUE(may_end(by, running)) << "this one has to stay";
        running.facts.is_leaving = true;
        s_.engine.task_leaving(victim.task, running.host, running.facts.descriptor->resources);
      }
    }
    return plan.placements.size() + plan.preemptions.size();
  }
  bool end_leaving() {
    for (const auto& [id, task] : s_.running)
      if (task.facts.is_leaving) {
        s_.end(TaskId(id));
        return true;
      }
    return false;
  }
  void end_one() {
    if (s_.running.empty()) return;
    auto at = s_.running.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(s_.running.size())));
    s_.end(TaskId(at->first));
  }
  /// Something changes, so that who looked in vain looks again.
  void poke() {
    for (const auto& [host, total] : s_.totals) s_.show(host);
  }

  void expect_nobody_could_give_way(const TaskId& id) const {
    const Job& by = *waiting_.at(id);
    const GroupStanding own = standing(by.descriptor->capacity_group);
    const bool is_capped = own.tier == Tier::critical && own.reservation != Resources{} &&
                           !is_within_reservation(own, by.descriptor->resources);
    if (is_capped) return;
    for (const auto& [victim_id, victim] : s_.running) {
      Resources room = free(victim.host);
      room += victim.facts.descriptor->resources;
      if (!by.descriptor->resources.fits_into(room) || !may_end(by, victim)) continue;
      if (by.descriptor->hard_constraints.contains("uniqueHost") && has_one_there(by.id, victim.host))
        continue;
      ADD_FAILURE() << "one task could have given way on host " << victim.host.value;
    }
  }
  bool has_one_there(const JobId& job, HostId host) const {
    return std::any_of(s_.running.begin(), s_.running.end(), [&](const auto& task) {
      return task.second.facts.job == job && task.second.host == host;
    });
  }

  Random random_;
  PreemptionStory s_;
  std::map<std::string, Group> groups_;
  std::vector<Job> jobs_;
  std::map<TaskId, const Job*> waiting_;
  std::uint32_t submitted_ = 0;
};

TEST(PreemptionRandom, EndsOnlyWhomItMayAndMissesNobody) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int round = 0; round < 4; ++round) {
      for (int n = 0; n < 40; ++n) world.step();
      world.settle_all();
    }
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace troupe::scheduler
