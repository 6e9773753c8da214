#pragma once
// The replicated log by itself: a node's replica, applier and post over real seams, and a source of load in
// the place of all other actors.

#include <memory>

#include "actors/bench/transition_core.hpp"
#include "actors/node/node.hpp"

namespace troupe::bench {

/// One phase of load.
struct Load {
  enum class Kind : std::uint8_t {
    prepare,  ///< sets the cell up; then every unit is moved until its tasks live, in states drawn at random
    commit,   ///< moves units drawn at random
    read,     ///< linearizable reads, each followed by a look at a task
  };
  friend constexpr Kind max_value(Kind) { return Kind::read; }
  Kind kind = Kind::commit;
  std::uint32_t in_flight = 512;
  milliseconds span{5'000};      ///< of commit and read
  TransitionConfig transitions;  ///< of prepare
  static constexpr auto fields() {
    return field_list(field("kind", &Load::kind), field("in_flight", &Load::in_flight),
                      field("span", &Load::span), field("transitions", &Load::transitions));
  }
};

struct LoadFigures {
  std::uint64_t done = 0;  ///< commands or reads
  std::uint64_t took_us = 0;
  std::uint64_t p50_us = 0;
  std::uint64_t p99_us = 0;
  std::uint64_t max_us = 0;
  static constexpr auto fields() {
    using F = LoadFigures;
    return field_list(field("done", &F::done), field("took_us", &F::took_us), field("p50_us", &F::p50_us),
                      field("p99_us", &F::p99_us), field("max_us", &F::max_us));
  }
};

/// Not thread-safe, but for status() and reads().
class LogNode {
 public:
  /// Errors as Node::start.
  static Result<std::unique_ptr<LogNode>> start(NodeConfig config, NodeSeams seams);
  virtual ~LogNode() = default;
  /// Blocks until it is over. `prepare` comes first, and on the same node, which should lead. Errors: what a
  /// command met that was not applied; refusals are errors, but for a term that has passed.
  virtual Result<LoadFigures> run(const Load& load) = 0;
  virtual const NodeStatus& status() const = 0;
  virtual const Reads& reads() const = 0;
};

}  // namespace troupe::bench
