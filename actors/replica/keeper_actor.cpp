#include "actors/replica/courier.hpp"
#include "actors/replica/replica_actor.hpp"

namespace troupe {
namespace {

struct Keeper {
  Keeper(caf::event_based_actor* owner, const ContextPtr& shared)
      : self(owner), context(shared), courier(owner, shared) {}

  StateKept care(StateCare care) const {
    if (care == StateCare::flush)
      if (auto flushed = context->state_store->flush(); !flushed.ok()) return {flushed.error()};
    return {context->machine->flushed()};
  }
  void free_log() const {
    if (auto freed = context->log->free_space(); !freed.ok())
      self->send(replica, StopReplica{"the log's space cannot be freed: " + freed.error().message});
  }

  caf::event_based_actor* self;
  ContextPtr context;
  Courier courier;
  caf::actor replica;
};

caf::behavior keep(caf::event_based_actor* self, const ContextPtr& context) {
  auto keeper = std::make_shared<Keeper>(self, context);
  return {
      [keeper](const MeetNode& node) {
        keeper->replica = node.replica;
        keeper->courier.meet(node.replica);
      },
      [keeper](const CareForState& work) { keeper->self->send(keeper->replica, keeper->care(work.care)); },
      [keeper](FreeLogSpace) { keeper->free_log(); },
      [keeper](const SendSnapshot& wanted) { keeper->courier.send(wanted); },
      [keeper](DropSnapshots) { keeper->courier.drop_all(); },
      [keeper](ForgetSnapshot) { keeper->courier.forget_arrived(); },
      [keeper](TickKeeper) { keeper->courier.tick(); },
      [keeper](const LinkRaised& raised) { keeper->courier.move_link(raised.link, true); },
      [keeper](const LinkDropped& dropped) { keeper->courier.move_link(dropped.link, false); },
      [keeper](const LinkReceived& received) { keeper->courier.hear(received); },
      [self](TellMailbox) { return MailboxTold{self->mailbox().size()}; },
  };
}

}  // namespace

caf::actor spawn_keeper(caf::actor_system& system, const ContextPtr& context, KeeperThread thread) {
  const auto start = [context](caf::event_based_actor* self) { return keep(self, context); };
  return thread == KeeperThread::own ? system.spawn<caf::detached>(start) : system.spawn(start);
}

}  // namespace troupe
