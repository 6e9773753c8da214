#include <spdlog/spdlog.h>

#include "actors/replica/replica_actor.hpp"

namespace troupe {
namespace {

struct Keeper {
  ContextPtr context;
  caf::actor replica{};

  StateKept care(StateCare care) const {
    if (care == StateCare::flush)
      if (auto flushed = context->state_store->flush(); !flushed.ok()) return {flushed.error()};
    return {context->machine->flushed()};
  }
  void free_log(caf::event_based_actor* self) const {
    if (auto freed = context->log->free_space(); !freed.ok())
      self->send(replica, StopReplica{"the log's space cannot be freed: " + freed.error().message});
  }
};

caf::behavior keep(caf::event_based_actor* self, const ContextPtr& context) {
  auto keeper = std::make_shared<Keeper>(Keeper{context});
  return {
      [keeper](const MeetNode& node) { keeper->replica = node.replica; },
      [self, keeper](const CareForState& work) { self->send(keeper->replica, keeper->care(work.care)); },
      [self, keeper](FreeLogSpace) { keeper->free_log(self); },
      [self](TellMailbox) { return MailboxTold{self->mailbox().size()}; },
  };
}

}  // namespace

caf::actor spawn_keeper(caf::actor_system& system, const ContextPtr& context, KeeperThread thread) {
  const auto start = [context](caf::event_based_actor* self) { return keep(self, context); };
  return thread == KeeperThread::own ? system.spawn<caf::detached>(start) : system.spawn(start);
}

}  // namespace troupe
