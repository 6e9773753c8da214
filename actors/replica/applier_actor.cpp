#include "actors/replica/replica_actor.hpp"

namespace troupe {
namespace {

constexpr std::size_t batch_entries_max =
    256;  // Followers hear in bounded pieces; readers wait for no more than this.

struct Applier {
  ContextPtr context;
  caf::actor replica{};
  std::vector<caf::actor> followers{};
  bool stopped = false;

  void apply(caf::event_based_actor* self, const std::vector<raft::Entry>& entries) {
    for (std::size_t from = 0; from < entries.size() && !stopped; from += batch_entries_max) {
      const std::size_t size = std::min(batch_entries_max, entries.size() - from);
      auto applied = context->machine->apply({entries.data() + from, size});
      if (!applied.ok()) {
        stopped = true;
        const std::string why =
            "apply stopped at index " + to_text(entries[from].index) + ": " + applied.error().message;
        if (applied.error().code == ErrorCode::corrupt && context->note_fault) context->note_fault(why);
        return self->send(replica, StopReplica{why});
      }
      const auto shared = std::make_shared<const Applied>(std::move(applied).value());
      if (context->trace.is_on()) context->trace.applied(*shared, context->trace_now());
      for (const caf::actor& follower : followers) self->send(follower, StateApplied{shared});
    }
  }
};

}  // namespace

caf::actor spawn_applier(caf::actor_system& system, const ContextPtr& context) {
  return system.spawn([context](caf::event_based_actor* self) -> caf::behavior {
    auto applier = std::make_shared<Applier>(Applier{context});
    return {
        [applier](const MeetNode& node) {
          applier->replica = node.replica;
          applier->followers = {node.replica, node.directory, node.scheduler, node.gateway};
        },
        [self, applier](const ApplyEntries& work) { applier->apply(self, work.entries); },
        [self](TellMailbox) { return MailboxTold{self->mailbox().size()}; },
    };
  });
}

}  // namespace troupe
