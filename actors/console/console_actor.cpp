#include "actors/console/console_actor.hpp"

#include "net/json/writer.hpp"

namespace troupe {
namespace {

void number(json::Writer& writer, std::string_view key, std::uint64_t value) {
  writer.key(key);
  writer.uint(value);
}

std::string node_json(const NodeContext& context) {
  const NodeStatus& status = context.status;
  std::uint64_t owned = 0;
  for (const ShardRecord& shard : context.reads().shards()) owned += shard.owner == context.self ? 1 : 0;
  json::Writer writer;
  writer.begin_object();
  number(writer, "node", context.self.value);
  number(writer, "term", status.term);
  number(writer, "leader", status.leader);
  number(writer, "commit", status.commit);
  number(writer, "applied", status.applied);
  writer.key("leased");
  writer.boolean(status.leased);
  number(writer, "proposals", status.proposals);
  number(writer, "proposalsPending", status.proposals_pending);
  number(writer, "shardsOwned", owned);
  writer.end_object();
  return writer.take();
}

Answer answer_to(const NodeContext& context, const std::string& command) {
  if (command == "node") return Answer::of(node_json(context));
  return Answer::of(Error{ErrorCode::invalid_argument, "unknown command '" + command + "'; there is: node"});
}

}  // namespace

caf::actor spawn_console(caf::actor_system& system, const ContextPtr& context) {
  return system.spawn([context](caf::event_based_actor* self) -> caf::behavior {
    return {
        [](const MeetNode&) {},
        [self, context](const Asked& asked) {
          const auto* question = std::get_if<AskConsole>(&asked.question);
          if (question == nullptr) return;
          self->send(caf::actor_cast<caf::actor>(asked.asker),
                     Answered{asked.cookie, answer_to(*context, question->command)});
        },
    };
  });
}

}  // namespace troupe
