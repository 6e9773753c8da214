#pragma once
// What the engine asks of the state.

#include <functional>

#include "actors/node/node_context.hpp"
#include "actors/scheduler/facts.hpp"

namespace troupe {

/// Any thread. While `may_preempt` says no, nobody is named who might give way.
scheduler::Lookups lookups_in(const ContextPtr& context, std::function<bool()> may_preempt);

/// How many of the job start at once; 0 once they have, and of other jobs.
std::uint32_t gang_size(const Reads& reads, const JobId& job, const JobDescriptor& descriptor);

/// Whether the live task in this slot follows one that crashed there.
bool follows_crash(const Reads& reads, const JobId& job, SlotNumber slot);

}  // namespace troupe
