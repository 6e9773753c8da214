#pragma once
// Why a class of tasks waits, and what would help.

#include "actors/scheduler/waiting_queue.hpp"

namespace troupe::scheduler {

/// The part that its group decides.
void explain(const TaskClass& kind, Explanation& out);
/// Counts per reason, the nearest hosts, and the changes that would do. Each change is tried: its hosts are
/// those that take the changed demand by the same predicates that placement uses.
void explain_hosts(Inventory& inventory, const TaskClass& kind, const JobDescriptor& descriptor,
                   Explanation& out);

}  // namespace troupe::scheduler
