#include "cmd/judges/watch.hpp"

#include <algorithm>

#include "actors/cores/group_core.hpp"
#include "actors/cores/job_core.hpp"
#include "actors/cores/task_core.hpp"

namespace troupe::judges {
namespace {

class Look {
 public:
  Look(const Reads& reads, const Ledger& ledger, Instant now) : reads_(reads), ledger_(ledger), now_(now) {}

  std::vector<std::string> run() {
    for (std::uint16_t s = 0; s < reads_.shard_count(); ++s)
      for (const Duty& duty : reads_.all_duties(ShardId{s})) duties_.emplace_back(duty.entity, duty.due);
    std::sort(duties_.begin(), duties_.end());
    look_at_hosts();
    look_at_jobs();
    look_at_tasks();
    look_at_groups();
    look_at_counters();
    return std::move(wrong_);
  }

 private:
  void say(std::string what) { wrong_.push_back(std::move(what)); }

  void look_at_hosts() {
    for (const HostFacts& host : reads_.hosts()) {
      const auto found = ledger_.booked().find(host.record.id);
      const Resources booked = found == ledger_.booked().end() ? Resources{} : found->second;
      if (!(booked == host.used))
        say("host " + host.record.name + " counts " + std::to_string(host.used.cpu_milli) +
            " thousandths of a cpu as used, its tasks use " + std::to_string(booked.cpu_milli));
      look_at_host_duty(host.record);
    }
  }

  /// What the host's core has to do, without its contacts: orders while it is there, losses once it is gone.
  void look_at_host_duty(const HostRecord& host) {
    if (!host.set_aside.empty()) return;
    const Placed placed = ledger_.placed(host.id);
    const std::optional<Instant> due = due_of(EntityRef::of(host.id));
    if (host.is_connected()) {
      if (placed.orders > 0 && !due) say("host " + host.name + " has orders to give, and no duty says so");
      return;
    }
    if (placed.tasks == 0) return;
    const Instant lost = host.disconnected + reads_.cell_record().policy.host_lost_after;
    if (!due)
      say("host " + host.name + " is gone with " + std::to_string(placed.tasks) +
          " tasks, and no duty says so");
    else if (*due > lost)
      say("host " + host.name + " would be given up too late");
  }

  std::optional<Instant> due_of(const EntityRef& entity) const {
    const auto duty = std::lower_bound(duties_.begin(), duties_.end(), std::pair(entity, Instant{INT64_MIN}));
    return duty == duties_.end() || duty->first != entity ? std::nullopt : std::optional(duty->second);
  }

  template <class Effect>
  void expect_woken(const EntityRef& entity, const std::vector<Effect>& effects) {
    if (effects.empty() || std::holds_alternative<cores::Rest>(effects.front())) return;
    const std::optional<Instant> due = due_of(entity);
    if (!due) return say(entity.text() + " has something to do, and no duty says so");
    const auto* wake = std::get_if<cores::WakeAt>(&effects.front());
    if (wake != nullptr && *due > wake->at) say(entity.text() + " would be woken too late");
  }

  void look_at_jobs() {
    reads_.each_job({}, [&](const JobView& view) {
      ++jobs_;
      const auto told = ledger_.jobs().find(view.record.id);
      if (told == ledger_.jobs().end() || told->second.archived) {
        say("job " + to_text(view.record.id) + " lives, and nobody created it or it is archived");
        return true;
      }
      if (told->second.state != view.record.state)
        say("job " + to_text(view.record.id) + " is not in the state that was told");
      if (!view.record.set_aside.empty()) return true;
      cores::JobCore core{Random(0)};
      expect_woken(EntityRef::of(view.record.id), core.on(now_, view, cores::Look{}));
      return true;
    });
  }

  void look_at_tasks() {
    const CellPolicy policy = reads_.cell_record().policy;
    reads_.each_task({}, [&](const TaskRecord& task, const JobRecord& job) {
      ++tasks_;
      const auto told = ledger_.tasks().find(task.id);
      if (told == ledger_.tasks().end() || told->second.archived) {
        say("task " + to_text(task.id) + " lives, and nobody created it or it is archived");
        return true;
      }
      if (told->second.state != task.state)
        say("task " + to_text(task.id) + " is not in the state that was told");
      if (!task.set_aside.empty()) return true;
      cores::TaskCore core;
      expect_woken(EntityRef::of(task.id), core.on(now_, {task, *job.descriptor, policy}, cores::Look{}));
      return true;
    });
  }

  void look_at_groups() {
    for (const GroupView& group : reads_.group_views()) {
      if (group.record.tasks_max != 0 && group.use.wanted > group.record.tasks_max)
        say("group " + group.record.name + " is over its cap");
      if (!group.condition.set_aside.empty()) continue;
      cores::GroupCore core;
      expect_woken(EntityRef::of_group(group.record.name), core.on(now_, group, cores::Look{}));
    }
  }

  void look_at_counters() {
    const CellFigures cell = reads_.cell();
    const auto differ = [&](const char* what, std::uint64_t counted, std::uint64_t there) {
      if (counted != there)
        say("counted are " + std::to_string(counted) + " " + what + ", there are " + std::to_string(there));
    };
    std::uint64_t live = 0;
    for (const std::uint64_t count : cell.live_tasks) live += count;
    differ("live tasks", live, tasks_);
    differ("waiting tasks", cell.waiting, ledger_.waiting());
    differ("live jobs of the ledger", ledger_.live_jobs(), jobs_);
    if (cell.live_jobs > cell.record.policy.jobs_max) say("there are more live jobs than the cell's cap");
  }

  const Reads& reads_;
  const Ledger& ledger_;
  const Instant now_;
  std::vector<std::pair<EntityRef, Instant>> duties_;  ///< by entity
  std::uint64_t jobs_ = 0, tasks_ = 0;
  std::vector<std::string> wrong_;
};

}  // namespace

std::vector<std::string> wrong_in(const Reads& reads, const Ledger& ledger, Instant now) {
  return Look(reads, ledger, now).run();
}

}  // namespace troupe::judges
