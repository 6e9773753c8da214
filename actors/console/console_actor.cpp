#include "actors/console/console_actor.hpp"

#include <charconv>

#include "actors/console/actors_report.hpp"
#include "actors/console/console_commands.hpp"
#include "actors/console/entity_report.hpp"
#include "actors/console/node_report.hpp"
#include "actors/console/trace_report.hpp"

namespace troupe {
namespace console {
namespace {

/// One command, from the question to its answer, which is given exactly once.
struct Turn {
  Asked asked;
  std::string argument;
};
using TurnPtr = std::shared_ptr<Turn>;

class Console {
 public:
  Console(caf::event_based_actor* self, ContextPtr context) : self_(self), context_(std::move(context)) {}

  caf::behavior start() {
    return {
        [this](const MeetNode& node) { node_ = node; },
        [this](const Asked& asked) { on_asked(asked); },
        [this](const Answered& answered) { on_owner_answered(answered); },
        [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
    };
  }

 private:
  using Handler = void (Console::*)(const TurnPtr&);
  struct Row {
    std::string_view name;
    Handler handler;
  };
  static const Row rows[];

  struct Showing {
    TurnPtr turn;
    Target target;
  };
  /// The answers of several actors, until none is missing.
  struct Gathering {
    TurnPtr turn;
    ActorsFound found;
    std::size_t missing = 0;
  };
  using GatheringPtr = std::shared_ptr<Gathering>;

  void on_asked(const Asked& asked);
  void answer(const TurnPtr& turn, const Result<std::string>& told);

  void help(const TurnPtr& turn) { answer(turn, help_json()); }
  void node(const TurnPtr& turn) { answer(turn, node_json(*context_)); }
  void shards(const TurnPtr& turn) { answer(turn, shards_json(*context_)); }
  void requests(const TurnPtr& turn) { answer(turn, requests_json(*context_)); }
  void set_aside(const TurnPtr& turn) { answer(turn, set_aside_json(*context_, turn->argument)); }
  void trace(const TurnPtr& turn) { answer(turn, trace_json(*context_, turn->argument)); }
  void duties(const TurnPtr& turn);
  void actors(const TurnPtr& turn);
  void actor(const TurnPtr& turn);
  void actors_where(const TurnPtr& turn);
  void show(const TurnPtr& turn);

  void ask_directory(TellAwake question, std::function<void(Result<AwakeTold>)> told);
  void gather(const GatheringPtr& gathering, std::optional<EntityKind> kind, bool asks_node);
  void ask_mailbox(const GatheringPtr& gathering, const std::string& name, const caf::actor& actor);
  void came_in(const GatheringPtr& gathering);
  void ask_owner(const TurnPtr& turn, const Target& target, NodeId owner);
  void on_owner_answered(const Answered& answered);
  void show_with(const Showing& showing, const json::Value& actor);

  caf::event_based_actor* self_;
  ContextPtr context_;
  MeetNode node_;
  std::uint64_t next_cookie_ = 0;
  std::map<std::uint64_t, Showing> showing_;  // whose owner was asked; the post always answers
};

const Console::Row Console::rows[] = {
    {"help", &Console::help},     {"node", &Console::node},         {"shards", &Console::shards},
    {"actors", &Console::actors}, {"actor", &Console::actor},       {"show", &Console::show},
    {"duties", &Console::duties}, {"requests", &Console::requests}, {"set-aside", &Console::set_aside},
    {"trace", &Console::trace},
};

std::pair<std::string_view, std::string_view> words_of(std::string_view command) {
  constexpr std::string_view blanks = " \t";
  const auto trim = [&](std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == text.npos) return std::string_view();
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
  };
  command = trim(command);
  const auto end = std::min(command.find_first_of(blanks), command.size());
  return {command.substr(0, end), trim(command.substr(end))};
}

void Console::on_asked(const Asked& asked) {
  const auto* question = std::get_if<AskConsole>(&asked.question);
  if (question == nullptr) return;
  const auto [name, argument] = words_of(question->command);
  const auto turn = std::make_shared<Turn>(Turn{asked, std::string(argument)});
  if (question->command.size() > command_bytes_max)
    return answer(turn, Error{ErrorCode::invalid_argument, "the command is too long"});
  for (std::size_t n = 0; n < node_commands.size(); ++n) {
    if (name != node_commands[n].name) continue;
    static_assert(std::size(rows) == node_commands.size());
    TROUPE_CHECK(rows[n].name == name);
    if (node_commands[n].arguments.empty() && !argument.empty())
      return answer(turn, Error{ErrorCode::invalid_argument, std::string(name) + " takes no argument"});
    return (this->*rows[n].handler)(turn);
  }
  answer(turn, Error{ErrorCode::invalid_argument,
                     "there is no command '" + std::string(name.substr(0, 100)) + "'; help lists them"});
}

void Console::answer(const TurnPtr& turn, const Result<std::string>& told) {
  self_->send(caf::actor_cast<caf::actor>(turn->asked.asker),
              Answered{turn->asked.cookie, told.ok() ? Answer::of(told.value()) : Answer::of(told.error())});
}

void Console::duties(const TurnPtr& turn) {
  if (turn->argument.empty()) return answer(turn, duties_json(*context_, std::nullopt));
  ShardId shard;
  const char* const end = turn->argument.data() + turn->argument.size();
  const auto [stop, fault] = std::from_chars(turn->argument.data(), end, shard.value);
  if (fault != std::errc{} || stop != end)
    return answer(turn, Error{ErrorCode::invalid_argument, "a shard is a number"});
  answer(turn, duties_json(*context_, shard));
}

// ---- who is awake ----

void Console::ask_directory(TellAwake question, std::function<void(Result<AwakeTold>)> told) {
  if (!node_.directory) return told(Error{ErrorCode::unavailable, "the node is not up yet"});
  self_->request(node_.directory, actors_patience, std::move(question))
      .then([told](const AwakeTold& awake) { told(awake); },
            [told](const caf::error&) {
              told(Error{ErrorCode::unavailable, "the directory did not answer in time: it is busy or down"});
            });
}

void Console::actors(const TurnPtr& turn) {
  std::optional<EntityKind> kind;
  for (const EntityKind one : {EntityKind::job, EntityKind::task, EntityKind::host, EntityKind::group})
    if (turn->argument == kind_text(one)) kind = one;
  const bool asks_node = turn->argument.empty() || turn->argument == "node";
  if (!kind && !asks_node)
    return answer(turn,
                  Error{ErrorCode::invalid_argument, "a kind is one of job, task, host, group and node"});
  auto gathering = std::make_shared<Gathering>(Gathering{turn, {}, 1});
  gathering->found.asks_entities = turn->argument != "node";
  gather(gathering, kind, asks_node);
  came_in(gathering);
}

void Console::gather(const GatheringPtr& gathering, std::optional<EntityKind> kind, bool asks_node) {
  if (gathering->found.asks_entities) {
    ++gathering->missing;
    ask_directory({kind, std::nullopt, awake_listed_max}, [this, gathering](Result<AwakeTold> told) {
      if (told.ok())
        gathering->found.awake = std::move(told).value();
      else
        gathering->found.why_not = told.error().message;
      came_in(gathering);
    });
  }
  if (!asks_node) return;
  for (const auto& [name, actor] :
       std::initializer_list<std::pair<const char*, caf::actor>>{{"replica", node_.replica},
                                                                 {"applier", node_.applier},
                                                                 {"directory", node_.directory},
                                                                 {"door", node_.door},
                                                                 {"post", node_.post},
                                                                 {"scheduler", node_.scheduler},
                                                                 {"balancer", node_.balancer},
                                                                 {"gateway", node_.gateway},
                                                                 {"keeper", node_.keeper},
                                                                 {"operations", node_.operations}})
    ask_mailbox(gathering, name, actor);
  gathering->found.mailboxes.emplace_back("console", self_->mailbox().size());
}

void Console::ask_mailbox(const GatheringPtr& gathering, const std::string& name, const caf::actor& actor) {
  const std::size_t place = gathering->found.mailboxes.size();
  gathering->found.mailboxes.emplace_back(name, std::nullopt);
  if (!actor) return;
  ++gathering->missing;
  self_->request(actor, actors_patience, TellMailbox{})
      .then(
          [this, gathering, place](const MailboxTold& told) {
            gathering->found.mailboxes[place].second = told.waiting;
            came_in(gathering);
          },
          [this, gathering](const caf::error&) { came_in(gathering); });
}

void Console::came_in(const GatheringPtr& gathering) {
  if (--gathering->missing == 0) answer(gathering->turn, actors_json(*context_, gathering->found));
}

void Console::actors_where(const TurnPtr& turn) {
  auto read = api::parse_selection("actor " + turn->argument);
  if (!read.ok()) return answer(turn, read.error());
  if (!read.value().order_by.empty())
    return answer(turn,
                  Error{ErrorCode::invalid_argument, "a node tells them fullest first, in no other order"});
  const auto selection = std::make_shared<const api::Selection>(std::move(read).value());
  ask_directory({std::nullopt, std::nullopt, awake_walked_max},
                [this, turn, selection](const Result<AwakeTold>& told) {
                  if (!told.ok()) return answer(turn, told.error());
                  answer(turn, selected_json(*context_, *selection, told.value()));
                });
}

void Console::actor(const TurnPtr& turn) {
  if (words_of(turn->argument).first == "where") return actors_where(turn);
  const auto target = target_of(context_->reads(), turn->argument);
  if (!target.ok()) return answer(turn, target.error());
  const EntityRef entity = target.value().entity;
  ask_directory({entity.kind, entity, 1}, [this, turn, entity](const Result<AwakeTold>& told) {
    if (!told.ok()) return answer(turn, told.error());
    answer(turn, actor_json(*context_, entity, told.value()));
  });
}

// ---- show: the record is everywhere, the actor with its owner ----

void Console::show(const TurnPtr& turn) {
  const auto target = target_of(context_->reads(), turn->argument);
  if (!target.ok()) return answer(turn, target.error());
  const Showing showing{turn, target.value()};
  const EntityRef entity = showing.target.entity;
  const NodeId owner = context_->reads().shard(context_->reads().shard_of(entity)).owner;
  if (owner != context_->self) return ask_owner(turn, showing.target, owner);
  ask_directory({entity.kind, entity, 1}, [this, showing](const Result<AwakeTold>& told) {
    if (!told.ok()) return show_with(showing, {});
    show_with(showing, json::parse(actor_json(*context_, showing.target.entity, told.value())).value());
  });
}

void Console::ask_owner(const TurnPtr& turn, const Target& target, NodeId owner) {
  if (owner.value == 0 || !node_.post) return show_with({turn, target}, {});
  if (showing_.size() >= questions_max)
    return answer(turn, Error{ErrorCode::overloaded, "too many questions to other nodes are under way"});
  showing_[++next_cookie_] = {turn, target};
  self_->send(node_.post, Ask{owner, AskConsole{"actor " + target.text()}, next_cookie_, owner_patience,
                              caf::actor_cast<caf::strong_actor_ptr>(self_)});
}

void Console::on_owner_answered(const Answered& answered) {
  const auto found = showing_.find(answered.cookie);
  if (found == showing_.end()) return;
  const Showing showing = std::move(found->second);
  showing_.erase(found);
  const auto told = answered.answer.result();
  auto actor = told.ok() ? json::parse(told.value()) : Result<json::Value>(told.error());
  show_with(showing, actor.ok() ? actor.value() : json::Value());
}

void Console::show_with(const Showing& showing, const json::Value& actor) {
  answer(showing.turn, show_json(*context_, showing.target, actor));
}

}  // namespace
}  // namespace console

caf::actor spawn_console(caf::actor_system& system, const ContextPtr& context) {
  return system.spawn([context](caf::event_based_actor* self) -> caf::behavior {
    auto made = std::make_shared<console::Console>(self, context);
    // The handlers hold it by address; this functor holds its life.
    self->attach_functor([made]() mutable { made.reset(); });
    return made->start();
  });
}

}  // namespace troupe
