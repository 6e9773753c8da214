#include "tests/actors/console/stage.hpp"

#include <gtest/gtest.h>

#include <caf/scheduler/test_coordinator.hpp>

#include "actors/directory/directory_actor.hpp"
#include "net/json/writer.hpp"

namespace troupe {
namespace {

caf::scheduler::test_coordinator& scheduler(caf::actor_system& system) {
  return static_cast<caf::scheduler::test_coordinator&>(system.scheduler());
}

const json::Value* value_in(const json::Value& value, std::string_view path) {
  const json::Value* at = &value;
  while (at != nullptr && !path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const std::string name(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
    if (at->array())
      at = std::stoul(name) < at->array()->size() ? &at->array()->at(std::stoul(name)) : nullptr;
    else
      at = at->find(name);
  }
  return at;
}

}  // namespace

ConsoleStage::ConsoleStage(Directory directory) {
  context->self = first_node;
  context->seed = 42;
  context->cell = "test";
  context->book.begin({{NodeId{1}, {"h1:7101", "h1:7001"}}, {NodeId{2}, {"h2:7101", "h2:7001"}}},
                      {{NodeId{1}, NodeId{2}}, {}, {}});
  context->clock = &clock;
  context->machine = cell.machine.get();
  context->state_kv = cell.store.get();
  config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(config_);
  node_.replica = system_->spawn([this](caf::event_based_actor* self) -> caf::behavior {
    return {[this, self](const Propose& request) {
              self->send(caf::actor_cast<caf::actor>(request.asker),
                         ProposalDone{request.cookie, cell.apply(request.command).outcome});
            },
            [self](TellMailbox) { return MailboxTold{self->mailbox().size()}; }};
  });
  node_.post = system_->spawn([this](caf::event_based_actor*) -> caf::behavior {
    return {[this](const Ask& ask) { asked_owner.push_back(ask); },
            [](TellMailbox) { return MailboxTold{3}; }};
  });
  asker_ = system_->spawn([this](caf::event_based_actor*) -> caf::behavior {
    return {[this](const Answered& answered) {
      EXPECT_FALSE(answered_) << "answered twice";
      EXPECT_EQ(answered.cookie, 5u);
      answered_ = answered.answer.result();
    }};
  });
  node_.door = spawn_idle();
  node_.gateway = spawn_idle();
  node_.directory = directory == Directory::real ? spawn_directory(*system_, context) : spawn_idle();
  node_.console = spawn_console(*system_, context);
  cell.on_applied = [this](const Applied& applied) { tell_applied(applied); };
  for (const auto& actor : {node_.directory, node_.console}) caf::anon_send(actor, node_);
  caf::anon_send(node_.directory, LeaseMoved{true});
  run();
}

ConsoleStage::~ConsoleStage() {
  cell.on_applied = nullptr;
  asked_owner.clear();
  for (caf::actor* actor : {&node_.console, &node_.directory, &node_.door, &node_.gateway, &node_.post,
                            &node_.replica, &asker_}) {
    caf::anon_send_exit(*actor, caf::exit_reason::kill);
    *actor = nullptr;
  }
  run();
  scheduler(*system_).clock().cancel_all();
  system_.reset();
}

/// Takes every message and answers none.
caf::actor ConsoleStage::spawn_idle() {
  return system_->spawn([](caf::event_based_actor* self) -> caf::behavior {
    auto kept = std::make_shared<std::vector<caf::response_promise>>();
    self->attach_functor([kept] { kept->clear(); });
    return {[self, kept](TellMailbox) { kept->push_back(self->make_response_promise()); },
            [](const MeetNode&) {},
            [](const LeaseMoved&) {},
            [](const ShardsLost&) {},
            [](const CloseAgent&) {},
            [](const StateApplied&) {},
            [self, kept](const TellAwake&) { kept->push_back(self->make_response_promise()); }};
  });
}

void ConsoleStage::tell_applied(const Applied& applied) {
  context->status.applied = applied.index.value;
  caf::anon_send(node_.directory, StateApplied{std::make_shared<const Applied>(applied)});
}

void ConsoleStage::run() { scheduler(*system_).run(); }

void ConsoleStage::advance(milliseconds wait) {
  clock.now = clock.now + wait;
  scheduler(*system_).advance_time(wait);
  run();
}

void ConsoleStage::start(const std::string& command) {
  answered_.reset();
  caf::anon_send(node_.console,
                 Asked{AskConsole{command}, 5, caf::actor_cast<caf::strong_actor_ptr>(asker_)});
  run();
}

Result<Bytes> ConsoleStage::ask(const std::string& command, milliseconds wait) {
  start(command);
  if (!answered_) advance(wait);
  TROUPE_CHECK(answered_.has_value());
  return *answered_;
}

json::Value ConsoleStage::told(const std::string& command) {
  const auto answer = ask(command, console::actors_patience);
  EXPECT_TRUE(answer.ok()) << command << ": " << answer.error().message;
  return answer.ok() ? json::parse(answer.value()).value() : json::Value();
}

void ConsoleStage::answer_owner(const Answer& answer) {
  TROUPE_CHECK(!asked_owner.empty());
  const Ask ask = asked_owner.front();
  asked_owner.pop_front();
  caf::anon_send(caf::actor_cast<caf::actor>(ask.asker), Answered{ask.cookie, answer});
  run();
}

void ConsoleStage::give_away(ShardId shard, NodeId owner) {
  AssignShards assign;
  assign.moves.push_back({shard, cell.reads().shard(shard).epoch, owner});
  EXPECT_TRUE(cell.apply(assign, cell.term_fence()).taken());
  run();
}

std::string text_in(const json::Value& value, std::string_view path) {
  const json::Value* found = value_in(value, path);
  if (found == nullptr) return {};
  return found->text() ? *found->text() : json::to_json(*found);
}

std::size_t count_in(const json::Value& value, std::string_view path) {
  const json::Value* found = value_in(value, path);
  return found == nullptr || !found->array() ? 0 : found->array()->size();
}

}  // namespace troupe
