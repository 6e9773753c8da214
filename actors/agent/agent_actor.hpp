#pragma once

#include <caf/all.hpp>
#include <memory>

#include "actors/agent/agent.hpp"

namespace troupe::agent {

/// What the actor works with; outlives it.
struct AgentHome {
  AgentConfig config;
  AgentSeams seams;
  std::uint64_t seed = 0;
  net::LinkHub* hub = nullptr;
};

/// The shell around the agent's core: performs its effects in order. Takes LinkRaised, LinkDropped and
/// LinkReceived of its hub.
caf::actor spawn_agent(caf::actor_system& system, const std::shared_ptr<AgentHome>& home);

}  // namespace troupe::agent
