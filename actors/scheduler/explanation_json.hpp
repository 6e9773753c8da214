#pragma once

#include <string>

#include "actors/scheduler/facts.hpp"

namespace troupe::scheduler {

/// Titus' placement result of a waiting task, {"taskId", "failures": {"failures": [{"reason",
/// "failureCount"}]}}, and ours: "queue" {"standing", "position", "hosts", "fitting", "lastRefusal"},
/// "capacityGroup", "preemption" {"sentence", "host", "victims"}, "nearest" [{"host", "lacks": [{"reason",
/// "detail"}]}] and "changes" [{"kind", "what", "from", "to", "hosts", "sentence"}], the smallest first.
std::string explanation_json(TaskId task, const Explanation& explanation);
/// "asking for at most 1500 of cpu instead of 4000 would do: 3 hosts have that"
std::string sentence_of(const Change& change);
std::string sentence_of(const PreemptionStanding& preemption);

}  // namespace troupe::scheduler
