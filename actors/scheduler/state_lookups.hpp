#pragma once
// What the engine asks of the state.

#include <functional>

#include "actors/node/node_context.hpp"
#include "actors/scheduler/facts.hpp"

namespace troupe {

/// Any thread. While `may_preempt` says no, nobody is named who might give way.
scheduler::Lookups lookups_in(const ContextPtr& context, std::function<bool()> may_preempt);

/// Whether the live task in this slot follows one that crashed there.
bool follows_crash(const Reads& reads, const JobId& job, SlotNumber slot);

}  // namespace troupe
