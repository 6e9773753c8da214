#pragma once
// What happened to a cluster, as its nodes told it, with the faults that the test called.

#include <cstdint>
#include <string>
#include <troupe/job.hpp>
#include <vector>

namespace troupe::embedded {

/// One change of the cell's state, one fault, or one note of the test's own.
struct HistoryEvent {
  std::uint64_t index = 0;    ///< of the replicated log; 0: a fault or a note
  std::uint32_t ordinal = 0;  ///< among the changes of one log entry
  Time at{};                  ///< the cell's time; of faults and notes the cluster's
  /// Who told of it. A node that was down may not have: it then got the outcome with a snapshot.
  std::vector<std::uint32_t> nodes;
  std::string kind;  ///< "taskChanged" and the like, as in the API's stream of events; "fault"; "note"
  std::string job;   ///< id, or empty
  std::string task;  ///< id, or empty
  std::string text;  ///< for people: "task 0 (8c41) Launched -> StartInitiated"
};

}  // namespace troupe::embedded
