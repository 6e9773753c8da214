#pragma once
// One host's agent over its seams, in an actor system that it may share with others.

#include <functional>
#include <memory>

#include "actors/agent/agent_core.hpp"
#include "actors/agent/driver.hpp"
#include "actors/runtime/actor_host.hpp"
#include "net/link/link.hpp"
#include "storage/kv/kv_store.hpp"

namespace troupe::agent {

class SimDriver;

/// What an agent is built on; all outlive it. Node addresses are "NODE@host:port", as in its configuration's
/// bootstrap.
struct AgentSeams {
  const Clock* clock = nullptr;
  Driver* driver = nullptr;
  SimDriver* sim = nullptr;    ///< the same driver, if it needs to be told the time
  KvStore* journal = nullptr;  ///< opened with journal_tables()
  std::function<Result<std::unique_ptr<net::LinkHub>>(net::LinkListener&)> open_hub;
  /// The agent cannot go on (its journal fails): called once, from any thread; its containers run on.
  std::function<void(const std::string& why)> on_failure;
};
std::vector<std::string> journal_tables();

class Agent {
 public:
  /// Errors: what opening the hub says.
  static Result<std::unique_ptr<Agent>> start(ActorHost& actors, AgentConfig config, AgentSeams seams,
                                              std::uint64_t seed);
  /// Its containers run on; the next agent adopts them.
  virtual ~Agent() = default;
};

}  // namespace troupe::agent
