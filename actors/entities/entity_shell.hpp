#pragma once
// What the shells of all entities do alike: send effects to the directory, count nudges, obey fault points.

#include "actors/cores/proposal.hpp"
#include "actors/entities/entity_actor.hpp"

namespace troupe {

class EntityShell {
 public:
  EntityShell(caf::event_based_actor* self, EntityHome home) : self_(self), home_(std::move(home)) {}

 protected:
  ~EntityShell() = default;
  const Reads& reads() const { return home_.context->reads(); }
  Instant now() const { return home_.context->now(); }

  void perform(cores::Propose propose) {
    self_->send(home_.directory, EntityProposes{home_.entity, propose.number, std::move(propose.body)});
  }
  void perform(const cores::WakeAt& wake) {
    self_->send(home_.directory, EntityWakes{home_.entity, wake.at});
  }
  void perform(const cores::Rest&) { rest(); }
  void rest() { self_->send(home_.directory, EntityRests{home_.entity, nudge_}); }
  void nudged(std::uint64_t number) { nudge_ = number; }
  /// What an entity hears that has no messages of its own; `feed` gives an event to its core.
  template <class Feed>
  caf::behavior heard_by(Feed feed) {
    return {
        [this, feed](const Nudge& nudge) {
          before("nudge");
          nudged(nudge.number);
          feed(cores::Look{});
          after("nudge");
        },
        [this, feed](const EntitySettled& settled) {
          before("settled");
          feed(settled_of(settled));
          after("settled");
        },
        [this](Passivate) { self_->quit(); },
    };
  }

  static cores::Settled settled_of(const EntitySettled& message) {
    cores::Settled settled{message.number, cores::Settled::How::taken, ErrorCode::internal, {}};
    const Error* error = nullptr;
    if (!message.outcome.ok())
      error = &message.outcome.error();
    else if (message.outcome.value().error)
      error = &*message.outcome.value().error;
    if (error == nullptr) {
      settled.refused = message.outcome.value().refused;
      return settled;
    }
    const bool unknown = retry_class(error->code) == Retry::unknown;
    settled.how = unknown ? cores::Settled::How::unknown : cores::Settled::How::refused;
    settled.error = error->code;
    return settled;
  }

  /// Call first in each handler: in a trace a message stands before what it causes.
  void before(std::string_view message) {
    NodeContext& context = *home_.context;
    if (context.trace.is_on()) context.trace.handled(home_.entity, message, context.trace_now());
  }
  /// Call last in each handler: it counts the message, and a test's fault point may end this actor here.
  void after(std::string_view message) {
    home_.meter->handled.fetch_add(1, std::memory_order_relaxed);
    if (home_.context->fault_point && home_.context->fault_point(home_.entity, message))
      self_->quit(caf::exit_reason::unhandled_exception);
  }

  caf::event_based_actor* self_;
  EntityHome home_;

 private:
  std::uint64_t nudge_ = 0;
};

/// Ends the actor as CAF's own handler would, but keeps what went wrong for whoever asks.
inline caf::error note_failure(EntityMeter& meter, const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failure) {
    meter.failure = failure.what();
  } catch (...) {
    meter.failure = "an exception of an unknown kind";
  }
  return caf::sec::runtime_error;
}

/// Spawns a shell that lives as long as its actor.
template <class Shell>
caf::actor spawn_shell(caf::actor_system& system, const EntityHome& home) {
  return system.spawn([home](caf::event_based_actor* self) -> caf::behavior {
    self->set_exception_handler([meter = home.meter](std::exception_ptr& thrown) -> caf::error {
      return note_failure(*meter, thrown);
    });
    auto shell = std::make_shared<Shell>(self, home);
    self->attach_functor([shell]() mutable { shell.reset(); });
    return shell->start();
  });
}

}  // namespace troupe
