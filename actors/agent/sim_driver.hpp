#pragma once
// Containers that only pretend, under a time that it is told.

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "actors/agent/driver.hpp"
#include "actors/agent/sim_script.hpp"

namespace troupe::agent {

/// Where pretended images come from, for all hosts of a cluster. Any thread.
struct SimRegistry {
  std::atomic<bool> is_down{false};
};

/// Single-threaded and deterministic. Plays the host's kernel: it lives on while an agent dies, whose next
/// life calls adopt() again; destroying it is the host's death. News are given from within advance() only,
/// never from within an order. A task does what its script says (sim_script.hpp); one with a script that does
/// not parse ends as invalid_request, with the position.
class SimDriver final : public Driver {
 public:
  static constexpr std::size_t logs_kept_max = 256;  ///< of discarded tasks; beyond it the oldest is dropped
  static constexpr std::size_t images_kept_max = 256;  ///< beyond it all are dropped

  /// Of this host: scripts may be for one host or group alone.
  /// While the registry is down, an image that this host does not have yet is the end of its task. Null:
  /// there is none to fail.
  explicit SimDriver(std::string host = {}, std::string host_group = {},
                     std::shared_ptr<const SimRegistry> registry = nullptr)
      : host_(std::move(host)), host_group_(std::move(host_group)), registry_(std::move(registry)) {}

  std::string name() const override { return "sim"; }
  std::vector<TaskId> adopt(Listener listener) override;
  void launch(const ContainerSpec& spec) override;
  void stop(const TaskId& task, milliseconds grace) override;
  void discard(const TaskId& task) override;
  Result<LogChunk> read_log(const TaskId& task, LogStream stream, std::uint64_t offset,
                            std::size_t bytes_max) override;

  /// Moves time, never backwards, and gives the news due until then in the order of their times.
  void advance(Moment now, Instant wall);
  /// When advance() would have something to do; in the past if it has already.
  std::optional<Moment> next_due() const;
  /// The agent died: news wait until the next adopt(), which reports every task anew.
  void agent_died() { listener_ = nullptr; }
  std::size_t running() const;
  bool runs(const TaskId& task) const;  ///< is started
  /// That run, or whose end is not acknowledged; without those of which it tells nothing.
  std::size_t kept() const;

 private:
  struct Task {
    SimScript script;
    std::optional<Error> problem;
    std::string image;  ///< to be had before it starts; empty: none
    TaskState state = TaskState::launched;
    Moment launched;
    std::optional<Moment> due;
    std::optional<Moment> killed;  ///< when SIGKILL comes after a stop
    std::optional<Moment> termed;  ///< when it ends by itself after SIGTERM
    std::optional<Moment> ended;
    TaskReport latest;
  };
  static Moment begins(const Task& task);  ///< to run
  void schedule(const TaskId& id, Task& task);
  void unschedule(const TaskId& id, Task& task);
  std::optional<Moment> next_step(const Task& task) const;
  void step(const TaskId& id, Task& task, Moment at);
  void finish(Task& task, Moment at);
  bool has_image(Task& task);
  std::uint64_t written(const Task& task) const;

  const std::string host_, host_group_;
  const std::shared_ptr<const SimRegistry> registry_;
  std::set<std::string> images_;
  Listener listener_;
  Moment now_;
  Instant wall_;
  std::map<TaskId, Task> tasks_;
  std::map<TaskId, Task> discarded_;
  std::deque<TaskId> discard_order_;
  std::set<std::pair<Moment, TaskId>> schedule_;
  std::set<TaskId> to_report_;  ///< again, after adopt()
};

}  // namespace troupe::agent
