#include "actors/cores/group_core.hpp"

#include <gtest/gtest.h>

#include "storage/state/duties.hpp"

namespace troupe::cores {
namespace {

TEST(GroupStanding, SaysWhatIsAboveTheReservationAndTheCap) {
  GroupRecord group;
  group.instance = {1'000, 512, 100, 10, 0};
  group.instance_count = 4;
  group.tasks_max = 10;
  auto standing = group_standing(group, {1, 10, {4'000, 2'048, 400, 40, 0}, 0, 0, {}});
  EXPECT_FALSE(standing.is_over_cap);
  EXPECT_TRUE(standing.above.empty());
  EXPECT_EQ(standing.reservation.memory_mb, 2'048);
  standing = group_standing(group, {1, 11, {4'001, 2'048, 400, 40, 1}, 0, 0, {}});
  EXPECT_TRUE(standing.is_over_cap);
  EXPECT_EQ(standing.headroom, (Resources{0, 0, 0, 0, 0}));
  EXPECT_EQ(standing.above, (std::vector<std::string>{"cpu", "gpu"}));
  group.tasks_max = 0;
  EXPECT_FALSE(group_standing(group, {1, 1'000'000, {}, 0, 0, {}}).is_over_cap);
}

TEST(GroupStanding, SaysWhatIsLeftOfTheReservation) {
  GroupRecord group;
  group.instance = {1'000, 512, 100, 10, 0};
  group.instance_count = 4;
  const GroupStanding standing = group_standing(group, {1, 10, {1'000, 3'000, 0, 0, 0}, 0, 0, {}});
  EXPECT_EQ(standing.headroom, (Resources{3'000, 0, 400, 40, 0}));
  EXPECT_EQ(standing.above, (std::vector<std::string>{"memory"}));
}

/// A group whose longest waiting task has waited since then.
struct GroupStory {
  GroupCore core;
  GroupView view;
  Instant now{1'000'000};
  GroupStory() { view.record.name = view.condition.name = "gold"; }

  void waits_since(Instant since, std::uint64_t tasks = 3) {
    view.waiting_since = since, view.waiting = tasks;
  }
  GroupEffect tell(const GroupEvent& event = Look{}) {
    const auto effects = core.on(now, view, event);
    EXPECT_EQ(effects.size(), 1U);
    return effects.empty() ? GroupEffect(Rest{}) : effects.front();
  }
  /// What it proposes.
  NoteGroups::Item note(const GroupEvent& event = Look{}) {
    const GroupEffect effect = tell(event);
    const auto* propose = std::get_if<Propose>(&effect);
    EXPECT_NE(propose, nullptr);
    return propose == nullptr ? NoteGroups::Item{} : std::get<NoteGroups>(propose->body).items.at(0);
  }
  bool rests(const GroupEvent& event = Look{}) { return std::holds_alternative<Rest>(tell(event)); }
};

TEST(GroupCore, HasNothingToDoWhileNothingWaitsLong) {
  GroupStory s;
  EXPECT_TRUE(s.rests());
  s.waits_since(s.now - group_patience + milliseconds(1));
  EXPECT_TRUE(s.rests()) << "the attention index wakes it when the time has come";
}

TEST(GroupCore, RaisesTheAlertWhenATaskHasWaitedTooLong) {
  GroupStory s;
  s.waits_since(s.now - group_patience, 7);
  s.view.condition.version = Index{4};
  const NoteGroups::Item note = s.note();
  EXPECT_EQ(note.name, "gold");
  EXPECT_EQ(note.expected, Index{4});
  EXPECT_EQ(note.waiting_since, s.view.waiting_since);
  EXPECT_EQ(note.waiting, 7U);
  EXPECT_TRUE(s.core.on(s.now, s.view, Look{}).empty()) << "one proposal at a time";
}

TEST(GroupCore, SaysAnewNowAndThenWhatStillWaits) {
  GroupStory s;
  s.waits_since(s.now - 3 * group_patience);
  s.view.condition.raised = s.now - 2 * group_patience;
  s.view.condition.noted = s.now - milliseconds(1);
  EXPECT_TRUE(s.rests());
  s.view.condition.noted = s.now - group_patience;
  EXPECT_TRUE(s.note().waiting_since.is_set());
}

TEST(GroupCore, EndsTheAlertWhenNothingWaitsSoLong) {
  GroupStory s;
  s.view.condition.raised = s.view.condition.noted = s.now - milliseconds(5);
  EXPECT_FALSE(s.note().waiting_since.is_set()) << "nothing waits: at once";
  GroupStory other;
  other.view.condition.raised = other.view.condition.noted = other.now - group_patience;
  other.waits_since(other.now - milliseconds(10));
  EXPECT_FALSE(other.note().waiting_since.is_set()) << "only a new one waits";
}

TEST(GroupCore, LeavesAGroupAloneThatIsSetAside) {
  GroupStory s;
  s.waits_since(Instant{1});
  s.view.condition.set_aside = "its actor crashed";
  EXPECT_TRUE(s.rests());
}

TEST(GroupCore, PausesAfterARefusal) {
  GroupStory s;
  s.waits_since(Instant{1});
  s.note();
  const GroupEffect effect = s.tell(Settled{1, Settled::How::refused, ErrorCode::fenced, {}});
  const auto* wake = std::get_if<WakeAt>(&effect);
  ASSERT_NE(wake, nullptr);
  s.now = wake->at;
  s.note();
  s.view.condition.raised = s.view.condition.noted = s.now;
  EXPECT_TRUE(s.rests(Settled{2, Settled::How::taken, {}, {}}));
}

}  // namespace
}  // namespace troupe::cores
