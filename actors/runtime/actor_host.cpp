#include "actors/runtime/actor_host.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "storage/base/check.hpp"
#include "storage/base/random.hpp"

namespace troupe {
namespace {

constexpr std::size_t messages_at_a_time =
    200;  // Then the next actor has its turn; unlimited starves the others.

class ThreadedHost final : public ActorHost {
 public:
  explicit ThreadedHost(std::size_t threads) {
    config_.set("scheduler.policy", caf::atom("sharing"));
    config_.set("scheduler.max-threads", threads);
    config_.set("scheduler.max-throughput", messages_at_a_time);
    system_ = std::make_unique<caf::actor_system>(config_);
  }
  bool is_simulated() const override { return false; }
  caf::actor_system& system() override { return *system_; }
  void await_end() override { system_->await_all_actors_done(); }
  bool has_work() const override { return false; }
  bool step() override { return false; }
  std::optional<std::chrono::nanoseconds> next_timer() const override { return std::nullopt; }
  void advance(std::chrono::nanoseconds) override {}

 private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

class SimulatedHost final : public ActorHost {
 public:
  explicit SimulatedHost(std::uint64_t turns_seed) {
    if (turns_seed != 0) turns_.emplace(turns_seed);
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
    system_->await_actors_before_shutdown(false);
    coordinator_ = static_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
    clock_ = &coordinator_->clock();
  }
  ~SimulatedHost() override { clock_->cancel_all(); }
  bool is_simulated() const override { return true; }
  caf::actor_system& system() override { return *system_; }
  void await_end() override {
    while (coordinator_->try_run_once()) {
    }
    clock_->cancel_all();
  }
  bool has_work() const override { return !coordinator_->jobs.empty(); }
  bool step() override {
    auto& ready = coordinator_->jobs;
    if (turns_ && ready.size() > 1) std::swap(ready.front(), ready[turns_->below(ready.size())]);
    return coordinator_->try_run_once();
  }
  std::optional<std::chrono::nanoseconds> next_timer() const override {
    if (clock_->schedule().empty()) return std::nullopt;
    return std::max(std::chrono::nanoseconds(0),
                    std::chrono::nanoseconds(clock_->schedule().begin()->first - clock_->now()));
  }
  void advance(std::chrono::nanoseconds by) override { clock_->advance_time(by); }

 private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  // Of the system; asked for dozens of times at each instant of a simulation.
  caf::scheduler::test_coordinator* coordinator_ = nullptr;
  caf::detail::test_actor_clock* clock_ = nullptr;
  std::optional<Random> turns_;
};

}  // namespace

std::unique_ptr<ActorHost> ActorHost::with_threads(std::size_t threads) {
  return std::make_unique<ThreadedHost>(threads);
}
void ActorHost::leave_thread() { caf::logger::set_current_actor_system(nullptr); }
std::unique_ptr<ActorHost> ActorHost::simulated(std::uint64_t turns_seed) {
  return std::make_unique<SimulatedHost>(turns_seed);
}

}  // namespace troupe
