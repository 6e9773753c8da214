#pragma once
// Launches that are likely to crash go at a pace of their own.

#include <absl/container/flat_hash_map.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/scheduler/facts.hpp"
#include "actors/scheduler/waiting_queue.hpp"
#include "storage/base/time.hpp"
#include "storage/model/launch_limits.hpp"

namespace troupe::scheduler {

/// Owner: the scheduler's actor, one thread; on every node, so that a new leader knows what crashed. Pure.
/// Nothing survives a restart: what crashes is known again after some tens of launches.
///
/// A job's budget holds its own relaunches back, but a thousand jobs that crash at once have a thousand
/// budgets. So two kinds of launches wait here instead of in the engine, and are let go so many a second,
/// applications in turn: those that follow a crash in their slot, and those of a *program* (application,
/// group, image, command, environment) that crashes again and again. A crash (Reason::failed) counts one; a
/// task that ends well halves the count, and so does each minute without a crash. Others never wait for them.
///
/// Not more than `programs_max` are remembered: first launches of those beyond are not paced.
class CrashPacer {
 public:
  static constexpr std::uint32_t crashes_until_paced = 32;
  static constexpr std::uint32_t crashes_max = 256;
  static constexpr milliseconds half_life{60'000};
  static constexpr std::size_t programs_max = 10'000;
  enum class Launch : std::uint8_t { first, after_crash };

  /// Lets at most `per_second` go; 0: nobody is paced.
  explicit CrashPacer(std::uint32_t per_second);

  /// A task of this descriptor ended so.
  void ended(const JobDescriptor& descriptor, Reason reason, Instant now);
  /// False: nothing has crashed lately, so that nothing is held; spares the caller finding out what follows a
  /// crash.
  bool is_alert() const { return !crashes_.empty(); }
  /// False: it need not wait, or it starts with a gang: it is for the engine. One that is held is replaced.
  bool hold(const QueuedTask& task, Launch launch, Instant now);
  bool holds(const TaskId& task) const { return held_.contains(task); }
  /// It does not wait any more.
  void forget(const TaskId& task);
  void forget_all();
  /// What may go now: applications in turn, in each by priority and age.
  std::vector<QueuedTask> release(Instant now);
  /// When something is to be released; nullopt: nothing is held.
  std::optional<Instant> next_release() const;
  std::size_t size() const { return held_.size(); }
  /// For people; empty if it is not held.
  std::string why_held(const TaskId& task) const;

 private:
  struct Crashes {
    std::uint32_t count = 0;
    Instant at;  ///< of the last one
  };
  using Application = std::pair<std::string, std::string>;  ///< group, name
  using Line = std::map<Turn, QueuedTask>;
  struct Place {
    std::map<Application, Line>::iterator line;
    Turn turn;
  };
  static std::uint64_t program_of(const JobDescriptor& descriptor);
  static std::uint32_t faded(const Crashes& crashes, Instant now);
  bool crashes_again(const JobDescriptor& descriptor, Instant now) const;
  void sweep(Instant now);
  void erase(absl::flat_hash_map<TaskId, Place>::iterator place);

  const BucketRule rule_;
  void stay_within(Instant now);
  TokenBucket bucket_;
  std::map<std::uint64_t, Crashes> crashes_;  ///< by program
  Instant swept_;
  std::map<Application, Line> lines_;  ///< none is empty
  absl::flat_hash_map<TaskId, Place> held_;
  Application last_;  ///< whose turn it was
};

}  // namespace troupe::scheduler
