#include "cmd/simulation/life.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "actors/replica/replica_actor.hpp"
#include "cmd/judges/watch.hpp"
#include "cmd/simulation/follower.hpp"
#include "cmd/simulation/troubles.hpp"
#include "cmd/simulation/users.hpp"

namespace troupe::simulation {
namespace {

constexpr std::size_t complaints_max = 10;
constexpr milliseconds poll_every{50};
constexpr milliseconds watch_every{1'000};
constexpr milliseconds whole_within{60'000};
constexpr milliseconds known_within{60'000};
constexpr milliseconds right_within{120'000};
constexpr milliseconds quiet_within{60'000};
constexpr int going_on_max = 5;            // times as long for a cell that is slow, but moves
constexpr milliseconds ahead_max{10'000};  // Twice what the nodes let pass.
constexpr int followers_count = 2;

/// Empty for what a history would only be longer with.
std::string event_text(const Event& event) {
  const std::string kind = "  " + std::string(kind_text(event.kind)) + " ";
  switch (event.kind) {
    case EventKind::job_created:
    case EventKind::job_changed:
    case EventKind::job_archived:
      return kind + to_text(event.job) + " " + std::string(state_text(event.job_state)) + " " +
             std::string(reason_text(event.reason));
    case EventKind::task_created:
    case EventKind::task_changed:
    case EventKind::task_archived:
    case EventKind::task_moved:
      return kind + to_text(event.task) + " of " + to_text(event.job).substr(0, 8) + " slot " +
             to_text(event.slot) + " " + std::string(state_text(event.task_state)) + " " +
             std::string(reason_text(event.reason)) + " host/" + to_text(event.host);
    case EventKind::host_changed:
      return kind + "host/" + to_text(event.host);
    default:
      return {};
  }
}

class Life {
 public:
  Life(const Plan& plan, const LifeOptions& options)
      : plan_(plan),
        options_(options),
        random_(plan.seed + 99),
        ledger_([this](const std::string& what) { complain(what); }, teller()),
        cluster_(cluster_options()),
        troubles_(cluster_, plan, [this](const std::string& what) { note(what); }),
        users_(cluster_, ledger_, plan.tunables.images, [this](const std::string& what) { complain(what); }) {
    for (int n = 0; n < followers_count; ++n)
      followers_.push_back(std::make_unique<Follower>(cluster_, ledger_,
                                                      plan.seed * 7 + static_cast<std::uint64_t>(n),
                                                      [this](const std::string& what) { complain(what); }));
  }

  Verdict run() {
    try {
      if (await("the cell to form", whole_within, [this] { return cluster_.why_not_whole(); })) carry_out();
    } catch (const std::exception& thrown) {
      complain(std::string("an exception: ") + thrown.what());
    }
    for (const std::string& broken : cluster_.violations()) complain(broken);
    return closed();
  }

 private:
  embedded::SimOptions cluster_options() {
    embedded::SimOptions made;
    const Tunables& drawn = plan_.tunables;
    made.seed = plan_.seed;
    made.nodes = plan_.scope.nodes;
    made.hosts = plan_.scope.hosts;
    made.host_resources.cpu_milli = drawn.host_cpu_milli;
    made.policy.host_lost_after = milliseconds(10'000);
    made.policy.launched_max = milliseconds(20'000);
    made.policy.start_initiated_max = milliseconds(15'000);
    made.policy.kill_initiated_max = milliseconds(15'000);
    made.policy.jobs_max = drawn.jobs_max;
    made.resets = drawn.resets;
    made.drops = drawn.drops;
    made.sync_max = std::chrono::microseconds(drawn.sync_max_us);
    made.settings.set(log_keep_entries, drawn.log_keep_entries);
    made.settings.set(state_flush_ms, drawn.state_flush_ms);
    made.observer = &ledger_;
    made.shuffles_turns = drawn.shuffled_turns != 0;
    made.level_known = feature_level_known - drawn.older_build;
    made.fault_point = [this](const EntityRef& entity, std::string_view message) {
      const bool plans = message == "plan";
      const bool errs = plans ? strikes(plan_errors_, plan_.tunables.plan_errors, 10)
                              : strikes(actor_crashes_, plan_.tunables.actor_crashes, 1);
      if (errs) note(plans ? "the scheduler errs" : "an actor crashes: " + entity.text());
      return errs;
    };
    return made;
  }
  bool strikes(std::uint32_t& times, std::uint32_t most, std::uint32_t percent) {
    if (!is_armed_ || times >= most || !random_.chance(percent)) return false;
    ++times;
    ++verdict_.faults;
    return true;
  }

  // ---- telling ----
  std::function<void(const Event&)> teller() {
    if (!options_.history) return {};
    return [this](const Event& event) {
      if (const std::string text = event_text(event); !text.empty()) note(text);
    };
  }
  void note(const std::string& what) {
    if (!options_.history) return;
    char time[32];
    std::snprintf(time, sizeof time, "%9.3fs ",
                  static_cast<double>((cluster_.now() - born_).count()) / 1'000);
    options_.history(time + what);
  }
  void complain(const std::string& what) {
    if (verdict_.how == Verdict::How::ok) verdict_.how = Verdict::How::violation;
    if (verdict_.complaints.size() < complaints_max) verdict_.complaints.push_back(what);
    if (options_.history) options_.history("VIOLATION " + what);
  }
  bool is_broken() const { return verdict_.how != Verdict::How::ok || !cluster_.violations().empty(); }

  // ---- time ----
  void run_to(Instant until) {
    while (cluster_.now() < until && !is_broken()) {
      cluster_.run_for(std::min(poll_every, until - cluster_.now()));
      users_.poll();
      troubles_.poll();
      for (const auto& follower : followers_) follower->poll();
      if (cluster_.now() - watched_ >= watch_every) watch();
    }
  }
  /// Until `missing` says nothing; what it says at the end is why the cell is stuck. False: broken. The time
  /// counts from when it last said something new: a crowded cell that goes on is not stuck, but must get
  /// done.
  bool await(const std::string& what, milliseconds at_most, const std::function<std::string()>& missing) {
    const Instant begun = cluster_.now();
    Instant moved = begun;
    std::string why = missing();
    while (!why.empty() && !is_broken() && cluster_.now() < moved + at_most &&
           cluster_.now() < begun + at_most * going_on_max) {
      run_to(cluster_.now() + poll_every);
      std::string now = missing();
      if (now != why) moved = cluster_.now();
      why = std::move(now);
    }
    if (is_broken()) return false;
    if (why.empty()) return true;
    verdict_.how = Verdict::How::stuck;
    verdict_.complaints.push_back("waited in vain for " + what + ": " + why);
    if (options_.history) options_.history("STUCK " + verdict_.complaints.back());
    return false;
  }
  void watch() {
    watched_ = cluster_.now();
    for (const std::uint32_t n : cluster_.nodes()) {
      if (!cluster_.is_up(n) || cluster_.status(n)->applied.load() != ledger_.last().value) continue;
      if (cluster_.reads(n)->shard_count() == 0) return;
      const milliseconds ahead = cluster_.reads(n)->cell_record().now - cluster_.now();
      if (ahead > ahead_max) complain("the cell's time is " + std::to_string(ahead.count()) + " ms ahead");
      for (const std::string& wrong :
           judges::wrong_in(*cluster_.reads(n), ledger_, cluster_.reads(n)->cell_record().now))
        complain("node " + std::to_string(n) + ": " + wrong);
      return;
    }
  }

  // ---- the plan ----
  void carry_out() {
    born_ = cluster_.now();
    is_armed_ = true;
    for (const Step& step : plan_.steps) {
      run_to(born_ + step.at);
      if (is_broken()) return;
      act(step);
    }
    run_to(born_ + plan_.scope.span);
    is_armed_ = false;
    if (!is_broken()) settle();
  }

  void act(const Step& step) {
    Random random(step.dice);
    if (is_fault(step.kind)) ++verdict_.faults;
    switch (step.kind) {
      case StepKind::submit:
        return users_.submit(random);
      case StepKind::kill_job:
        return users_.kill_job(random);
      case StepKind::resize_job:
        return users_.resize_job(random);
      case StepKind::kill_task:
        return users_.kill_task(random);
      case StepKind::read_job:
        return users_.read_job(random);
      case StepKind::drain_host:
      case StepKind::activate_host:
        return order(step.kind, static_cast<std::uint32_t>(random.between(1, plan_.scope.hosts)));
      default:
        return troubles_.strike(step.kind, random);
    }
  }
  void order(StepKind kind, std::uint32_t host) {
    note(std::string(kind_text(kind)) + " " + std::to_string(host));
    users_.set_phase(host, kind == StepKind::activate_host);
  }

  // ---- the end ----
  void settle() {
    note("all is healed");
    troubles_.mend_all();
    if (!await("the cell to heal", whole_within, [this] { return troubles_.not_mended(); })) return;
    users_.healed();
    const auto outcomes = [this] { return users_.knows_all_outcomes() ? "" : "some are open"; };
    if (!await("the users' outcomes", known_within, outcomes)) return;
    for (std::uint32_t n = 1; n <= plan_.scope.hosts; ++n) users_.set_phase(n, true);
    const auto room = static_cast<std::uint64_t>(plan_.tunables.host_cpu_milli) * plan_.scope.hosts / 100;
    users_.shed(room * 8 / 10);
    if (!await("the last kills and orders", known_within, outcomes)) return;
    if (!await("every job to be as its user wants it", right_within,
               [this] { return users_.not_right(reads()); }))
      return;
    if (!await("the hosts to run what they should", quiet_within, [this] { return not_run(); })) return;
    if (const std::string strangers = users_.strangers(reads()); !strangers.empty())
      return complain(strangers);
    users_.kill_everything();
    if (!await("the end of all jobs", known_within, outcomes)) return;
    if (!await("the cell to fall silent", quiet_within, [this] { return not_quiet(); })) return;
    watch();
  }

  const Reads& reads() const { return *cluster_.reads(cluster_.nodes().front()); }

  /// What the state says of the hosts, against what their drivers have.
  std::string not_run() const {
    std::map<std::string, std::size_t> placed;
    for (const auto& [id, task] : ledger_.tasks()) {
      if (task.state == TaskState::finished || task.host == HostId{}) continue;
      const std::string& name = ledger_.host_name(task.host);
      ++placed[name];
      std::uint32_t number = 0;
      std::from_chars(name.data() + name.find('-') + 1, name.data() + name.size(), number);
      if (task.state == TaskState::started && !cluster_.runs(number, id))
        return "task " + to_text(id) + " is Started, and " + name + " does not run it";
    }
    for (std::uint32_t n = 1; n <= plan_.scope.hosts; ++n) {
      const std::size_t kept = cluster_.containers_kept(n), wanted = placed["host-" + std::to_string(n)];
      if (kept > wanted)
        return "host-" + std::to_string(n) + " keeps " + std::to_string(kept) + " containers, of which " +
               std::to_string(wanted) + " are wanted";
    }
    return {};
  }

  std::string not_quiet() {
    if (const std::string why = cluster_.why_not_whole(); !why.empty()) return why;
    std::string left;
    for (std::uint16_t s = 0; s < reads().shard_count(); ++s)
      for (const Duty& duty : reads().all_duties(ShardId{s}))
        if (left.size() < 400) left += duty.entity.text() + " ";
    if (!left.empty()) return "still to be done: " + left;
    if (reads().cell().live_jobs != 0) return "jobs are left";
    for (const auto& [id, task] : ledger_.tasks())
      if (!task.archived) return "task " + to_text(id) + " is not archived";
    if (const std::string why = not_run(); !why.empty()) return why;
    for (const auto& follower : followers_)
      if (!follower->has_everything()) return "a follower has not heard everything";
    return {};
  }

  Verdict closed() {
    verdict_.submits = users_.submits();
    verdict_.unknown = users_.unknown();
    verdict_.transitions = ledger_.transitions();
    verdict_.lived = cluster_.now() - born_;
    verdict_.hash = cluster_.history_hash();
    verdict_.events = cluster_.steps();
    for (const auto& follower : followers_) verdict_.followed += follower->heard();
    verdict_.marks = ledger_.marks();
    return std::move(verdict_);
  }

  const Plan& plan_;
  const LifeOptions& options_;
  Verdict verdict_;
  Random random_;
  bool is_armed_ = false;
  std::uint32_t actor_crashes_ = 0, plan_errors_ = 0;
  Ledger ledger_;
  embedded::SimCluster cluster_;
  Troubles troubles_;
  Users users_;
  std::vector<std::unique_ptr<Follower>> followers_;
  Instant born_, watched_;
};

}  // namespace

std::string_view how_text(Verdict::How how) {
  constexpr std::string_view texts[] = {"ok", "violation", "stuck"};
  return texts[static_cast<std::size_t>(how)];
}

Verdict live(const Plan& plan, const LifeOptions& options) { return Life(plan, options).run(); }

std::string closing_line(const Plan& plan, const Verdict& verdict) {
  char hash[24];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(verdict.hash));
  return "seed=" + std::to_string(plan.seed) + " events=" + std::to_string(verdict.events) +
         " submits=" + std::to_string(verdict.submits) +
         " transitions=" + std::to_string(verdict.transitions) + " faults=" + std::to_string(verdict.faults) +
         " hash=" + hash + " verdict=" + std::string(how_text(verdict.how));
}

}  // namespace troupe::simulation
