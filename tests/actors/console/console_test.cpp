#include <gmock/gmock.h>

#include "actors/console/actors_report.hpp"
#include "actors/console/console_commands.hpp"
#include "actors/console/entity_report.hpp"
#include "actors/console/node_report.hpp"
#include "tests/actors/console/stage.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

std::string entity_of(const JobId& job) { return "job/" + to_text(job); }
std::string entity_of(const TaskId& task) { return "task/" + to_text(task); }

ErrorCode refusal_of(ConsoleStage& stage, const std::string& command) {
  const auto answer = stage.ask(command);
  return answer.ok() ? ErrorCode::internal : answer.error().code;
}

TEST(Console, KnowsEveryCommandOfTheTable) {
  ConsoleStage stage;
  for (const ConsoleCommand& command : node_commands) {
    const auto answer = stage.ask(std::string(command.name), console::actors_patience);
    if (!answer.ok()) {
      EXPECT_THAT(answer.error().message, testing::Not(HasSubstr("there is no command"))) << command.name;
    }
    EXPECT_TRUE(command.example.starts_with(command.name)) << command.name;
    EXPECT_FALSE(command.about.empty()) << command.name;
  }
  EXPECT_EQ(count_in(stage.told("help"), "commands"), node_commands.size());
}

TEST(Console, RefusesWhatItDoesNotUnderstand) {
  ConsoleStage stage;
  for (const char* command : {"", "  ", "jobs", "node 2", "actors cats", "duties x", "show", "show job",
                              "show job/12", "set-aside here", "show cat/1"})
    EXPECT_EQ(refusal_of(stage, command), ErrorCode::invalid_argument) << command;
  EXPECT_EQ(refusal_of(stage, std::string(10'000, 'x')), ErrorCode::invalid_argument);
  for (const char* command :
       {"show job/6f1c0000-0000-4000-8000-000000000001", "show task/6f1c0000-0000-4000-8000-000000000001",
        "show host/none", "show host/99", "show group/none", "actor group/none", "duties 99"})
    EXPECT_EQ(refusal_of(stage, command), ErrorCode::not_found) << command;
}

TEST(Console, TracesAnEntityWithinABudget) {
  ConsoleStage stage;
  const auto count = [&](const json::Value& trace) { return text_in(trace, "messages"); };
  const std::string host = "0123456789abcdef 2 60 group/DEFAULT";
  EXPECT_EQ(text_in(stage.told("trace start " + host), "state"), "on");
  EXPECT_EQ(refusal_of(stage, "trace start fedcba9876543210 2 60 group/DEFAULT"),
            ErrorCode::precondition_failed);
  EXPECT_TRUE(stage.context->trace.is_on());
  for (int n = 0; n < 3; ++n)
    stage.context->trace.handled(EntityRef::of_group("DEFAULT"), "nudge", stage.context->trace_now());
  EXPECT_FALSE(stage.context->trace.is_on());
  const auto trace = stage.told("trace show 0123456789abcdef");
  EXPECT_EQ(text_in(trace, "why"), "its messages are used up");
  EXPECT_EQ(count(trace), "2");
  EXPECT_EQ(text_in(trace, "entity"), "group/DEFAULT");
  EXPECT_EQ(text_in(trace, "items/1/what"), "nudge");
  EXPECT_EQ(refusal_of(stage, "trace show fedcba9876543210"), ErrorCode::not_found);
  for (const char* bad : {"trace", "trace show", "trace start a 1 60", "trace start a 0 60 group/DEFAULT",
                          "trace start a 1 601 group/DEFAULT", "trace start a 1 60 cat/1", "trace look a"})
    EXPECT_FALSE(stage.ask(bad).ok()) << bad;
  EXPECT_EQ(text_in(stage.told("trace start fedcba9876543210 2 60 group/DEFAULT"), "messages"), "0");
  EXPECT_EQ(text_in(stage.told("trace stop fedcba9876543210"), "why"), "stopped");
}

TEST(Console, TellsWhatTheNodeIs) {
  ConsoleStage stage;
  stage.context->status.role = 3;
  stage.context->status.term = 7;
  stage.context->status.leased = true;
  stage.context->status.links_up[static_cast<std::size_t>(net::Channel::agent)] = 4;
  const auto node = stage.told("node");
  EXPECT_EQ(text_in(node, "node"), "1");
  EXPECT_EQ(text_in(node, "cell"), "test");
  EXPECT_EQ(text_in(node, "role"), "Leader");
  EXPECT_EQ(text_in(node, "term"), "7");
  EXPECT_EQ(text_in(node, "leased"), "true");
  EXPECT_EQ(text_in(node, "shardsOwned"), "4");
  EXPECT_EQ(text_in(node, "linksUp/agent"), "4");
  EXPECT_NE(text_in(node, "stateStore/batches"), "0");
  EXPECT_EQ(text_in(node, "nodes/1/http"), "h2:7001");
}

TEST(Console, TellsWhoseEveryShardIs) {
  ConsoleStage stage;
  stage.give_away(ShardId{2}, NodeId{2});
  const auto shards = stage.told("shards");
  EXPECT_EQ(count_in(shards, "shards"), test_shards);
  EXPECT_EQ(text_in(shards, "shards/2/owner"), "2");
  EXPECT_EQ(text_in(shards, "shards/2/epoch"), "2");
  EXPECT_EQ(text_in(shards, "shards/1/owner"), "1");
}

TEST(Console, CountsDutiesThatAreDueAndListsTheEarliest) {
  ConsoleStage stage;
  stage.give_away(ShardId{0}, NodeId{2});
  JobId job;
  do job = stage.cell.submit(batch_of(1));
  while (shard_of(job, test_shards) != ShardId{0});  // No actor of ours settles this one.
  stage.run();
  EXPECT_NE(text_in(stage.told("shards"), "shards/0/dutiesNow"), "0");
  const auto duties = stage.told("duties 0");
  EXPECT_EQ(text_in(duties, "duties/0/entity"), entity_of(job));
  EXPECT_EQ(text_in(duties, "duties/0/shard"), "0");
  EXPECT_EQ(text_in(duties, "more"), "false");
}

TEST(Console, ListsNoMoreDutiesThanItSays) {
  ConsoleStage stage;
  for (std::uint16_t n = 0; n < test_shards; ++n) stage.give_away(ShardId{n}, NodeId{2});
  for (std::size_t n = 0; n <= console::duties_listed_max; ++n) stage.cell.submit(batch_of(1));
  stage.run();
  const auto duties = stage.told("duties");
  EXPECT_EQ(count_in(duties, "duties"), console::duties_listed_max);
  EXPECT_EQ(text_in(duties, "more"), "true");
}

TEST(Console, CountsRememberedRequests) {
  ConsoleStage stage;
  EXPECT_TRUE(stage.cell.request("k1", CreateJob{stage.cell.random.uuid<JobId>(), batch_of(1)}).taken());
  const auto requests = stage.told("requests");
  EXPECT_EQ(text_in(requests, "requests"), "1");
  EXPECT_EQ(text_in(requests, "requestsMax"), "1000000");
}

// ---- actors ----

TEST(ConsoleActors, AreCountedByKindAndListed) {
  ConsoleStage stage;
  const JobId job = stage.cell.submit(batch_of(2));
  stage.run();  // The job's actor wakes, starts two tasks and rests.
  const auto all = stage.told("actors");
  EXPECT_EQ(text_in(all, "kinds/0/kind"), "job");
  EXPECT_EQ(text_in(all, "kinds/0/activations"), "1");
  EXPECT_NE(text_in(all, "kinds/0/handled"), "0");
  EXPECT_EQ(text_in(all, "kinds/0/crashes"), "0");
  EXPECT_EQ(text_in(all, "nodeActors/0/actor"), "replica");
  EXPECT_EQ(text_in(all, "nodeActors/0/mailbox"), "0");
  EXPECT_EQ(text_in(all, "nodeActors/4/mailbox"), "3");
  EXPECT_EQ(stage.cell.counts(job).live(), 2u);
  const auto tasks = stage.told("actors task");
  EXPECT_EQ(count_in(tasks, "kinds"), 1u);
  EXPECT_EQ(text_in(tasks, "kinds/0/kind"), "task");
  EXPECT_EQ(count_in(tasks, "nodeActors"), 0u);
  EXPECT_EQ(count_in(stage.told("actors node"), "kinds"), 0u);
}

TEST(ConsoleActors, ThatDoNotAnswerAreSaidToBeUnknown) {
  ConsoleStage stage(Directory::silent);
  const auto all = stage.told("actors");
  EXPECT_THAT(text_in(all, "entitiesUnknown"), HasSubstr("did not answer"));
  EXPECT_EQ(text_in(all, "nodeActors/2/actor"), "directory");
  EXPECT_EQ(text_in(all, "nodeActors/2/mailbox"), "null");
  EXPECT_EQ(text_in(all, "nodeActors/0/mailbox"), "0");
}

TEST(ConsoleActors, AreSelectedByACondition) {
  ConsoleStage stage;
  stage.cell.host("host-1");
  stage.cell.submit(batch_of(2));
  stage.run();
  const auto all = stage.told("actor where entity is set");
  EXPECT_EQ(text_in(all, "node"), "1");
  EXPECT_EQ(text_in(all, "pagination/totalItems"),
            std::to_string(count_in(stage.told("actors"), "entities")));
  EXPECT_EQ(text_in(all, "notLookedAt"), "0");
  EXPECT_EQ(count_in(stage.told("actor where mailbox > 100"), "items"), 0u);
  for (const char* command : {"actor where", "actor where mailbx > 1", "actor where mailbox > 1 limit 0",
                              "actor where mailbox > 1 order by handled", "actor where host = a"})
    EXPECT_EQ(refusal_of(stage, command), ErrorCode::invalid_argument) << command;
}

// Found by the simulation: they waited for a moment ten years ahead to try again.
TEST(ConsoleActors, BeginAnewWhenTheCellsTimeStepsBack) {
  ConsoleStage stage;
  constexpr milliseconds decade = std::chrono::hours(24 * 3'650);
  const Instant right = stage.clock.now;
  stage.clock.now = right + decade;
  stage.advance(milliseconds(500));
  bool has_crashed = false;
  stage.context->fault_point = [&](const EntityRef&, std::string_view) {
    return !std::exchange(has_crashed, true);
  };
  const JobId job = stage.cell.submit(batch_of(2));
  stage.run();
  ASSERT_TRUE(has_crashed);
  stage.clock.now = right;
  stage.advance(milliseconds(500));
  ASSERT_TRUE(stage.cell.apply(KillJob{job}).taken());
  stage.advance(milliseconds(500));
  EXPECT_EQ(stage.cell.counts(job).live(), 0u) << "its pause after the crash would end in ten years";
}

TEST(ConsoleActors, ThatAreTooManyAreCounted) {
  ConsoleStage stage;
  AwakeTold told;
  for (std::uint8_t n = 0; n < 5; ++n) {
    AwakeTold::Awake& awake = told.awake.emplace_back();
    awake.entity = EntityRef::of(HostId{n});
    awake.waiting = n;
  }
  told.left_out = 7;
  const auto selection = api::parse_selection("actor where mailbox > 1 limit 2");
  ASSERT_TRUE(selection.ok());
  const auto answer = json::parse(console::selected_json(*stage.context, selection.value(), told)).value();
  EXPECT_EQ(count_in(answer, "items"), 2u);
  EXPECT_EQ(text_in(answer, "items/0/kind"), "host");
  EXPECT_EQ(text_in(answer, "items/0/node"), "1");
  EXPECT_EQ(text_in(answer, "items/0/mailbox"), "2");
  EXPECT_EQ(text_in(answer, "pagination/totalItems"), "3");
  EXPECT_EQ(text_in(answer, "pagination/hasMore"), "true");
  EXPECT_EQ(text_in(answer, "notLookedAt"), "7");
}

TEST(ConsoleActors, ThatCrashedAreCounted) {
  ConsoleStage stage;
  int crashes = 0;
  stage.context->fault_point = [&](const EntityRef&, std::string_view message) {
    if (message == "settled" || ++crashes > 1) return false;
    throw std::runtime_error("out of cheese");
  };
  const JobId job = stage.cell.submit(batch_of(1));
  stage.run();
  EXPECT_EQ(text_in(stage.told("actors job"), "kinds/0/crashes"), "1");
  stage.context->fault_point = nullptr;
  stage.advance(milliseconds(50));
  EXPECT_EQ(stage.cell.counts(job).live(), 1u);
}

// ---- show ----

TEST(ConsoleShow, AJobWithItsSlotsAndWhatItsActorWouldDo) {
  ConsoleStage stage;
  for (std::uint16_t n = 0; n < test_shards; ++n) stage.give_away(ShardId{n}, NodeId{2});
  const JobId job = stage.cell.submit(batch_of(3));
  stage.start("show " + entity_of(job));
  ASSERT_EQ(stage.asked_owner.size(), 1u);
  EXPECT_EQ(stage.asked_owner[0].node, NodeId{2});
  EXPECT_EQ(std::get<AskConsole>(stage.asked_owner[0].question).command, "actor " + entity_of(job));
  stage.answer_owner(Answer::of(R"({"node":2,"awake":true,"mailbox":3})"));
  const auto shown = json::parse(stage.answered()->value()).value();
  EXPECT_EQ(text_in(shown, "entity"), entity_of(job));
  EXPECT_EQ(text_in(shown, "record/state"), "Accepted");
  EXPECT_EQ(text_in(shown, "record/descriptor/applicationName"), "app");
  EXPECT_EQ(text_in(shown, "slots/2/state"), "Empty");
  EXPECT_EQ(text_in(shown, "next"), "propose advance_slots of 3");
  EXPECT_EQ(text_in(shown, "duty"), "now");
  EXPECT_EQ(text_in(shown, "owner"), "2");
  EXPECT_EQ(text_in(shown, "actor/mailbox"), "3");
}

TEST(ConsoleShow, TheRecordAloneWhenItsOwnerIsAway) {
  ConsoleStage stage;
  for (std::uint16_t n = 0; n < test_shards; ++n) stage.give_away(ShardId{n}, NodeId{2});
  const JobId job = stage.cell.submit(batch_of(1));
  stage.start("show " + entity_of(job));
  stage.answer_owner(Answer::of(Error{ErrorCode::unavailable, "no answer in time"}));
  const auto shown = json::parse(stage.answered()->value()).value();
  EXPECT_EQ(text_in(shown, "actor"), "null");
  EXPECT_EQ(text_in(shown, "record/id"), to_text(job));
}

TEST(ConsoleShow, ATaskAndItsHost) {
  ConsoleStage stage;
  const JobId job = stage.cell.submit(batch_of(1));
  stage.run();
  const HostId host = stage.cell.host("h1");
  TaskId task;
  stage.cell.reads().with_job(job, [&](const JobView& view) { task = view.slots[0].record.task; });
  EXPECT_TRUE(stage.cell.place(task, host).taken());
  stage.run();
  const auto shown = stage.told("show " + entity_of(task));
  EXPECT_EQ(text_in(shown, "record/state"), "Launched");
  EXPECT_EQ(text_in(shown, "actor/node"), "1");
  EXPECT_THAT(text_in(shown, "next"), HasSubstr("look again at 20"));
  for (const std::string& name : {std::string("h1"), to_text(host)}) {
    const auto on_host = stage.told("show host/" + name);
    EXPECT_EQ(text_in(on_host, "record/name"), "h1");
    EXPECT_EQ(text_in(on_host, "record/phase"), "Active");
    EXPECT_EQ(text_in(on_host, "tasks/0"), to_text(task));
  }
}

TEST(ConsoleShow, WhatHasEndedFromTheArchive) {
  ConsoleStage stage;
  for (std::uint16_t n = 0; n < test_shards; ++n) stage.give_away(ShardId{n}, NodeId{2});
  const JobId job = stage.cell.run_to_end(stage.cell.host("h1"));
  stage.start("show " + entity_of(job));
  stage.answer_owner(Answer::of(R"({"awake":false})"));
  const auto shown = json::parse(stage.answered()->value()).value();
  EXPECT_EQ(text_in(shown, "archived"), "true");
  EXPECT_EQ(text_in(shown, "record/state"), "Finished");
  EXPECT_EQ(text_in(shown, "slots/0/state"), "Done");
}

TEST(ConsoleShow, ACapacityGroup) {
  ConsoleStage stage;
  EXPECT_TRUE(stage.cell.apply(PutGroup{{"gold", Tier::critical, {}, 0, 9, {}}}).taken());
  const auto shown = stage.told("show group/gold");
  EXPECT_EQ(text_in(shown, "record/tier"), "Critical");
  EXPECT_EQ(text_in(shown, "record/tasksMax"), "9");
  EXPECT_EQ(text_in(shown, "duty"), "null");
  EXPECT_EQ(text_in(shown, "next"), "rest");
  EXPECT_EQ(text_in(shown, "actor/awake"), "false");
  EXPECT_EQ(text_in(shown, "actor/entity"), "group/gold");
}

TEST(ConsoleShow, AGroupWhoseTasksWaitTooLong) {
  ConsoleStage stage;
  stage.cell.start(stage.cell.submit(batch_of(1)), 0);
  stage.cell.now = stage.cell.now + group_patience;
  stage.advance(group_patience);
  const auto shown = stage.told("show group/DEFAULT");
  EXPECT_EQ(text_in(shown, "condition/waiting"), "1");
  EXPECT_NE(text_in(shown, "condition/raised"), "null");
  EXPECT_EQ(text_in(shown, "waiting"), "1");
  const auto actors = stage.told("actors group");
  EXPECT_EQ(text_in(actors, "kinds/0/kind"), "group");
  EXPECT_EQ(text_in(actors, "kinds/0/activations"), "1");
}

TEST(ConsoleSetAside, NamesAGroup) {
  ConsoleStage stage;
  const EntityRef group = EntityRef::of_group("DEFAULT");
  ASSERT_TRUE(
      stage.cell
          .apply(SetAside{group, "its actor crashed"}, stage.cell.fence_of(shard_of(group, test_shards)))
          .taken());
  EXPECT_EQ(text_in(stage.told("set-aside"), "setAside/0/name"), "DEFAULT");
  EXPECT_EQ(text_in(stage.told("show group/DEFAULT"), "next"), "nothing: it is set aside");
}

// ---- set aside ----

TEST(ConsoleSetAside, IsFoundAStretchAtATime) {
  ConsoleStage stage;
  for (std::uint16_t n = 0; n < test_shards; ++n) stage.give_away(ShardId{n}, NodeId{2});
  stage.cell.host("h1");
  std::vector<JobId> jobs;
  for (int n = 0; n < 6; ++n) jobs.push_back(stage.cell.submit(batch_of(1)));
  const TaskId task = stage.cell.start(jobs[0], 0);
  for (const EntityRef& entity : {EntityRef::of(jobs[4]), EntityRef::of(task)})
    ASSERT_TRUE(
        stage.cell
            .apply(SetAside{entity, "its actor crashed"}, stage.cell.fence_of(shard_of(entity, test_shards)))
            .taken());
  std::vector<std::string> found;
  std::string position;
  std::size_t walked = 0;
  for (int stretches = 0; stretches < 20; ++stretches) {
    const auto told = json::parse(console::set_aside_json(*stage.context, position, 2).value()).value();
    for (std::size_t n = 0; n < count_in(told, "setAside"); ++n)
      found.push_back(text_in(told, "setAside/" + std::to_string(n) + "/entity"));
    walked += std::stoul(text_in(told, "walked"));
    position = text_in(told, "next");
    if (position == "null") break;
  }
  EXPECT_EQ(position, "null");
  EXPECT_EQ(walked, 9u);  // A host, a group, six jobs, a task: each once.
  EXPECT_THAT(found, testing::ElementsAre(entity_of(jobs[4]), entity_of(task)));
  EXPECT_EQ(count_in(stage.told("set-aside"), "setAside"), 2u);
}

}  // namespace
}  // namespace troupe
