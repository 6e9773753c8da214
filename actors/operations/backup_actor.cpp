#include "actors/operations/backup_actor.hpp"

#include <spdlog/spdlog.h>

#include "actors/messages.hpp"

namespace troupe {
namespace {

/// The desk looks at its snapshot's age.
struct TickBackups {};
constexpr milliseconds backup_tick{5'000};

}  // namespace
}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::TickBackups)

namespace troupe {
namespace {

caf::behavior keep_backups(caf::event_based_actor* self, const ContextPtr& context) {
  auto desk =
      std::make_shared<BackupDesk>(context->self, context->shelf, context->state_store, context->initial);
  self->delayed_send(self, backup_tick, TickBackups{});
  return {
      [self, context, desk](const AskBackup& asked) {
        if (asked.order.kind == BackupOrder::Kind::take)
          spdlog::info("backup_asked node={} id={} caller=\"{}\"", context->self.value, asked.order.id,
                       asked.order.who);
        auto answer = desk->answer(asked.order, context->clock->steady());
        if (!answer.ok())
          spdlog::warn("backup_refused node={} id={} why=\"{}\"", context->self.value, asked.order.id,
                       answer.error().message);
        self->send(caf::actor_cast<caf::actor>(asked.asker),
                   Answered{asked.cookie, answer.ok() ? Answer::of(std::move(answer).value())
                                                      : Answer::of(answer.error())});
      },
      [self, context, desk](TickBackups) {
        desk->expire(context->clock->steady());
        self->delayed_send(self, backup_tick, TickBackups{});
      },
      [self](TellMailbox) { return MailboxTold{self->mailbox().size()}; },
  };
}

}  // namespace

caf::actor spawn_backups(caf::actor_system& system, const ContextPtr& context, BackupThread thread) {
  const auto start = [context](caf::event_based_actor* self) { return keep_backups(self, context); };
  return thread == BackupThread::own ? system.spawn<caf::detached>(start) : system.spawn(start);
}

}  // namespace troupe
