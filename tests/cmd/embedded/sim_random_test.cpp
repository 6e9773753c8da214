// Whole cells under random faults, from a seed: users submit, kill and resize while nodes and agents crash,
// freeze and are cut off; then all heals, and every promise must have been kept.

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "actors/replica/replica_actor.hpp"
#include "tests/cmd/embedded/cell.hpp"

namespace troupe::embedded {
namespace {

constexpr int steps_per_life = 45;
constexpr int crashes_of_actors_max = 4;  // Fewer than an entity's restart intensity.
constexpr milliseconds patience{2'500};   // Of a user; afterwards the outcome is asked for by key.

struct Wish {
  std::string key;
  std::string method, path, body;
};
struct Known {
  JobShape shape;
  JobId id;
  std::uint32_t desired = 0;
  bool kill_asked = false;
  std::optional<Wish> open;  ///< outcome unknown; nothing else is asked of this job until it is known
};

class RandomLife {
 public:
  explicit RandomLife(std::uint64_t seed)
      : random_(seed), armed_(std::make_shared<bool>(false)), cell_(options(seed)) {}

  std::string run() {
    *armed_ = true;
    for (int step = 0; step < steps_per_life && problem_.empty(); ++step) {
      act();
      cell_.sim.run_for(milliseconds(random_.between(20, 2'000)));
    }
    *armed_ = false;
    heal();
    if (problem_.empty()) settle_wishes();
    if (problem_.empty()) expect_all_right();
    if (problem_.empty()) expect_quiet();
    return problem_ + cell_.violations();
  }
  std::uint64_t hash() const { return cell_.sim.history_hash(); }

 private:
  SimOptions options(std::uint64_t seed) {
    SimOptions made = cell_options(seed, static_cast<std::uint32_t>(random_.between(1, 3)));
    constexpr std::uint32_t resets[] = {0, 200, 3'000};
    made.resets = resets[random_.below(3)];
    constexpr std::int64_t kept[] = {100, 1'000, 1'000'000};
    made.settings.set(log_keep_entries, kept[random_.below(3)]);
    made.settings.set(state_flush_ms, random_.between(200, 5'000));
    const bool actors_crash = random_.chance(50);
    made.fault_point = [this, actors_crash](const EntityRef&, std::string_view) {
      return actors_crash && *armed_ && crashes_ < crashes_of_actors_max && random_.chance(1) && ++crashes_;
    };
    return made;
  }

  void fail(const std::string& what) {
    if (problem_.empty()) problem_ = what + "\n";
  }
  std::uint32_t some_node() { return static_cast<std::uint32_t>(random_.between(1, cell_.nodes)); }
  std::uint32_t some_host() { return static_cast<std::uint32_t>(random_.between(1, cell_.hosts)); }
  http::Response send(std::uint32_t node, const Wish& wish, milliseconds wait) {
    return cell_.sim.call(node, wish.method, wish.path, wish.body,
                          {{"x-titus-callerid", "tester"}, {"idempotency-key", wish.key}}, wait);
  }

  void act() {
    const auto dice = random_.below(100);
    if (dice < 30) return user();
    const std::uint32_t node = some_node();
    const std::uint32_t host = some_host();
    if (dice < 38) return crash(node);
    if (dice < 54) return restart(node);
    if (dice < 59) return cell_.sim.isolate_node(node);
    if (dice < 63) return freeze(node);
    if (dice < 67) return cell_.sim.cut(node, cell_.other_than(node));
    if (dice < 79) return cell_.sim.heal(), frozen_.clear(), void(leapt_ = 0);
    if (dice < 85) return cell_.sim.crash_agent(host);
    if (dice < 93) return cell_.sim.restart_agent(host);
    if (dice < 96) return cell_.sim.isolate_host(host);
    if (dice < 97) return leap(node);
    if (dice < 98) return break_disk(node);
    for (std::uint32_t n = 1; n <= cell_.nodes; ++n) crash(n);
  }
  void crash(std::uint32_t node) {
    std::erase(frozen_, node);
    if (cell_.sim.is_up(node)) cell_.sim.crash_node(node);
  }
  void restart(std::uint32_t node) {
    if (cell_.sim.is_up(node) && !cell_.sim.failure(node).empty()) crash(node);
    if (!cell_.sim.is_up(node)) cell_.sim.restart_node(node);
  }
  void freeze(std::uint32_t node) {
    if (!cell_.sim.is_up(node)) return;
    cell_.sim.freeze_node(node);
    frozen_.push_back(node);
  }
  /// One clock at a time: two wild ones of three are the measure.
  void leap(std::uint32_t node) {
    constexpr std::int64_t leaps[] = {3'600'000, -3'600'000, 315'360'000'000};
    if (leapt_ != 0 && leapt_ != node) return;
    leapt_ = node;
    cell_.sim.leap_clock(node, milliseconds(leaps[random_.below(3)]));
  }
  void break_disk(std::uint32_t node) {
    if (!cell_.sim.is_up(node)) return;
    broken_.push_back(node);
    if (random_.chance(50))
      cell_.sim.fail_writes(node);
    else
      cell_.sim.fail_syncs(node);
  }

  void user() {
    const std::uint32_t node = some_node();
    if (!cell_.sim.is_up(node) || std::count(frozen_.begin(), frozen_.end(), node) > 0) return;
    Known* job = jobs_.empty() ? nullptr : &jobs_[random_.below(jobs_.size())];
    const auto dice = random_.below(100);
    if (job == nullptr || dice < 50) return submit(node);
    if (job->id.is_nil() || job->open || job->kill_asked) return;
    const std::string path = "/api/v3/jobs/" + to_text(job->id);
    if (dice < 65) {
      job->kill_asked = true;
      ask(node, *job, {next_key(), "DELETE", path, {}});
    } else if (job->shape.is_service) {
      job->desired = static_cast<std::uint32_t>(random_.between(0, 8));
      ask(node, *job,
          {next_key(), "PUT", path + "/instances",
           R"({"min": 0, "max": 50, "desired": )" + std::to_string(job->desired) + "}"});
    } else {
      expect_known(node, *job);
    }
  }
  void submit(std::uint32_t node) {
    Known job;
    job.shape.is_service = random_.chance(50);
    job.shape.size = job.desired = static_cast<std::uint32_t>(random_.between(1, 6));
    const bool fails = !job.shape.is_service && random_.chance(30);
    job.shape.script = job.shape.is_service ? "start=50ms run=forever"
                       : fails              ? "run=400ms exit=3"
                               : "start=50ms run=" + std::to_string(random_.between(50, 8'000)) + "ms exit=0";
    job.shape.retry =
        R"({"exponentialBackOff": {"initialDelayMs": "200", "maxDelayIntervalMs": "2000", "retries": 3}})";
    jobs_.push_back(job);
    ask(node, jobs_.back(), {next_key(), "POST", "/api/v3/jobs", json_of(job.shape)});
  }
  std::string next_key() { return "key-" + std::to_string(++keys_); }
  void ask(std::uint32_t node, Known& job, Wish wish) {
    const http::Response answer = send(node, wish, patience);
    if (!take(job, wish, answer)) job.open = std::move(wish);
    if (answer.status == 202 || answer.status == 200) expect_known(some_node(), job);
  }
  /// False: nobody knows yet whether it happened.
  bool take(Known& job, const Wish& wish, const http::Response& answer) {
    if (answer.status == 202) job.id = job_id_of(answer);
    if (answer.status == 202 || answer.status == 200) return true;
    // A batch job may have ended before its kill or look.
    if (answer.status == 404 && !job.shape.is_service) return true;
    if (answer.status != 0 && answer.status < 500)
      fail(wish.method + " " + wish.path + " was answered " + std::to_string(answer.status) + " " +
           answer.body);
    return false;
  }
  /// A read after an acknowledgement, anywhere, may fail, but not miss it.
  void expect_known(std::uint32_t node, const Known& job) {
    if (!cell_.sim.is_up(node) || std::count(frozen_.begin(), frozen_.end(), node) > 0) return;
    const int read = cell_.sim.call(node, "GET", "/api/v3/jobs/" + to_text(job.id), {}, {}, patience).status;
    if (read != 200 && read != 0 && read < 500)
      fail("node " + std::to_string(node) + " answered " + std::to_string(read) + " for an acknowledged job");
  }

  void heal() {
    cell_.sim.heal();
    frozen_.clear();
    for (const std::uint32_t node : broken_) crash(node);
    for (std::uint32_t n = 1; n <= cell_.nodes; ++n) restart(n);
    for (std::uint32_t n = 1; n <= cell_.hosts; ++n) cell_.sim.restart_agent(n);
    if (!cell_.await_whole()) fail("it did not heal: " + cell_.why_not_whole());
  }
  void settle_wishes() {
    for (Known& job : jobs_) {
      if (!job.open) continue;
      const http::Response answer = send(cell_.up(), *job.open, milliseconds(12'000));
      if (!take(job, *job.open, answer))
        fail("after healing: " + std::to_string(answer.status) + answer.body);
      job.open.reset();
    }
  }
  bool is_right(const Known& job) {
    const JobLook look = cell_.look(job.id);
    if (job.kill_asked || !job.shape.is_service) return look.is_finished();
    return look.exists && look.started == job.desired && look.live == job.desired &&
           look.desired == job.desired;
  }
  void expect_all_right() {
    for (const Known& job : jobs_) {
      if (cell_.await([&] { return is_right(job); }, milliseconds(90'000))) continue;
      const JobLook look = cell_.look(job.id);
      return fail("job " + to_text(job.id) + " exists=" + std::to_string(look.exists) +
                  " state=" + std::to_string(static_cast<int>(look.state)) + " wants " +
                  std::to_string(job.desired) + "/" + std::to_string(look.desired) + ", live " +
                  std::to_string(look.live) + ", started " + std::to_string(look.started) + ", kill asked " +
                  std::to_string(job.kill_asked) + " " + look.set_aside);
    }
    cell_.sim.reads(1)->each_job({}, [&](const JobView& view) {
      const auto asked = [&](const Known& job) { return job.id == view.record.id; };
      if (std::none_of(jobs_.begin(), jobs_.end(), asked)) strangers_.push_back(view.record.id);
      return true;
    });
    for (std::uint32_t n = 1; n <= cell_.nodes; ++n) {
      std::uint64_t living = 0, wanted = 0;
      cell_.sim.reads(n)->each_job({}, [&](const JobView& view) {
        living += view.record.state != JobState::finished ? 1 : 0;
        wanted += view.record.state != JobState::finished ? view.record.capacity.desired : 0;
        return true;
      });
      const CellFigures cell = cell_.sim.reads(n)->cell();
      if (cell.live_jobs != living || cell.wanted_tasks != wanted)
        fail("node " + std::to_string(n) + " counts " + std::to_string(cell.live_jobs) + " jobs of " +
             std::to_string(living) + " and " + std::to_string(cell.wanted_tasks) + " tasks of " +
             std::to_string(wanted));
    }
    for (const JobId& id : strangers_) fail("nobody knows job " + to_text(id) + describe());
    for (const Known& job : jobs_) {
      const JobLook look = cell_.look(job.id);
      const Reason wanted =
          job.shape.script.find("exit=3") != std::string::npos ? Reason::failed : Reason::normal;
      if (!job.kill_asked && !job.shape.is_service && look.reason != wanted)
        fail("a batch job ended for reason " + std::to_string(static_cast<int>(look.reason)));
    }
  }
  std::string describe() {
    std::string all;
    for (const Known& job : jobs_) {
      const JobLook look = cell_.look(job.id);
      all += "\n" + to_text(job.id) + " state " + std::to_string(static_cast<int>(look.state)) + " live " +
             std::to_string(look.live);
    }
    return all;
  }
  void expect_quiet() {
    for (const Known& job : jobs_)
      if (!cell_.look(job.id).is_finished() && cell_.kill(job.id) != 200) fail("a last kill was refused");
    if (!cell_.await([&] { return cell_.duties().empty(); }, milliseconds(60'000)))
      fail("still to be done: " + cell_.duties());
    if (!cell_.await_whole()) fail("not whole at the end: " + cell_.why_not_whole());
  }

  Random random_;
  std::shared_ptr<bool> armed_;
  int crashes_ = 0;
  Cell cell_;
  std::vector<Known> jobs_;
  std::vector<std::uint32_t> frozen_, broken_;
  std::uint32_t leapt_ = 0;
  std::vector<JobId> strangers_;
  std::uint64_t keys_ = 0;
  std::string problem_;
};

std::uint64_t number_of(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr) return otherwise;
  std::uint64_t number = otherwise;
  std::from_chars(text, text + std::string_view(text).size(), number);
  return number;
}

void live(std::uint64_t seed) {
  const auto told = [seed]() -> std::string {
    try {
      return RandomLife(seed).run();
    } catch (const std::exception& thrown) {
      return thrown.what();
    }
  };
  ASSERT_EQ(told(), "") << "repeat with: TROUPE_SIM_FIRST=" << seed
                        << " TROUPE_SIM_SEEDS=1 sim_cluster_tests --gtest_filter='SimRandom.*Seeds*'";
}

/// More, or one, by the environment: TROUPE_SIM_SEEDS many from TROUPE_SIM_FIRST on.
TEST(SimRandom, ManySeedsKeepEveryPromise) {
#if defined(__SANITIZE_ADDRESS__)
  const std::uint64_t count = number_of("TROUPE_SIM_SEEDS", 5);
#else
  const std::uint64_t count = number_of("TROUPE_SIM_SEEDS", 50);
#endif
  const std::uint64_t first = number_of("TROUPE_SIM_FIRST", 1);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    live(seed);
    if (HasFatalFailure() && std::getenv("TROUPE_SIM_GO_ON") == nullptr) return;
  }
}

TEST(SimRandom, ASeedGivesTheSameHistoryTwice) {
  const auto history = [](std::uint64_t seed) {
    RandomLife life(seed);
    EXPECT_EQ(life.run(), "");
    return life.hash();
  };
  EXPECT_EQ(history(3), history(3));
  EXPECT_NE(history(3), history(4));
}

}  // namespace
}  // namespace troupe::embedded
