#include "actors/cores/host_core.hpp"
#include "actors/entities/entity_shell.hpp"
#include "actors/runtime/logging.hpp"

namespace troupe {
namespace {

class HostShell : public EntityShell {
 public:
  HostShell(caf::event_based_actor* self, EntityHome home)
      : EntityShell(self, std::move(home)),
        core_(home_.context->self, home_.context->reads().cell_record().name, Random(home_.seed)) {}

  caf::behavior start() {
    activate();
    return {
        [this](const Nudge& nudge) {
          before("nudge");
          nudged(nudge.number);
          feed(cores::Wake{});
          after("nudge");
        },
        [this](const EntitySettled& settled) {
          before("settled");
          feed(settled_of(settled));
          after("settled");
        },
        [this](const HostTaskMoved& moved) {
          before("task_moved");
          task_moved(moved.task);
          after("task_moved");
        },
        [this](HostMoved) {
          before("host_moved");
          if (auto facts = reads().host_facts(home_.entity.host()))
            feed(cores::HostMoved{std::move(facts->record)});
          after("host_moved");
        },
        [this](const AgentArrived& arrived) {
          before("agent_arrived");
          link_ = arrived.link;
          feed(cores::AgentUp{arrived.hello});
          after("agent_arrived");
        },
        [this](const AgentLeft& left) {
          if (!link_ || *link_ != left.link) return;
          before("agent_left");
          link_.reset();
          feed(cores::AgentDown{});
          after("agent_left");
        },
        [this](const AgentReported& reported) {
          NodeContext& context = *home_.context;
          if (context.trace.is_on())
            context.trace.reported(home_.entity, reported.report, context.trace_now());
          before("agent_reported");
          if (link_ && *link_ == reported.link) feed(cores::AgentSaid{reported.report});
          after("agent_reported");
        },
        [this](Passivate) { self_->quit(); },
    };
  }

 private:
  void activate() {
    auto view = reads().host(home_.entity.host());
    if (!view) return rest();
    cores::Activated activated{std::move(view->record), reads().cell_record().policy, {}};
    for (const TaskId& id : view->tasks)
      if (auto facts = reads().task(id))
        activated.tasks.push_back({std::move(facts->record), facts->descriptor});
    feed(std::move(activated));
  }

  void task_moved(const TaskId& id) {
    auto facts = reads().task(id);
    if (!facts || facts->record.state == TaskState::finished) return feed(cores::TaskGone{id});
    if (facts->record.host == home_.entity.host())
      feed(cores::TaskMoved{{std::move(facts->record), std::move(facts->descriptor)}});
  }

  void feed(const cores::HostEvent& event) {
    const Index index{home_.context->status.applied.load()};
    for (auto& effect : core_.on(now(), index, event))
      std::visit([this](auto& any) { perform_host(std::move(any)); }, effect);
  }

  void perform_host(cores::Propose propose) { perform(std::move(propose)); }
  void perform_host(const cores::WakeAt& wake) { perform(wake); }
  void perform_host(const cores::Rest&) {
    if (!link_) rest();  // With an agent's link there is always something to wait for.
  }
  void perform_host(const cores::SendToAgent& order) {
    if (!link_) return;
    NodeContext& context = *home_.context;
    if (context.trace.is_on()) context.trace.ordered(home_.entity, order.message, context.trace_now());
    context.hub->send(*link_, packed(order.message));
  }
  void perform_host(const cores::CloseLink& close) {
    if (!link_) return;
    logging::info("agent_link_closed host={} why=\"{}\"", home_.entity.host().value, close.why);
    self_->send(home_.directory, CloseAgent{*link_, close.why});
    link_.reset();
  }
  void perform_host(const cores::Lookup& lookup) {
    cores::Looked looked;
    for (const TaskId& id : lookup.tasks) looked.tasks.push_back({id, where(id)});
    feed(looked);
  }

  cores::Looked::Where where(const TaskId& id) const {
    using Where = cores::Looked::Where;
    if (const auto facts = reads().task(id); facts && facts->record.state != TaskState::finished)
      return facts->record.host == home_.entity.host() ? Where::here : Where::elsewhere;
    const auto archived = reads().archived_task(id);
    return archived.ok() && archived.value() ? Where::archived : Where::never;
  }

  cores::HostCore core_;
  std::optional<net::LinkKey> link_;
};

}  // namespace

caf::actor spawn_host(caf::actor_system& system, const EntityHome& home) {
  return spawn_shell<HostShell>(system, home);
}

}  // namespace troupe
