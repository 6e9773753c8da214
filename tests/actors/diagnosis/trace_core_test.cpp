#include "actors/diagnosis/trace_core.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "actors/diagnosis/mentions.hpp"
#include "actors/diagnosis/trace_book.hpp"
#include "net/json/value.hpp"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

JobId job_of(std::uint8_t n) {
  JobId id;
  id.bytes[0] = n;
  return id;
}
TaskId task_of(std::uint8_t n) {
  TaskId id;
  id.bytes[0] = n;
  return id;
}
const Moment begin{0};
Moment after(std::int64_t ms) { return begin + milliseconds(ms); }

TraceOrder order_for(const EntityRef& entity, std::size_t messages = 100) {
  return {"0123456789abcdef", entity, "job/one", {}, messages, after(60'000)};
}

TraceNote nudge(const EntityRef& entity) { return {TraceKind::handled, entity, "nudge"}; }

std::string why(const TraceCore& core) {
  const auto told = json::parse(core.json("0123456789abcdef").value());
  const json::Value* said = told.value().find("why");
  return said == nullptr ? "" : *said->text();
}

TEST(Trace, EndsByItselfWhenItsMessagesAreUsedUp) {
  TraceCore core;
  const auto job = EntityRef::of(job_of(1));
  ASSERT_TRUE(core.begin(order_for(job, 3), begin).ok());
  for (int n = 0; n < 5; ++n) core.note(nudge(job), after(n));
  EXPECT_FALSE(core.is_on());
  EXPECT_EQ(why(core), "its messages are used up");
  EXPECT_THAT(core.json("0123456789abcdef").value(), HasSubstr(R"("messages":3,)"));
}

TEST(Trace, EndsByItselfWhenItsTimeIsOver) {
  TraceCore core;
  const auto job = EntityRef::of(job_of(1));
  ASSERT_TRUE(core.begin(order_for(job), begin).ok());
  core.note(nudge(job), after(59'999));
  core.note(nudge(job), after(60'000));
  EXPECT_FALSE(core.is_on());
  EXPECT_EQ(why(core), "its time is over");
  EXPECT_THAT(core.json("0123456789abcdef").value(), HasSubstr(R"("messages":1,)"));
  ASSERT_TRUE(core.begin(order_for(job), begin).ok());
  core.look(after(60'000));
  EXPECT_FALSE(core.is_on()) << "without notes, too";
}

TEST(Trace, IsOneAtATimeAndKeptUntilTheNext) {
  TraceCore core;
  TraceOrder other = order_for(EntityRef::of(job_of(2)));
  other.id = "fedcba9876543210";
  ASSERT_TRUE(core.begin(order_for(EntityRef::of(job_of(1))), begin).ok());
  EXPECT_EQ(core.begin(other, begin).error().code, ErrorCode::precondition_failed);
  EXPECT_EQ(core.stop(other.id).error().code, ErrorCode::not_found);
  ASSERT_TRUE(core.stop("0123456789abcdef").ok());
  EXPECT_EQ(why(core), "stopped");
  ASSERT_TRUE(core.begin(other, begin).ok());
  EXPECT_EQ(core.json("0123456789abcdef").error().code, ErrorCode::not_found);
  EXPECT_EQ(core.json("").error().code, ErrorCode::not_found);
}

TEST(Trace, WhatWasSeenOfItStaysAsItWas) {
  TraceCore core;
  const auto job = EntityRef::of(job_of(1));
  ASSERT_TRUE(core.begin(order_for(job), begin).ok());
  core.note(nudge(job), begin);
  const TraceCore seen = core.seen();
  const std::string told = core.json("0123456789abcdef").value();
  core.note(nudge(job), begin);
  EXPECT_EQ(seen.json("0123456789abcdef").value(), told);
  EXPECT_TRUE(core.follows(job));
  EXPECT_EQ(seen.json("fedcba9876543210").error().code, ErrorCode::not_found);
}

TEST(Trace, HasBoundsAndKeepsNoSecrets) {
  TraceCore core;
  const auto job = EntityRef::of(job_of(1));
  EXPECT_FALSE(core.begin(order_for(job, 0), begin).ok());
  EXPECT_FALSE(core.begin(order_for(job, trace_messages_max + 1), begin).ok());
  TraceOrder late = order_for(job);
  late.until = after(600'001);
  EXPECT_FALSE(core.begin(late, begin).ok());
  ASSERT_TRUE(core.begin(order_for(job), begin).ok());
  TraceNote note = nudge(job);
  note.detail = "password=hunter2 " + std::string(1'000, 'x');
  core.note(note, begin);
  const std::string told = core.json("0123456789abcdef").value();
  EXPECT_EQ(told.find("hunter2"), std::string::npos) << told;
  EXPECT_LT(told.size(), 600U);
}

TEST(Trace, FollowsAJobsTasksAsTheyCome) {
  TraceBook book;
  const TraceBook::Now now{Instant{5}, begin};
  TraceOrder order = order_for(EntityRef::of(job_of(1)));
  order.tasks = {task_of(7)};
  EXPECT_FALSE(book.is_on());
  ASSERT_TRUE(book.begin(order, Index{10}, begin).ok());
  EXPECT_TRUE(book.is_on());
  book.handled(EntityRef::of(task_of(7)), "nudge", now);
  book.handled(EntityRef::of(task_of(8)), "nudge", now);
  book.handled(EntityRef::of(job_of(2)), "nudge", now);
  Command command;
  AdvanceSlots slots;
  slots.items.push_back({job_of(1), SlotNumber{}, {}, SlotState::running, task_of(8), {}, {}});
  command.body = slots;
  book.proposed(command, now);
  book.handled(EntityRef::of(task_of(8)), "nudge", now);
  Applied applied;
  applied.index = Index{12};
  Event event;
  event.id = {Index{11}, 2};
  event.kind = EventKind::task_changed;
  event.job = job_of(1);
  event.task = task_of(9);
  event.task_state = TaskState::started;
  applied.events.push_back(event);
  book.applied(applied, now);
  const Error refusal{ErrorCode::fenced, "the shard has moved"};
  book.settled(EntityRef::of(job_of(1)), &refusal, now);
  std::vector<std::string> seen;
  const auto told = json::parse(book.json(order.id, begin).value());
  for (const json::Value& item : *told.value().find("items")->array())
    seen.push_back(*item.find("kind")->text() + ' ' + *item.find("what")->text() + ' ' +
                   *item.find("index")->text() +
                   (item.find("detail") != nullptr ? ' ' + *item.find("detail")->text() : ""));
  EXPECT_THAT(seen, ElementsAre("handled nudge 10", "proposed advance_slots 10", "proposed advance_slots 10",
                                "handled nudge 10", "applied task_changed 11 Started",
                                "settled refused 12 fenced: the shard has moved"));
}

TEST(Trace, IsTurnedOffByItsTimeWhateverComesFirst) {
  const TraceBook::Now late{Instant{5}, after(60'000)};
  const auto other = EntityRef::of(job_of(2));
  Command command;
  command.body = KillJob{job_of(2)};
  const Bytes bytes = encode(command);
  const std::vector<std::function<void(TraceBook&)>> taps{
      [&](TraceBook& book) { book.handled(other, "nudge", late); },
      [&](TraceBook& book) { book.settled(other, nullptr, late); },
      [&](TraceBook& book) { book.proposed(command, late); },
      [&](TraceBook& book) { book.travels(TraceKind::taken, bytes, NodeId{2}, late); },
      [&](TraceBook& book) { book.travels(TraceKind::taken, Bytes("no command"), NodeId{2}, late); },
      [&](TraceBook& book) { book.applied(Applied{}, late); }};
  for (std::size_t n = 0; n < taps.size(); ++n) {
    TraceBook book;
    ASSERT_TRUE(book.begin(order_for(EntityRef::of(job_of(1))), Index{10}, begin).ok());
    taps[n](book);
    EXPECT_FALSE(book.is_on()) << "tap " << n;
  }
}

TEST(Trace, WhatTravelsBetweenNodesHasOneNameOnBothSides) {
  TraceBook book;
  const TraceBook::Now now{Instant{5}, begin};
  ASSERT_TRUE(book.begin(order_for(EntityRef::of(job_of(1))), Index{10}, begin).ok());
  Command command;
  command.proposal = {NodeId{2}, 77, 5};
  command.body = KillJob{job_of(1)};
  const Bytes bytes = encode(command);
  book.travels(TraceKind::forwarded, bytes, NodeId{1}, now);
  book.travels(TraceKind::taken, bytes, NodeId{2}, now);
  book.travels(TraceKind::taken, Bytes("no command"), NodeId{2}, now);
  const std::string told = book.json("0123456789abcdef", begin).value();
  EXPECT_THAT(told, HasSubstr(R"("what":"kill_job","detail":"to node 1","link":"2/5")"));
  EXPECT_THAT(told, HasSubstr(R"("what":"kill_job","detail":"from node 2","link":"2/5")"));
  EXPECT_THAT(told, HasSubstr(R"("messages":2,)"));
}

TEST(Mentions, AreTheIdsThatStandInACommandOrOrder) {
  const auto mentioned = [](const auto& about) {
    std::set<std::string> seen;
    each_mentioned(about, [&](const EntityRef& entity) { seen.insert(entity.text()); });
    return seen;
  };
  PlaceTasks plan;
  plan.items.push_back({task_of(1), {}, HostId{7}, {}});
  EXPECT_THAT(mentioned(CommandBody(plan)), ElementsAre("host/7", EntityRef::of(task_of(1)).text()));
  GroupRecord group;
  group.name = "payments";
  EXPECT_THAT(mentioned(CommandBody(PutGroup{group})), ElementsAre(EntityRef::of_group("payments").text()));
  EXPECT_THAT(mentioned(CommandBody(RaiseLevel{1})), ElementsAre());
  agent::Kill kill;
  kill.tasks = {task_of(1), task_of(2)};
  EXPECT_EQ(mentioned(agent::ToAgent(kill)).size(), 2U);
  EXPECT_EQ(order_text(agent::ToAgent(kill)), "kill");
}

}  // namespace
}  // namespace troupe
