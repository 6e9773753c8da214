#pragma once
// Which entities a command or a message between a host's owner and its agent is about. Pure.

#include <functional>

#include "actors/agent/protocol.hpp"
#include "storage/model/command.hpp"

namespace troupe {

using Mention = std::function<void(const EntityRef& entity)>;

/// Each job, task and host whose id stands in it, and the capacity groups of those that change or note one;
/// some twice.
void each_mentioned(const CommandBody& body, const Mention& mention);
void each_mentioned(const agent::ToAgent& order, const Mention& mention);
void each_mentioned(const agent::Report& report, const Mention& mention);

/// "launch", "kill"
std::string_view order_text(const agent::ToAgent& order);

}  // namespace troupe
