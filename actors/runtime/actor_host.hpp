#pragma once
// One actor system: with threads, or stepped by a simulation in one thread under virtual time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "storage/base/time.hpp"

namespace caf {
class actor_system;
}

namespace troupe {

/// Owner: a node, or a process's agents. Not thread-safe itself.
class ActorHost {
 public:
  /// `threads` CAF workers: fair (one shared queue), a bounded number of messages at a time each.
  static std::unique_ptr<ActorHost> with_threads(std::size_t threads);
  /// Nothing runs but in step(); timers wait for advance(). The actors take turns in order, or, with a seed
  /// that is not 0, as it draws them; each still takes its messages in order.
  static std::unique_ptr<ActorHost> simulated(std::uint64_t turns_seed = 0);
  virtual ~ActorHost() = default;
  /// After spawning actors on a thread that is not the one to destroy the host: CAF 0.17 keeps a thread's
  /// last system in a thread-local, and the system's end waits for all of these.
  static void leave_thread();

  virtual bool is_simulated() const = 0;
  virtual caf::actor_system& system() = 0;
  /// Waits until every actor has ended: the caller has told them to.
  virtual void await_end() = 0;

  // ---- simulated only ----
  virtual bool has_work() const = 0;  ///< step() would do something
  /// Handles one message; false if nobody has any.
  virtual bool step() = 0;
  /// How long until the next timer, from now.
  virtual std::optional<std::chrono::nanoseconds> next_timer() const = 0;
  virtual void advance(std::chrono::nanoseconds by) = 0;
};

}  // namespace troupe
