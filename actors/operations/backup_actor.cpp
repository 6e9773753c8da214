#include "actors/operations/backup_actor.hpp"

#include "actors/messages.hpp"
#include "actors/runtime/logging.hpp"

namespace troupe {
namespace {

/// The desk looks at its snapshot's age.
struct TickBackups {};
constexpr milliseconds backup_tick{5'000};
/// Longer than whoever asks waits: only a desk that is gone leaves a question without its answer.
constexpr milliseconds desk_patience{600'000};

/// From the desk to its front.
struct DeskAnswered {
  Answer answer;
};

}  // namespace
}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::TickBackups)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::DeskAnswered)

namespace troupe {
namespace {

/// Lives as long as its snapshot.
caf::behavior serve_backup(caf::event_based_actor* self, const ContextPtr& context) {
  auto desk =
      std::make_shared<BackupDesk>(context->self, context->shelf, context->state_store, context->initial);
  self->delayed_send(self, backup_tick, TickBackups{});
  return {
      [self, context, desk](const AskBackup& asked) {
        auto answer = desk->answer(asked.order, context->clock->steady());
        if (!desk->holds()) self->quit();
        return DeskAnswered{answer.ok() ? Answer::of(std::move(answer).value()) : Answer::of(answer.error())};
      },
      [self, context, desk](TickBackups) {
        desk->expire(context->clock->steady());
        if (!desk->holds()) return self->quit();
        self->delayed_send(self, backup_tick, TickBackups{});
      },
  };
}

/// Gives each question to the desk, whose thread there is only while somebody fetches a backup.
class Backups {
 public:
  Backups(caf::event_based_actor* self, ContextPtr context, BackupThread thread)
      : self_(self), context_(std::move(context)), thread_(thread) {}

  caf::behavior start() {
    self_->set_exit_handler([this](const caf::exit_msg& gone) {
      // The desk has come to its end; anybody else's word is ours.
      if (desk_ && gone.source == desk_.address())
        desk_ = nullptr;
      else
        self_->quit(gone.reason);
    });
    return {
        [this](const AskBackup& asked) { on_asked(asked); },
        [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
    };
  }

 private:
  void on_asked(const AskBackup& asked) {
    const bool takes = asked.order.kind == BackupOrder::Kind::take;
    if (takes)
      logging::info("backup_asked node={} id={} caller=\"{}\"", context_->self.value, asked.order.id,
                    asked.order.who);
    if (!desk_) desk_ = spawn_desk();
    self_->request(desk_, desk_patience, asked)
        .then([this, asked](const DeskAnswered& told) { answer(asked, told.answer); },
              [this, asked](const caf::error&) {
                answer(asked, Answer::of(Error{ErrorCode::unavailable, "the snapshot was just let go"}));
              });
  }

  caf::actor spawn_desk() {
    const auto start = [context = context_](caf::event_based_actor* self) {
      return serve_backup(self, context);
    };
    return thread_ == BackupThread::own ? self_->spawn<caf::detached + caf::linked>(start)
                                        : self_->spawn<caf::linked>(start);
  }

  void answer(const AskBackup& asked, const Answer& answer) {
    if (answer.error != 0)
      logging::warn("backup_refused node={} id={} why=\"{}\"", context_->self.value, asked.order.id,
                    answer.message);
    self_->send(caf::actor_cast<caf::actor>(asked.asker), Answered{asked.cookie, answer});
  }

  caf::event_based_actor* self_;
  ContextPtr context_;
  const BackupThread thread_;
  caf::actor desk_;
};

}  // namespace

caf::actor spawn_backups(caf::actor_system& system, const ContextPtr& context, BackupThread thread) {
  return system.spawn([context, thread](caf::event_based_actor* self) -> caf::behavior {
    auto backups = std::make_shared<Backups>(self, context, thread);
    self->attach_functor([backups]() mutable { backups.reset(); });
    return backups->start();
  });
}

}  // namespace troupe
