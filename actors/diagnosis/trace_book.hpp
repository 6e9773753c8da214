#pragma once
// Where a node's actors tell what may be traced. While no trace is on each of them loads one flag.

#include <atomic>
#include <mutex>

#include "actors/agent/protocol.hpp"
#include "actors/diagnosis/trace_core.hpp"
#include "storage/model/outcome.hpp"

namespace troupe {

/// Thread-safe; shared by all actors of a node. What does not concern the trace is dropped.
class TraceBook {
 public:
  /// Costs nothing else while it is false; true until the first tap after the trace's time.
  bool is_on() const { return on_.load(std::memory_order_relaxed); }

  Result<void> begin(TraceOrder order, Index applied, Moment now);
  Result<void> stop(std::string_view id);
  Result<std::string> json(std::string_view id, Moment now);

  struct Now {
    Instant at;  ///< cell time
    Moment steady;
  };
  // ---- taps; `what` lives for ever ----
  void handled(const EntityRef& entity, std::string_view message, Now now);
  void settled(const EntityRef& entity, const Error* error, Now now);
  void proposed(const Command& command, Now now);
  /// Between this node and another one; `bytes` is an encoded command.
  void travels(TraceKind kind, BytesView bytes, NodeId other, Now now);
  /// Before anybody hears of it.
  void applied(const Applied& applied, Now now);
  void ordered(const EntityRef& host, const agent::ToAgent& order, Now now);
  void reported(const EntityRef& host, const agent::Report& report, Now now);

 private:
  template <class About>
  void note_of(const About& about, const EntityRef* also, TraceNote note, Now now);
  void note(TraceNote note, Now now);
  bool is_over(Now now);
  TraceCore seen(Moment now);

  std::atomic<bool> on_{false};
  std::mutex mutex_;  ///< guards all below
  TraceCore core_;
  Index applied_;
};

}  // namespace troupe
